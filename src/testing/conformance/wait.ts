import assert from 'node:assert/strict'
import type { BrokerDelivery, SubscribeOptions } from 'obverse'
import { sleep, systemRuntime } from 'obverse'

/** Looks until `condition` is true; fails, saying what was waited for, after `ms`. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = systemRuntime.elapsed() + ms
  while (!(await condition())) {
    assert.ok(systemRuntime.elapsed() < end, `waited ${ms} ms in vain for: ${what}`)
    await sleep(systemRuntime, 2)
  }
}

/**
 * Lets time pass, in steps, until a process that says nothing any more counts as dead. In steps, because who looks for
 * the dead has to see twice that nothing changed.
 */
export async function untilSilent(
  { runtime }: { readonly runtime: { skip(ms: number): void } },
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  await until('the others to notice that a process is dead', async () => {
    if (await condition()) return true
    runtime.skip(2_000)
    await aWhile(5)
    return condition()
  })
}

/** Lets everything happen that would, if it did. For the absence of things; keep it short. */
export async function aWhile(ms = 30): Promise<void> {
  await sleep(systemRuntime, ms)
}

/** A consumer that only collects. */
export class Inbound {
  readonly all: BrokerDelivery[] = []
  readonly options: SubscribeOptions

  constructor(prefetch = 100) {
    this.options = { prefetch, onDeliveries: (deliveries) => void this.all.push(...deliveries) }
  }

  get bodies(): readonly string[] {
    return this.all.map(({ body }) => body)
  }

  async came(count: number): Promise<readonly BrokerDelivery[]> {
    await until(`${count} deliveries`, () => this.all.length >= count)
    assert.equal(this.all.length, count, 'more was delivered than expected')
    return this.all
  }
}
