import { createHash } from 'node:crypto'

/**
 * Ids of tool calls, for protocols whose clients may send none. An id is made from the conversation before its call: the same in
 * every request of a conversation, and another one in other conversations.
 */
export interface MadeCallIds {
  /** Takes in the next message. */
  follow(role: string, text: string): void
  /** The ids of the calls that the message just taken in makes; an id the client sent is kept. */
  ofCalls(calls: readonly { id?: unknown; name: string }[]): string[]
  /** The id of the call whose result comes next: by its id, else the first open call of that name, else the first open one. */
  ofResult(result: { id?: unknown; name?: unknown }): string
}

export function createMadeCallIds(): MadeCallIds {
  const conversation = createHash('sha256')
  let open: { id: string; name: string }[] = []
  const made = (index: number) => `call_${conversation.copy().update(String(index)).digest('hex').slice(0, 24)}`

  return {
    follow(role, text) {
      conversation.update(JSON.stringify([role, text]))
    },
    ofCalls(calls) {
      open = calls.map(({ id, name }, index) => ({ id: isFilled(id) ? id : made(index), name }))
      return open.map(({ id }) => id)
    },
    ofResult({ id, name }) {
      const call = open.find(each => each.id === id) ?? open.find(each => each.name === name) ?? open[0]
      open = open.filter(each => each !== call)
      return isFilled(id) ? id : (call?.id ?? made(0))
    },
  }
}

function isFilled(id: unknown): id is string {
  return typeof id === 'string' && id !== ''
}
