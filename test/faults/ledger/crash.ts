import type { FaultPoint } from 'obverse'
import type { Crash } from './protocol.ts'

/** What a runtime is given to end its process at a named step. */
export interface CrashPoint {
  armed: boolean
  readonly reach: (point: FaultPoint) => Promise<void> | void
}

/** `say` is told before the process stops itself, calls back when that was sent, and is told when it goes on. */
export function crashPoint(
  crash: Crash | undefined,
  say: (is: 'stopping' | 'resumed', then?: () => void) => void,
): CrashPoint {
  let passed = false
  let left = crash?.nth ?? Number.POSITIVE_INFINITY
  const self: CrashPoint = {
    armed: false,
    reach(point) {
      if (!crash) return
      if (point === crash.following) passed = true
      const counts = crash.points.includes(point) && (passed || crash.following === undefined)
      if (point === 'commit.after') passed = false
      if (!counts || !self.armed) return
      left -= 1
      if (left > 0) return
      if (!crash.stop) {
        process.kill(process.pid, 'SIGKILL')
        // the signal is on its way: nothing more may happen meanwhile
        return new Promise(() => {})
      }
      // others come here before it stops
      left = Number.POSITIVE_INFINITY
      return stop(say).then(() => {
        left = crash.nth
      })
    },
  }
  return self
}

/** Between two turns of the event loop, so that no transaction is open and nobody waits for its lock. */
function stop(say: Parameters<typeof crashPoint>[1]): Promise<void> {
  return new Promise((resolve) => {
    say('stopping', () => {
      process.once('SIGCONT', () => {
        say('resumed')
        resolve()
      })
      process.kill(process.pid, 'SIGSTOP')
    })
  })
}
