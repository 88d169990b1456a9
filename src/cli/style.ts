import { styleText } from 'node:util'

export type Paint = (text: string) => string

/** Colours that are only there when somebody sees them. */
export interface Style {
  readonly bold: Paint
  readonly dim: Paint
  readonly good: Paint
  readonly bad: Paint
  readonly warn: Paint
  readonly info: Paint
}

/** `on` is false for files, pipes and `NO_COLOR`. */
export function styles(on: boolean): Style {
  const paint = (...format: Parameters<typeof styleText>[0][]): Paint =>
    on ? (text) => styleText(format.flat() as never, text, { validateStream: false }) : (text) => text
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    good: paint('green'),
    bad: paint('red'),
    warn: paint('yellow'),
    info: paint('cyan'),
  }
}

/** Colour for a terminal that shows it; `NO_COLOR` (any text) turns it off, `FORCE_COLOR` on. */
export function wantsColour(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return isTerminal && env.TERM !== 'dumb'
}

const STATES: Record<string, { readonly symbol: string; readonly paint: keyof Style }> = {
  done: { symbol: '✓', paint: 'good' },
  logged: { symbol: '✓', paint: 'good' },
  handled: { symbol: '✓', paint: 'good' },
  ok: { symbol: '✓', paint: 'good' },
  dead: { symbol: '✗', paint: 'bad' },
  failed: { symbol: '✗', paint: 'bad' },
  error: { symbol: '✗', paint: 'bad' },
  warning: { symbol: '!', paint: 'warn' },
  retry: { symbol: '↻', paint: 'warn' },
  held: { symbol: '⋯', paint: 'warn' },
  waiting: { symbol: '⋯', paint: 'warn' },
  pending: { symbol: '○', paint: 'info' },
  queued: { symbol: '○', paint: 'info' },
  skipped: { symbol: '–', paint: 'dim' },
  cancelled: { symbol: '–', paint: 'dim' },
}

/** A state with its symbol, so that it is told apart without colour too: `✗ dead`. */
export function stateText(state: string): string {
  return `${STATES[state]?.symbol ?? '·'} ${state}`
}

/** The colour of a state. */
export function statePaint(style: Style, state: string): Paint {
  return style[STATES[state]?.paint ?? 'info']
}
