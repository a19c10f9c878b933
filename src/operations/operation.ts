import type { z } from 'zod'
import type { Scope } from '../accounting/api-key.ts'

/**
 * An operation's effect; authentication, confirmation, retries and MCP annotations depend on it. `read` changes
 * nothing. `write` sets local state and is idempotent. `destroy` removes what cannot be restored. `spend` uses model
 * time or money, and calling it twice costs twice.
 */
export type Effect = 'read' | 'write' | 'destroy' | 'spend'

/**
 * Who may call an operation: `caller` is anybody with a key, who then reaches only what belongs to that key; `admin` is for
 * what changes Signalbox itself or spends on its account.
 */
export type Access = 'caller' | 'admin'

/** A page in which MCP clients with a display show results. */
export type CardName = 'decision' | 'task'

/** The caller. */
export interface Principal {
  /** The name of their API key; what they create belongs to it. */
  name: string
  /** May call `admin` operations and reach what belongs to other keys. */
  admin?: boolean
  /** May call only `read` operations. */
  readOnly?: boolean
  /** What an issued key may be used for; absent: for everything but administration. */
  scopes?: readonly Scope[]
}

/** Progress of a long call. */
export interface Progress {
  /** Increases from call to call; a share of `total` where that is known. */
  progress: number
  total?: number
  message?: string
}

/** What an operation is given besides its input. */
export interface OperationCall {
  /** Aborted on a disconnect or cancellation. */
  signal: AbortSignal
  progress: (progress: Progress) => void
  principal: Principal
  /** The caller's trace, in the form of a `traceparent` header. */
  traceParent?: string | undefined
}

/** One operation for users and agents. REST route, MCP tool, in-process client and HTTP client are all derived from it. */
export interface Operation<Context> {
  name: string
  /** One or two sentences, for a model that must decide whether to call it. */
  summary: string
  effect: Effect
  /** `caller` by default. */
  access?: Access
  /** A dedicated path in addition to `POST /admin/<name>`; `:names` in it and the query's keys are input fields. */
  http?: { method: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string }
  /** Reads or changes something beyond this machine. */
  openWorld?: boolean
  /** The operation needs this backend, and is listed as a tool only while it exists. */
  needs?: string
  /** One of the few tools that an agent needs every day (`SIGNALBOX_TOOLS=core`). */
  core?: boolean
  /** Returns at once with a task: clients of MCP that follow tasks are given it as one. */
  startsTask?: boolean
  /** The card that shows its result. */
  card?: CardName
  /** Parsing its own result again must give the same value, because every interface parses it. */
  input: z.ZodObject
  /** Contains only JSON values. */
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
