/**
 * The same event stream, with a limit on how far its reader may lag: when more than `limitBytes` are buffered and another
 * piece arrives, the rest is discarded and `onTooSlow` called. A single piece of any size passes, since an answer is
 * one piece. `first` is sent at once.
 */
export function boundUnread(
  response: Response,
  { limitBytes, first, onTooSlow }: { limitBytes: number; first: string; onTooSlow: () => void },
): Response {
  if (response.body === null) return response
  const source = response.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      start: controller => {
        if (first !== '') controller.enqueue(Buffer.from(first))
        void pass(controller)
      },
      cancel: reason => source.cancel(reason),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: limitBytes }),
  )
  return new Response(body, { status: response.status, headers: response.headers })

  /** Reads eagerly: what is left in the source cannot be counted. */
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
