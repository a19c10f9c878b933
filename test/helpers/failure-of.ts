/** What a promise is rejected with; for errors of other packages' classes, which tap's `rejects` does not look into. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('did not fail'),
    (error: unknown) => error,
  )
}
