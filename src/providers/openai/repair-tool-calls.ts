import { randomBytes } from 'node:crypto'
import type { ChatChunk, ToolCallDelta } from '../../wire/chat/schema.ts'

/** Ids of the calls that one choice of a stream has made so far, by index. */
type KnownCalls = Map<number, string>

/**
 * Fills in what agents need and some servers omit from a list of tool calls: arguments as a string, a type, an id and,
 * in a stream, a distinct index per call. `known` holds the earlier calls of the same choice in its
 * stream. Returns whether anything was repaired.
 */
export function repairToolCalls(
  calls: readonly Partial<ToolCallDelta>[] | null | undefined,
  known?: KnownCalls,
): boolean {
  let repaired = false
  for (const [position, call] of (calls ?? []).entries()) {
    const { function: called } = call
    if (called?.arguments !== undefined && typeof called.arguments !== 'string') {
      called.arguments = JSON.stringify(called.arguments)
      repaired = true
    }
    const index = known === undefined ? position : indexOf(call, known)
    if (known !== undefined && call.index !== index) {
      call.index = index
      repaired = true
    }
    if (known?.has(index) === true || called?.name === undefined) continue
    if (!call.id) {
      call.id = newToolCallId()
      repaired = true
    }
    if (call.type === undefined) {
      call.type = 'function'
      repaired = true
    }
    known?.set(index, call.id)
  }
  return repaired
}

/** Repairs the tool calls of one stream, chunk by chunk. */
export function createToolCallRepair() {
  const byChoice = new Map<number, KnownCalls>()
  return {
    /** Changes the chunks in place; returns whether anything was repaired. */
    repair(chunks: readonly ChatChunk[]): boolean {
      let repaired = false
      for (const { index, delta } of chunks.flatMap(chunk => chunk.choices ?? [])) {
        if (!delta?.tool_calls) continue
        const known = byChoice.get(index) ?? new Map<number, string>()
        byChoice.set(index, known)
        repaired = repairToolCalls(delta.tool_calls, known) || repaired
      }
      return repaired
    },
    /** Whether the stream has had a tool call. */
    get found() {
      return byChoice.size > 0
    },
  }
}

const idLetters = 9

/**
 * An id that no other call has, of any conversation: what is kept by it must never be found by another. Nine letters and
 * digits: Mistral's servers refuse anything else in a history.
 */
export function newToolCallId(): string {
  return randomBytes(8).readBigUInt64BE().toString(36).padStart(idLetters, '0').slice(-idLetters)
}

/** Some servers send no index, and some the same one for every call: a name with a new id starts a new call. */
function indexOf({ index, id, function: called }: Partial<ToolCallDelta>, known: KnownCalls): number {
  const sameId = [...known].find(([, knownId]) => knownId === id)
  if (sameId !== undefined) return sameId[0]
  if (index !== undefined && (!known.has(index) || !id)) return index
  return called?.name === undefined ? Math.max(0, known.size - 1) : known.size
}
