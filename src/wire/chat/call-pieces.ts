import { asObject, asString } from '../../json.ts'

/** One increment of a tool call in a stream. */
export interface CallPiece {
  /** Index of the call in the answer, from 0. */
  call: number
  /** Present once, in the first piece of each call. */
  opened?: { id: string; name: string }
  /** Text to append to the call's arguments. */
  arguments: string
}

export interface CallReader {
  /** Reads `delta.tool_calls` of one chunk. */
  read(deltas: unknown): CallPiece[]
  /** Number of calls opened so far. */
  count(): number
}

interface Call {
  id: string | undefined
  name: string | undefined
  held: string
  opened: boolean
}

/**
 * Normalizes the tool calls that servers stream: calls without an index, or all with index 0 but different ids, calls
 * without an id, with the name in every delta, or with arguments as an object. A call opens when its name is known; one
 * whose name never arrives is dropped, because no client could run it.
 */
export function createCallReader(idOf: (call: number) => string): CallReader {
  const calls: Call[] = []
  const byIndex = new Map<unknown, number>()
  let opened = 0
  let last = -1

  const find = (index: unknown, id: string | undefined, name: string | undefined): number => {
    if (index === undefined || index === null) {
      if (id !== undefined) return calls.findIndex(call => call.id === id)
      return name !== undefined && calls[last]?.name !== undefined ? -1 : last
    }
    const known = byIndex.get(index) ?? -1
    const knownId = calls[known]?.id
    return name !== undefined && id !== undefined && knownId !== undefined && knownId !== id ? -1 : known
  }

  const callOf = (index: unknown, id: string | undefined, name: string | undefined): number => {
    const found = find(index, id, name)
    if (found >= 0) return found
    calls.push({ id: undefined, name: undefined, held: '', opened: false })
    byIndex.set(index, calls.length - 1)
    return calls.length - 1
  }

  return {
    read(deltas) {
      if (!Array.isArray(deltas)) return []
      const pieces: CallPiece[] = []
      for (const item of deltas) {
        const delta = asObject(item)
        if (delta === undefined) continue
        const called = asObject(delta['function']) ?? {}
        const name = asString(called['name']) || undefined
        const id = asString(delta['id']) || undefined
        last = callOf(delta['index'], id, name)
        const call = calls[last]!
        call.id ??= id
        call.name ??= name
        const text = argumentsText(called['arguments'])
        if (call.opened) {
          if (text !== '') pieces.push({ call: last, arguments: text })
        } else if (call.name === undefined) {
          call.held += text
        } else {
          call.opened = true
          call.id ??= idOf(last)
          opened += 1
          pieces.push({ call: last, opened: { id: call.id, name: call.name }, arguments: call.held + text })
        }
      }
      return pieces
    },
    count: () => opened,
  }
}

/** A call's arguments as a string, as chat completions carry them. */
export function argumentsText(value: unknown): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}
