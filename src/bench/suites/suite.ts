import type { Sandbox } from '../sandbox/sandbox.ts'

export type Difficulty = 'easy' | 'medium' | 'hard'

/** A chat message in OpenAI's shape, as far as tasks write them. */
export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool'
  content: string | null
  tool_calls?: SuiteToolCall[]
  tool_call_id?: string
}

export interface SuiteToolCall {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
}

/** What a task asks of a model: the part of an OpenAI chat request that matters to it. */
export interface Ask {
  messages: Message[]
  tools?: unknown[]
  tool_choice?: unknown
  response_format?: unknown
}

/** What a model answered: the assistant message, as far as a check looks. */
export interface TaskReply {
  content: string | null
  tool_calls?: readonly SuiteToolCall[]
}

export interface TaskVerdict {
  passed: boolean
  /** Why not, for people who look at the result. */
  reason?: string
}

/** What a task may know of the model before it asks. */
export interface Room {
  /** Tokens of prompt that fit beside the answer; unknown windows count as 8,192. */
  promptTokens: number
}

/** One question whose answer a machine can judge. */
export interface Task {
  /** `<suite>/<name>`, for ever: results refer to it. */
  id: string
  difficulty: Difficulty
  ask: (room: Room) => Ask
  /** Prompt tokens below which the task cannot be put; 0 unless told. */
  needsTokens?: number
  check: (reply: TaskReply, sandbox: Sandbox, signal?: AbortSignal) => TaskVerdict | Promise<TaskVerdict>
  /** An answer that passes, and a plausible one that does not: the self-check runs both. */
  reference: TaskReply
  wrong: TaskReply
}

/** The tasks of one category. */
export interface Suite {
  /** The category's name: what results, evidence and the router call it. */
  name: string
  title: string
  /** Raised whenever a task or its check changes what it accepts; results of other versions do not count. */
  version: number
  /** Room for the answer, in tokens, a reasoning model's thoughts included. */
  maxOutputTokens: number
  tasks: readonly Task[]
}

/** Passed, or failed for a reason: `verdict(problem)` with no problem is a pass. */
export function verdict(problem: string | undefined): TaskVerdict {
  return problem === undefined ? { passed: true } : { passed: false, reason: problem }
}

/** The ask of a task that is one user message. */
export function prompt(text: string): () => Ask {
  return () => ({ messages: [{ role: 'user', content: text }] })
}

/** A reply of text alone. */
export function text(content: string): TaskReply {
  return { content }
}
