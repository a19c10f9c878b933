/** A request of a cage to its cell. The nonce comes back with the answer; the code that runs there never sees it. */
export interface CellQuestion {
  nonce: string
  request: CellRequest
}

export interface CellRequest {
  /** Limit of processor time, so that correct code does not fail on a busy machine. */
  timeLimitMs: number
}

/** A cell's answer. The first one, with `readyNonce`, reports that it has started. */
export interface CellAnswer<Reply> {
  nonce: string
  reply: Reply
}

export const readyNonce = 'ready'
