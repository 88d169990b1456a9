import type { Observer, Step } from 'obverse'

type StepOf<N extends Step['step']> = Extract<Step, { readonly step: N }>

/** An observer that remembers, and answers. */
export interface Recorder extends Observer {
  /** Messages of this type that went to a channel or came from one, each once. */
  published(type: string): number
  /** How often a message of this type was handled and committed; duplicates and held ones do not count. */
  handled(type: string): number
  /** True when that was exactly so often. */
  handled(type: string, times: number): boolean
  /** What was given up, oldest first. */
  dead(): readonly StepOf<'dead'>[]
  steps(): readonly Step[]
  steps<N extends Step['step']>(name: N): readonly StepOf<N>[]
  clear(): void
}

/**
 * @example
 * const recorded = recorder()
 * const app = createApp({ handlers, observe: [recorded] })
 * assert.ok(recorded.handled('orders.placed', 1))
 */
export function recorder(): Recorder {
  const all: Step[] = []
  const steps = (name?: Step['step']) => (name === undefined ? [...all] : all.filter(({ step }) => step === name))
  const committed = (type: string) =>
    all.filter((one) => one.step === 'handled' && one.type === type && one.outcome === 'committed').length
  const answers = {
    published(type: string): number {
      const ids = all.flatMap((one) =>
        (one.step === 'sending' || one.step === 'received') && one.type === type ? [one.messageId] : [],
      )
      return new Set(ids).size
    },
    handled: (type: string, times?: number) => (times === undefined ? committed(type) : committed(type) === times),
    dead: () => steps('dead'),
    steps,
    clear() {
      all.length = 0
    },
  }
  return Object.assign((step: Step) => void all.push(step), answers) as Recorder
}
