/** The rejection of a promise; for error classes of other packages, which tap's `rejects` does not inspect. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('did not fail'),
    (error: unknown) => error,
  )
}
