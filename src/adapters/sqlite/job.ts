export interface JobOptions<T> {
  /** Others may want to know of the commit. Default true. */
  readonly news?: boolean
  /** Called once the job has committed, before its promise resolves. */
  readonly committed?: (result: T) => void
  /** Milliseconds it waits for the lock. Default: `lockTimeout`. */
  readonly patience?: number
  /** Foreign keys are off meanwhile; such a job has its commit for itself. */
  readonly unchecked?: boolean
  /** It cannot be run a second time: taken down by a neighbour, it fails with `CONFLICT`, and its caller runs it again. */
  readonly once?: boolean
}

/** What a job returns to say: keep what I wrote, and fail with this error. */
export class Kept {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

/** One piece of work on its way to its commit. */
export interface Job {
  readonly run: () => unknown
  readonly options: JobOptions<never>
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
  /** `runtime.elapsed()` at which the lock was first refused to it; 0: never. */
  since: number
  begun: boolean
  failed: boolean
  outcome: unknown
  /** A group that it was in was taken down by one of its members. */
  alone: boolean
}
