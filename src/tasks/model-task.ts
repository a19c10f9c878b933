import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { RouteQuery } from '../gateway/call.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { PromptingStrategy } from '../ledger/agent-notes.ts'
import type { Verification } from '../router/cascade.ts'
import type { Decision } from '../router/decide.ts'
import { createCompletionFold } from '../wire/chat/chunks.ts'
import type { ChatCompletion, ChatRequest } from '../wire/chat/schema.ts'
import { addressed } from './prompting.ts'
import type { RunningJob, TaskHandler } from './task-handler.ts'

/** The input of `route_task`. */
export const TaskSpec = z.object({
  task: z.string().min(1),
  context_length: z.int().min(0),
  expected_output_length: z.int().min(0).optional(),
  complexity: z.number().min(0).max(1).optional(),
  priority: z.enum(['cost', 'quality', 'speed']).optional(),
  /** Checks that the answer must pass. */
  validate: z.array(z.string()).optional(),
  /** The models chosen at submission, best first; without them the choice is made when the task starts. */
  models: z.array(z.string()).optional(),
})
export type TaskSpec = z.output<typeof TaskSpec>

/** How an answer was checked, and which models were called until one passed. */
const Validation = z.object({
  passed: z.boolean(),
  checks: z.array(z.string()),
  why: z.string().nullable().describe('Why an answer that did not pass was returned.'),
  escalations: z.int().describe('Number of answers discarded in favor of a better model’s.'),
  answers: z.array(
    z.object({
      model: z.string(),
      verdicts: z.array(
        z.object({
          check: z.string(),
          accepted: z.boolean().nullable().describe('Null where the check does not apply.'),
          why: z.string().nullable(),
          binding: z.boolean().describe('False for a judge whose accuracy is not yet proven.'),
        }),
      ),
    }),
  ),
})
type Validation = z.output<typeof Validation>

export const TaskOutcome = z.object({
  text: z.string(),
  finish_reason: z.string(),
  provider: z.string(),
  model: z.string(),
  reason: z.string(),
  attempts: z.int(),
  /** Finds the request in the ledger. */
  request_id: z.string(),
  validation: Validation.optional(),
})
export type TaskOutcome = z.output<typeof TaskOutcome>

/** From this complexity on, a task without a priority is worth a better model. */
const demanding = 0.7
const maxModels = 8
/** Milliseconds between two progress reports. */
const progressEveryMs = 250

/** Converts a task to a chat request. */
export function requestFor({ task, expected_output_length, complexity, priority, models }: TaskSpec): ChatRequest {
  const wanted = priority ?? ((complexity ?? 0) >= demanding ? 'quality' : 'cost')
  const [first = `auto:${wanted}`, ...rest] = models ?? []
  return {
    model: first,
    ...(rest.length > 0 && { models: rest }),
    messages: [{ role: 'user', content: task }],
    stream: true,
    ...(expected_output_length !== undefined && expected_output_length > 0 && { max_tokens: expected_output_length }),
  }
}

/** The current decision for such a task of this key; throws the reason when no model can run it. */
export function decisionFor(gateway: Gateway, spec: TaskSpec, keyId: string, signal: AbortSignal): Promise<Decision> {
  return gateway.route(requestFor(spec), signal, { ...queryOf(spec), keyId })
}

function queryOf({ context_length, validate }: TaskSpec): RouteQuery {
  return { contextTokens: context_length, ...(validate === undefined ? {} : { options: { verify: validate } }) }
}

/** The spec with the decision's models written into it, for a task that is bound to them. */
export function boundTo(decision: Decision, spec: TaskSpec): TaskSpec {
  return { ...spec, models: decision.ranked.slice(0, maxModels).map(({ id }) => id) }
}

export interface ModelTaskParts {
  gateway: Gateway
  /** The model's prompting strategy, where one is set and benchmarks confirm it. */
  strategyOf: (model: string) => PromptingStrategy | undefined
  now: () => number
  newRequestId: () => string
}

/** Runs a task on the model that the gateway chooses and stores the text of its answer. */
export function modelTaskHandler({ gateway, strategyOf, now, newRequestId }: ModelTaskParts): TaskHandler {
  return {
    async run(input, job) {
      const spec = TaskSpec.parse(input)
      const requestId = newRequestId()
      const { served, reply } = await gateway.chat(
        {
          requestId,
          endpoint: 'task',
          keyId: job.askedBy,
          task: job.taskId,
          signal: job.signal,
          receivedAt: now(),
          ...queryOf(spec),
          shape: (model, request) => addressed(request, strategyOf(model.id)),
          onSlot: model => {
            job.started(model.provider, model.id)
          },
        },
        requestFor(spec),
      )
      const completion = reply.kind === 'complete' ? reply.completion : await collect(reply.parts, spec, job, now)
      const { text, finishReason } = answerOf(completion)
      return {
        text,
        finish_reason: finishReason,
        provider: served.model.provider,
        model: served.model.id,
        reason: served.reason,
        attempts: served.attempts,
        request_id: requestId,
        ...(served.verification === undefined ? {} : { validation: validationOf(served.verification) }),
      } satisfies TaskOutcome
    },
  }
}

function validationOf({ checks, passed, why, answers }: Verification): Validation {
  return {
    passed,
    checks: [...checks],
    why: why ?? null,
    escalations: answers.length - 1,
    answers: answers.map(({ model, verdicts }) => ({
      model,
      verdicts: verdicts.map(({ verifier, verdict, binding, problem }) => ({
        check: verifier,
        accepted: verdict?.accepted ?? null,
        why: (verdict?.accepted === false ? verdict.why : problem) ?? null,
        binding,
      })),
    })),
  }
}

async function collect(
  parts: AsyncIterable<{ chunks: readonly Parameters<ReturnType<typeof createCompletionFold>['add']>[0][] }>,
  spec: TaskSpec,
  job: RunningJob,
  now: () => number,
): Promise<ChatCompletion> {
  const fold = createCompletionFold()
  let produced = 0
  let reportedAt = -Infinity
  for await (const { chunks } of parts) {
    for (const chunk of chunks) fold.add(chunk)
    produced += chunks.length
    if (now() - reportedAt < progressEveryMs) continue
    reportedAt = now()
    const expected = spec.expected_output_length
    job.progressed({
      // The estimate may be exceeded; the share reaches 1 only at the end.
      ...(expected !== undefined && expected > 0 && { share: Math.min(0.99, produced / expected) }),
      message: `${produced} tokens generated`,
    })
  }
  return fold.completion()
}

function answerOf(completion: ChatCompletion): { text: string; finishReason: string } {
  const [choice] = completion.choices
  const content = choice?.message.content
  if (typeof content !== 'string' || content === '') {
    throw new GatewayError('upstream_error', 'The model returned no text.')
  }
  return { text: content, finishReason: choice?.finish_reason ?? 'stop' }
}
