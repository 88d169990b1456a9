import { EmbeddedInstallation } from '../../../apps/orders/test/embedded.ts'
import { type RunningProcess, start } from '../../processes.ts'
import { WATCHED } from '../memory.ts'

/** What is planted, and by what finding it is known. */
export const MISTAKES = {
  leak: /an internal text/,
  'half-done': /an order that nobody accepted/,
  crash: /the process ended/,
  fault: /status 500/,
  mute: /does not say what is wrong/,
  hoard: /memory grew/,
} as const satisfies Record<string, RegExp>
export type Mistake = keyof typeof MISTAKES

/** The orders application on one file, with a mistake planted in it. */
export class PlantedInstallation extends EmbeddedInstallation {
  readonly #mistake: Mistake

  constructor(mistake: Mistake) {
    super(WATCHED)
    this.#mistake = mistake
  }

  override process(): RunningProcess {
    const process = start('test/bounds/requests/planted.ts', [this.#mistake], { env: this.env })
    this.processes.push(process)
    return process
  }
}
