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
import type { RunningJob, TaskHandler } from './tasks.ts'

/** A piece of work for one model, as `route_task` is given it. */
export const TaskSpec = z.object({
  task: z.string().min(1),
  context_length: z.int().min(0),
  expected_output_length: z.int().min(0).optional(),
  complexity: z.number().min(0).max(1).optional(),
  priority: z.enum(['cost', 'quality', 'speed']).optional(),
  /** Checks that the answer must pass. */
  validate: z.array(z.string()).optional(),
  /** The models that were chosen at once, best first; otherwise the choice is made when its turn comes. */
  models: z.array(z.string()).optional(),
})
export type TaskSpec = z.output<typeof TaskSpec>

/** How an answer was checked, and who was asked until one passed. */
const Validation = z.object({
  passed: z.boolean(),
  checks: z.array(z.string()),
  why: z.string().nullable().describe('Why the answer is handed over that did not pass.'),
  escalations: z.int().describe('How many answers were thrown away for a better model’s.'),
  answers: z.array(
    z.object({
      model: z.string(),
      verdicts: z.array(
        z.object({
          check: z.string(),
          accepted: z.boolean().nullable().describe('Null where it has nothing to say.'),
          why: z.string().nullable(),
          binding: z.boolean().describe('False for a judge that is not yet known to be right often enough.'),
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
  /** Finds the request in the books. */
  request_id: z.string(),
  validation: Validation.optional(),
})
export type TaskOutcome = z.output<typeof TaskOutcome>

/** From this complexity on, a task that says nothing of its priority is worth a better model. */
const demanding = 0.7
const maxModels = 8
/** How often a listener hears of progress. */
const progressEveryMs = 250

/** The chat request that a task amounts to. */
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

/** The decision that such a task would meet now; throws the reason when nobody can do it. */
export function decisionFor(gateway: Gateway, spec: TaskSpec, signal: AbortSignal): Promise<Decision> {
  return gateway.route(requestFor(spec), signal, queryOf(spec))
}

function queryOf({ context_length, validate }: TaskSpec): RouteQuery {
  return { contextTokens: context_length, ...(validate === undefined ? {} : { options: { verify: validate } }) }
}

/** The spec with the decision's models written into it, for a task that is to be bound to them. */
export function boundTo(decision: Decision, spec: TaskSpec): TaskSpec {
  return { ...spec, models: decision.ranked.slice(0, maxModels).map(({ id }) => id) }
}

export interface ModelTaskParts {
  gateway: Gateway
  /** How a model wants to be addressed, where somebody has said so and benchmarks agree. */
  strategyOf: (model: string) => PromptingStrategy | undefined
  now: () => number
  newRequestId: () => string
}

/** Puts a task to the model that the gateway chooses and keeps the text of its answer. */
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
  let toldAt = -Infinity
  for await (const { chunks } of parts) {
    for (const chunk of chunks) fold.add(chunk)
    produced += chunks.length
    if (now() - toldAt < progressEveryMs) continue
    toldAt = now()
    const expected = spec.expected_output_length
    job.progressed({
      // An estimate may be passed; the work is done only when it is done.
      ...(expected !== undefined && expected > 0 && { share: Math.min(0.99, produced / expected) }),
      message: `${produced} tokens written`,
    })
  }
  return fold.completion()
}

function answerOf(completion: ChatCompletion): { text: string; finishReason: string } {
  const [choice] = completion.choices
  const content = choice?.message.content
  if (typeof content !== 'string' || content === '') {
    throw new GatewayError('upstream_error', 'The model answered without any text.')
  }
  return { text: content, finishReason: choice?.finish_reason ?? 'stop' }
}
