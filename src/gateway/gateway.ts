import type { ModelAccess } from '../accounting/api-key.ts'
import type { CoreValues } from '../config/core-settings.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import type { Condition } from '../router/filter.ts'
import type { Knowledge } from '../router/knowledge.ts'
import type { PromptCount } from '../router/measure.ts'
import type { MediaEndpoint, MediaRequest } from '../wire/media.ts'
import type { NonChatEndpoint, NonChatType, NonChatReply, NonChatRequests } from '../wire/non-chat.ts'
import type { ChatRequest } from '../wire/chat/schema.ts'
import type { Answer } from './answer.ts'
import type { Breakers } from './breakers.ts'
import type { Call, RouteQuery } from './call.ts'
import { createCascades } from './cascade-run.ts'
import { chatJob } from './chat-job.ts'
import type { Corrections } from './corrections.ts'
import type { CredentialOf } from './credentials.ts'
import { createDecider, type DeciderSettings } from './decider.ts'
import { createFallback, type AttemptSettings } from './fallback.ts'
import type { Inventory } from './inventory.ts'
import type { PipelineEffects } from './job.ts'
import type { Learner } from './learner.ts'
import { mediaJob } from './media-job.ts'
import { nonChatJob } from './non-chat-job.ts'
import { createPipeline } from './pipeline.ts'
import { createReasoningCache } from './reasoning-cache.ts'
import type { ReferenceModel } from './reference-cost.ts'
import type { Slots } from './slots.ts'
import type { Spending } from './spending.ts'
import { testSlots } from './test-command.ts'
import type { StartTrace } from './trace.ts'

/** Every request for a model goes through here. */
export interface Gateway {
  /**
   * A chat through the pipeline: decide → call → fall back → record. Throws `GatewayError`; in any case the ledger gets one
   * row for the request and one for each attempt. A streamed reply must be read to its end, closed with `return()`, or
   * aborted through `call.signal`.
   */
  chat(call: Call, request: ChatRequest): Promise<Answer>
  /** The same pipeline for the other endpoint types. */
  run<Name extends NonChatType>(
    call: Call,
    nonChat: NonChatEndpoint<Name>,
    request: NonChatRequests[Name],
  ): Promise<Answer<NonChatReply>>
  /** The same pipeline for a request that is passed on as it is; the parts of its answer are opaque. */
  relay(call: Call, endpoint: MediaEndpoint, request: MediaRequest): Promise<Answer<NonChatReply>>
  /** The decision by our own token count of the prompt, without calling any server. */
  preview(request: ChatRequest, query?: RouteQuery): Decision
  /** The decision that `chat` would make now, calling no model; a server may count the prompt if it is close to a limit. */
  dryRun(request: ChatRequest, signal: AbortSignal, query?: RouteQuery): Promise<Decision>
  /** The size of the prompt by that decision: in the tokens of the model that would answer, or as the refusal states it. */
  countPrompt(request: ChatRequest, signal: AbortSignal, query?: RouteQuery): Promise<number>
  /** Like `dryRun`, but refreshes the inventory before it throws the reason why no model can serve the request. */
  route(request: ChatRequest, signal: AbortSignal, query?: RouteQuery): Promise<Decision>
  /** Requests in progress. */
  active(): number
  /** Resolves when the requests now in progress have ended and are recorded. */
  idle(): Promise<void>
  /** Refuses new requests, gives those in progress `graceMs` to finish, then aborts them. */
  close(graceMs: number): Promise<void>
}

export type GatewaySettings = AttemptSettings & DeciderSettings & Pick<CoreValues, 'VERIFY_COMMAND_TIMEOUT_MS'>

export interface GatewayParts {
  inventory: Inventory
  breakers: Breakers
  /** Whether a model can be asked now. */
  conditionOf: (model: Model) => Condition
  record: Ledger['record']
  /** Absent where nothing is traced. */
  startTrace?: StartTrace | undefined
  corrections: Corrections
  learner: Learner
  /** Which models an API key may use, by its name; undefined: all. */
  accessOf: (keyId: string | undefined) => ModelAccess | undefined
  spending: Spending
  credentialOf: CredentialOf
  slotsOf: (provider: string) => Slots
  /** The settings in force: read at each use, never stored. */
  settings: () => GatewaySettings
  /** The model that costs are compared with, if the operator names one whose price is known. */
  reference: () => ReferenceModel | undefined
  /** What decisions are based on, with the policy in force. */
  knowledge: () => Knowledge
  countTokens: (request: ChatRequest) => PromptCount
  countText: (text: string) => PromptCount
  /** Milliseconds since the epoch. */
  now: () => number
  /** A number in [0, 1) for each decision. */
  random: () => number
}

export function createGateway(parts: GatewayParts): Gateway {
  const { inventory, settings } = parts
  const decider = createDecider(parts)
  const pipeline = createPipeline({
    ...parts,
    insist: decider.insist,
    callCandidates: createFallback(parts),
    energy: () => parts.knowledge().policy,
  })

  const chat = (call: Call, request: ChatRequest): Promise<Answer> =>
    pipeline.run(call, chatJob(call, request, effects))

  const effects: PipelineEffects = {
    groupsOf: decider.groupsOf,
    providerOf: inventory.providerOf,
    countText: parts.countText,
    decideChat: decider.dryRun,
    decideNonChat: decider.nonChat,
    remember: decider.remember,
    startCascade: createCascades({ ...parts, chat, testSlots: testSlots(() => settings().VERIFY_COMMAND_TIMEOUT_MS) }),
    reasoningCache: createReasoningCache(),
  }

  return {
    chat,
    run: (call, nonChat, request) => pipeline.run(call, nonChatJob(call, nonChat, request, effects)),
    relay: (call, endpoint, request) => pipeline.run(call, mediaJob(call, endpoint, request, effects)),
    preview: decider.preview,
    dryRun: decider.dryRun,
    countPrompt: decider.countPrompt,
    route: (request, signal, query) =>
      decider.insist(() => decider.dryRun(request, signal, query), request.model, signal),
    active: pipeline.active,
    idle: pipeline.idle,
    close: pipeline.close,
  }
}
