/**
 * The same response, except that its reader may lag: when more than `limitBytes` wait for it and another piece comes, the rest
 * is given up and `onTooSlow` called. One piece of any size passes, since an answer is one piece.
 */
export function boundUnread(response: Response, limitBytes: number, onTooSlow: () => void): Response {
  if (response.body === null) return response
  const source = response.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      start: controller => {
        void pass(controller)
      },
      cancel: reason => source.cancel(reason),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: limitBytes }),
  )
  return new Response(body, { status: response.status, headers: response.headers })

  /** Takes what comes at once: what is left in the source cannot be counted. */
  async function pass(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await source.read()
        if (done) break
        if ((controller.desiredSize ?? 0) <= 0) {
          onTooSlow()
          throw new Error(`The reader of a stream left ${String(limitBytes)} bytes unread.`)
        }
        controller.enqueue(value)
      }
      controller.close()
    } catch (error) {
      controller.error(error)
      await source.cancel(error).catch(() => undefined)
    }
  }
}
