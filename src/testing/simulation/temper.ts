import type { Moods } from './broker.ts'
import type { Cluster, Role } from './cluster.ts'
import type { Weather } from './link.ts'
import type { Hazards } from './process.ts'
import type { World } from './world.ts'

/** How bad a run is, and for whom. */
export interface Temper {
  readonly apart: boolean
  readonly roles: readonly Role[]
  readonly hazards: Hazards
  readonly weather: Weather
  readonly moods: Moods
}

/** By chance: from nothing at all to a mishap at every other step. */
export function temperOf(world: World): Temper {
  const apart = world.chance(0.5)
  const consumers = world.chance(0.4) ? 1 : world.chance(0.8) ? 2 : 3
  return {
    apart,
    roles: [
      'api',
      ...(world.chance(0.5) ? (['api'] as const) : []),
      ...(world.chance(0.3) ? (['relay'] as const) : []),
      ...Array.from({ length: consumers }, () => 'consumer' as const),
    ],
    hazards: {
      crash: world.chance(0.6) ? world.between(0, 0.02) : 0,
      freeze: world.chance(0.4) ? world.between(0, 0.01) : 0,
      delay: world.chance(0.5) ? world.between(0, 0.2) : 0,
    },
    weather: {
      slow: world.between(0, 0.5),
      most: world.between(1, 40),
      fails: world.chance(0.4) ? world.between(0, 0.04) : 0,
      forgets: world.chance(0.5) ? world.between(0, 0.04) : 0,
    },
    moods: {
      returns: world.chance(0.4) ? world.between(0, 0.15) : 0,
      breaks: world.chance(0.4) ? world.between(0, 0.15) : 0,
    },
  }
}

/** Nothing goes wrong any more; what was broken is mended, by itself or by its supervisor. */
export function calm({ hazards, weather, moods }: Temper, cluster: Cluster, world: World): void {
  world.note('world', 'calms down')
  Object.assign(hazards, { crash: 0, freeze: 0, delay: 0 })
  Object.assign(weather, { fails: 0, forgets: 0 })
  Object.assign(moods, { returns: 0, breaks: 0 })
  for (const { process, links } of cluster.members()) {
    process.skew = 0
    process.thaw()
    for (const link of links) link.mend()
  }
}
