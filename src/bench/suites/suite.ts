import type { Sandbox } from '../sandbox/sandbox.ts'

export type Difficulty = 'easy' | 'medium' | 'hard'

/** A chat message in OpenAI's shape, as far as tasks need it. */
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

/** A task's request to a model: the relevant part of an OpenAI chat request. */
export interface Ask {
  messages: Message[]
  tools?: unknown[]
  tool_choice?: unknown
  response_format?: unknown
}

/** A model's answer: the assistant message, as far as checks need it. */
export interface TaskReply {
  content: string | null
  tool_calls?: readonly SuiteToolCall[]
}

export interface TaskVerdict {
  passed: boolean
  /** The reason for a failure, for display. */
  reason?: string
}

/** What a task may know about the model in advance. */
export interface PromptBudget {
  /** Prompt tokens that fit beside the answer; an unknown context window counts as 8,192. */
  promptTokens: number
}

/** One question whose answer a program can check. */
export interface Task {
  /** `<suite>/<name>`, permanent: results refer to it. */
  id: string
  difficulty: Difficulty
  ask: (budget: PromptBudget) => Ask
  /** Minimum prompt tokens for the task; 0 by default. */
  needsTokens?: number
  check: (reply: TaskReply, sandbox: Sandbox, signal?: AbortSignal) => TaskVerdict | Promise<TaskVerdict>
  /** A passing answer, and a plausible failing one: the self-check runs both. */
  reference: TaskReply
  wrong: TaskReply
}

/** The tasks of one category. */
export interface Suite {
  /** The category's name, used by results, evidence and the router. */
  name: string
  title: string
  /** Incremented whenever a task or its check changes what it accepts; results of other versions do not count. */
  version: number
  /** Token limit of the answer, including reasoning. */
  maxOutputTokens: number
  tasks: readonly Task[]
}

/** Passed, or failed for a reason: `verdict(problem)` with no problem is a pass. */
export function verdict(problem: string | undefined): TaskVerdict {
  return problem === undefined ? { passed: true } : { passed: false, reason: problem }
}

/** The request of a task with a single user message. */
export function prompt(text: string): () => Ask {
  return () => ({ messages: [{ role: 'user', content: text }] })
}

/** A reply of text only. */
export function text(content: string): TaskReply {
  return { content }
}
