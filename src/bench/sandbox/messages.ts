/** What a cage sends to its cell. The nonce comes back with the answer; the code that runs there never sees it. */
export interface CellQuestion {
  nonce: string
  request: CellRequest
}

export interface CellRequest {
  /** Of processor time, so that a busy machine does not make right code fail. */
  timeLimitMs: number
}

/** What a cell sends: the first time, when it has started, under `readyNonce`. */
export interface CellAnswer<Reply> {
  nonce: string
  reply: Reply
}

export const readyNonce = 'ready'
