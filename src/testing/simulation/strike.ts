import type { Cluster } from './cluster.ts'
import type { Faulted } from './report.ts'
import type { World } from './world.ts'

/** From outside: kills, freezes, cuts, wrong clocks. */
export async function strike(
  world: World,
  cluster: Cluster,
  faults: Faulted,
  misfortune: { over: boolean },
): Promise<void> {
  const rest = world.between(60, 1_500)
  for (;;) {
    await world.pause(world.between(0, 2 * rest))
    if (misfortune.over) return
    const member = world.pick(cluster.members())
    if (!member) continue
    const { process, links } = member
    const dice = world.random()
    if (dice < 0.35) process.kill('from outside')
    else if (dice < 0.6) {
      faults.freezes += 1
      process.freeze(world.chance(0.5) ? world.between(100, 3_000) : world.between(5_000, 12_000), 'from outside')
    } else if (dice < 0.9) {
      faults.cuts += 1
      world.pick(links)?.cut(world.between(50, 5_000))
    } else if (dice < 0.93) {
      faults.forgotten += 1
      world.note('view store', 'is lost, and comes back empty')
      cluster.forgetViews(world.between(50, 1_000))
    } else {
      faults.skews += 1
      process.skew = Math.round(world.between(-2_000, 2_000))
      world.note(process.name, `has a clock that is ${process.skew} ms wrong`)
    }
  }
}
