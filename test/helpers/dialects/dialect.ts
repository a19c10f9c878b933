import type { Answer, ScriptedError, ScriptedModel } from '../upstream-script.ts'

/** How one kind of server lists its models and writes its answers. */
export interface Dialect {
  chatPath: string
  /** Answers everything that is not a chat; undefined is a 404. */
  describe(path: string, body: unknown, models: readonly ScriptedModel[]): unknown
  complete(model: string, answer: Answer): unknown
  /** Whole events as text, without the network's cuts. */
  stream(model: string, answer: Answer): { opening: string[]; pieces: string[][]; closing: string[] }
  streamType: string
  errorBody(error: ScriptedError): unknown
  /** One event that tells an error after status 200. */
  streamError(error: ScriptedError, answer: Answer): string
}
