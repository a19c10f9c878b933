import type { z } from 'zod'

/**
 * What an operation does to the world; authentication, confirmation, retries and MCP annotations are keyed on it.
 * `read` changes nothing. `write` sets a state here, so that saying it twice is the same as saying it once. `destroy` removes
 * what cannot be had back. `spend` uses up model time or money, and twice costs twice.
 */
export type Effect = 'read' | 'write' | 'destroy' | 'spend'

/** Who asks. */
export interface Principal {
  name: string
  /** May call `read` operations only. */
  readOnly?: boolean
}

/** How far a long call has come. */
export interface Progress {
  /** Grows from call to call; a share of `total` where that is known. */
  progress: number
  total?: number
  message?: string
}

/** What an operation is given beside its input. */
export interface OperationCall {
  /** Aborts when the caller goes away or cancels. */
  signal: AbortSignal
  progress: (progress: Progress) => void
  principal: Principal
}

/** One verb for people and agents. REST route, MCP tool, in-process client and HTTP client are all read off it. */
export interface Operation<Context> {
  name: string
  /** One or two sentences, written for a model that must decide whether to call it. */
  summary: string
  effect: Effect
  /** A path of its own beside `POST /admin/<name>`; `:names` in it and the query's keys are input fields. */
  http?: { method: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string }
  /** Asks or changes something beyond this machine. */
  openWorld?: boolean
  /** Without this backend the operation cannot work, so no agent is shown it. */
  needs?: string
  /** Belongs to the few tools that an agent needs every day (`SIGNALBOX_TOOLS=core`). */
  core?: boolean
  /** Parsing its own result again must give the same, because each face parses. */
  input: z.ZodObject
  /** Holds only what JSON can say. */
  output: z.ZodObject
  run(context: Context, input: Record<string, unknown>, call: OperationCall): unknown
}

interface Definition<Context, Name extends string, Input extends z.ZodObject, Output extends z.ZodObject> extends Omit<
  Operation<Context>,
  'name' | 'input' | 'output' | 'run'
> {
  name: Name
  input: Input
  output: Output
  run(context: Context, input: z.output<Input>, call: OperationCall): z.input<Output> | Promise<z.input<Output>>
}

/**
 * Checks a definition's types. Of those only the name and the output are kept, which type the clients; the rest is forgotten,
 * so that operations of all shapes fit in one list.
 */
export function operation<Context, const Name extends string, Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: Definition<Context, Name, Input, Output>,
): Operation<Context> & { name: Name; output: Output } {
  return definition
}
