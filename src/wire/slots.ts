/** Room for work that runs at once, shared by members: the first to join is served first. */
export interface Slots {
  /** `start` starts one piece of work and says whether it did. The returned function leaves. */
  join(start: () => boolean): () => void
  /** Fills what is free. */
  pump(): void
  /** One piece of work has ended. */
  give(): void
}

export function createSlots(limit: number): Slots {
  const members: (() => boolean)[] = []
  let free = limit
  const pump = () => {
    for (const start of members) {
      while (free > 0) {
        // taken before the start: work may end, and give, at once
        free -= 1
        if (start()) continue
        free += 1
        break
      }
    }
  }
  return {
    join(start) {
      members.push(start)
      return () => {
        const place = members.indexOf(start)
        if (place >= 0) members.splice(place, 1)
      }
    },
    pump,
    give() {
      free += 1
      pump()
    },
  }
}
