/**
 * One layer around a handler: it may act before and after, change the context or the result, or not call `next`.
 * Errors propagate through it. `next` may be called again (a retry layer does).
 */
export type Layer<C, R = unknown> = (context: C, next: () => Promise<R>) => Promise<R>

/** Composes layers into one; the first is the outermost. No layers cost nothing. */
export function compose<C, R>(
  layers: readonly Layer<C, R>[],
  innermost: (context: C) => Promise<R>,
): (context: C) => Promise<R> {
  return layers.reduceRight<(context: C) => Promise<R>>(
    (next, layer) => (context) => layer(context, () => next(context)),
    innermost,
  )
}
