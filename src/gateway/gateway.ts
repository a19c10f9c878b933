import { LRUCache } from 'lru-cache'
import { GatewayError, asGatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Model } from '../providers/provider.ts'
import type { Alias } from '../router/aliases.ts'
import { decide, reasonFor, refusal, type CandidatePool, type Decision } from '../router/decide.ts'
import { promptTokensFor, type Knowledge } from '../router/knowledge.ts'
import type { Verification } from '../router/cascade.ts'
import { measure, type Measured, type PromptCount } from '../router/measure.ts'
import type { Conversation } from '../router/price.ts'
import { select, type Group } from '../router/select.ts'
import { sessionKey } from '../router/session.ts'
import { judgeOf, refuseUnknownChecks } from '../router/verify.ts'
import type { NonChatEndpoint, NonChatType, NonChatReply, NonChatRequests } from '../wire/non-chat.ts'
import type { ChatCompletion, ChatRequest } from '../wire/chat/schema.ts'
import { createCascades, type Cascade } from './cascade-run.ts'
import { attempt, type AttemptTimeouts, type Primed } from './attempt.ts'
import {
  openRequestRecorder,
  type RequestRecorder,
  type Answered,
  type AttemptRecorder,
  type Call,
  type RouteQuery,
  type Timings,
} from './request-record.ts'
import type { Breakers } from './breakers.ts'
import { chatJob } from './chat-job.ts'
import { nonChatJob } from './non-chat-job.ts'
import type { Inventory } from './inventory.ts'
import type { Job } from './job.ts'
import { createReasoningCache } from './reasoning-cache.ts'
import type { Learner } from './learner.ts'
import { askServers, doubtsIn } from './server-counts.ts'
import type { Slots } from './slots.ts'
import { testSlots, type TestCommands } from './test-command.ts'

/** More candidates than this are not tried for one request: by then its caller has waited long enough to hear the reasons. */
const maxAttempts = 5
/** Servers drop a prompt cache that is not used for so long. */
const conversationMs = 60 * 60_000
const maxConversations = 5_000

/** How an answer came about, for the headers and for the curious. */
export interface Served {
  model: Model
  /** One short phrase: why this model. */
  reason: string
  attempts: number
  /** What the prompt is expected to take in the model's own tokens. */
  promptTokens: number
  timings: Timings
  /** What was changed in the request for this model. */
  notes: readonly string[]
  /** What checking came to, where the answer was checked. */
  verification?: Verification
}

export interface Answer<Body = ChatCompletion> {
  served: Served
  reply: Primed<Body>
}

export interface Gateway {
  /**
   * The one road of every model request: decide → call → fall back → record. Throws `GatewayError`; whatever happens, the
   * ledger gets one row for the request and one for each attempt. A streamed reply must be read to its end or left with
   * `return()`; hanging up by `call.signal` does as well.
   */
  chat(call: Call, request: ChatRequest): Promise<Answer>
  /** The same road for what is no chat. */
  run<Name extends NonChatType>(
    call: Call,
    nonChat: NonChatEndpoint<Name>,
    request: NonChatRequests[Name],
  ): Promise<Answer<NonChatReply>>
  /** The decision by our own count of the prompt, without asking anybody. */
  preview(request: ChatRequest, query?: RouteQuery): Decision
  /** The decision that `chat` would take now, calling no model; where the prompt comes near a limit a server may be asked to count. */
  dryRun(request: ChatRequest, signal: AbortSignal, query?: RouteQuery): Promise<Decision>
  /** Like `preview`, but asks the servers again before it throws the reason why nobody can serve the request. */
  route(request: ChatRequest, signal: AbortSignal, query?: RouteQuery): Promise<Decision>
  /** Requests under way. */
  active(): number
  /** Refuses new requests, gives those under way `graceMs` to end, then aborts them. */
  close(graceMs: number): Promise<void>
}

export interface GatewayParts {
  inventory: Inventory
  breakers: Breakers
  ledger: Ledger
  slotsOf: (provider: string) => Slots
  timeouts: AttemptTimeouts
  knowledge: Knowledge
  learner: Learner
  aliases: readonly Alias[]
  countTokens: (request: ChatRequest) => PromptCount
  countText: (text: string) => PromptCount
  /** VERIFY_COMMANDS and the time they have. */
  testCommands: TestCommands
  testTimeoutMs: number
  /** Milliseconds since the epoch. */
  now: () => number
  /** A number in [0, 1) for each decision. */
  random: () => number
}

export function createGateway(parts: GatewayParts): Gateway {
  const { inventory, breakers, ledger, slotsOf, timeouts, knowledge, learner, countTokens, countText, now, random } =
    parts
  const underWay = new Map<Promise<void>, AbortController>()
  // The model whose prompt cache holds a conversation, and how much of it.
  const conversations = new LRUCache<string, Conversation>({ max: maxConversations, ttl: conversationMs })
  let closed = false

  const providerOf = (model: Model) => inventory.providerOf(model)
  const around: Omit<CandidatePool, 'groups'> = {
    condition(model) {
      const server = inventory.condition(model)
      return server.state === 'ready' ? breakers.condition(model) : server
    },
    load(model) {
      const slots = slotsOf(model.provider)
      return { busy: slots.busy(), waiting: slots.waiting(), slots: slots.limits().slots }
    },
  }

  /** Throws for names that mean nobody. */
  const groupsOf = (names: readonly string[]) => select(names, inventory.models(), parts.aliases)

  async function dryRun(request: ChatRequest, signal: AbortSignal, query?: RouteQuery): Promise<Decision> {
    const decision = preview(request, query)
    const doubts = doubtsIn(decision, providerOf, knowledge)
    return doubts.length === 0 ? decision : preview(request, query, await askServers(doubts, request, signal))
  }

  function preview(
    request: ChatRequest,
    { contextTokens = 0, options = {} }: RouteQuery = {},
    serverCounts?: Measured['serverCounts'],
  ): Decision {
    const names = [...new Set([request.model, ...(request.models ?? [])])]
    const { tokens, exact, error } = countTokens(request)
    if (options.verify !== undefined) {
      refuseUnknownChecks(options.verify, Object.keys(parts.testCommands))
      groupsOf(options.verify.flatMap(check => judgeOf(check) ?? []))
    }
    const prompt = { tokens: Math.max(tokens, contextTokens), exact: exact && tokens >= contextTokens, error }
    const groups = groupsOf(names)
    const conversation = conversations.get(sessionKey(request, options.session) ?? '')
    const measured = {
      ...measure(request, prompt, knowledge.judge, options.tags),
      ...(serverCounts && { serverCounts }),
    }
    return decide({ measured, options, conversation }, { groups, ...around }, knowledge, now(), random())
  }

  /** A server that came up a moment ago deserves to be asked before a caller is turned away. */
  async function settleOn(decideNow: Job<never>['decide'], asked: string, signal: AbortSignal): Promise<Decision> {
    const choose = async (): Promise<Decision | GatewayError> => {
      try {
        const decision = await decideNow(signal)
        return decision.ranked.length > 0 ? decision : refusal(decision, now())
      } catch (error) {
        return asGatewayError(error)
      }
    }
    const first = await choose()
    if (!(first instanceof GatewayError)) return first
    if (first.code !== 'no_backend' && first.code !== 'model_not_found') throw first
    await inventory.refreshIfStale(signal)
    const second = await choose()
    if (second instanceof GatewayError) throw absentServer(asked, inventory) ?? second
    return second
  }

  async function perform<Body extends Answered>(call: Call, job: Job<Body>): Promise<Answer<Body>> {
    if (closed) throw shuttingDown()
    const controller = linkedController(call.signal)
    const { signal } = controller
    const recorder = openRequestRecorder({ call, request: job.asked, ledger, learner, now })
    const done = recorder.settled.finally(() => underWay.delete(done))
    underWay.set(done, controller)
    try {
      const startedAt = now()
      const decision = await settleOn(job.decide, job.asked.model, signal)
      recorder.decided(decision, now() - startedAt)
      return await callInOrder(decision, job, signal, recorder)
    } catch (error) {
      const failure = asGatewayError(error)
      recorder.failed(failure)
      throw failure
    }
  }

  async function callInOrder<Body extends Answered>(
    decision: Decision,
    job: Job<Body>,
    signal: AbortSignal,
    recorder: RequestRecorder,
  ): Promise<Answer<Body>> {
    const cascade = job.cascade?.(decision, recorder)
    let line = [...decision.ranked]
    const errors: { model: Model; error: GatewayError }[] = []
    const again = new Set<Model>()
    for (let model = line.shift(); model !== undefined && errors.length < maxAttempts; model = line.shift()) {
      if (!breakers.tryEnter(model)) continue
      try {
        return await callOne(model, decision, job, signal, recorder, cascade)
      } catch (thrown) {
        const error = asGatewayError(thrown)
        errors.push({ model, error })
        if (!error.failure.fallback) throw error
        if (error.failure.retry && !again.has(model)) {
          again.add(model)
          line.unshift(model)
        }
        if (cascade !== undefined) line = cascade.left(line)
      }
    }
    const unproven = cascade?.giveUp()
    if (unproven !== undefined) return unproven
    throw allFailed(errors)
  }

  function remember(request: ChatRequest, session: string | undefined, model: Model, decision: Decision): void {
    const key = sessionKey(request, session)
    if (key === undefined) return
    learner.answered(key, request, model, decision)
    conversations.set(key, { modelId: model.id, cachedTokens: promptTokensFor(model, decision.measured, knowledge) })
  }

  async function callOne<Body extends Answered>(
    model: Model,
    decision: Decision,
    job: Job<Body>,
    signal: AbortSignal,
    recorder: RequestRecorder,
    cascade: Cascade<Body> | undefined,
  ): Promise<Answer<Body>> {
    const entry = recorder.attemptStarted(model)
    let release: (() => void) | undefined
    try {
      release = await slotsOf(model.provider).acquire(signal)
      entry.slotGranted()
      // Asked for only now: while it waited in line, its provider may have got another key or be gone.
      const provider = inventory.providerOf(model)
      const promptTokens = promptTokensFor(model, decision.measured, knowledge)
      const { call, notes } = job.prepare({ model, provider, promptTokens })
      const reply = await attempt({
        model,
        ask: call,
        streaming: job.asked.stream === true,
        timeouts: { ...timeouts, firstTokenMs: provider.firstTokenTimeoutMs ?? timeouts.firstTokenMs },
        signal,
      })
      breakers.succeeded(model)
      const served: Served = {
        model,
        reason: reasonFor(decision, model),
        attempts: recorder.attempts(),
        promptTokens,
        timings: entry.answered(),
        notes,
      }
      const finished = job.finish(reply, model)
      if (cascade !== undefined) return await cascade.check({ served, reply: finished, entry, release }, signal)
      job.served?.(model, decision)
      return { served, reply: finishing(finished, model, entry, signal, release) }
    } catch (thrown) {
      release?.()
      const error = asGatewayError(thrown)
      blame(model, error)
      entry.failed(error)
      throw error
    }
  }

  /** The reply, with its books closed and its slot given back when it ends, fails or is left. */
  function finishing<Body extends Answered>(
    reply: Primed<Body>,
    model: Model,
    entry: AttemptRecorder,
    signal: AbortSignal,
    release: () => void,
  ): Primed<Body> {
    if (reply.kind === 'complete') {
      release()
      entry.completed(reply.completion)
      entry.delivered()
      return reply
    }
    const parts = entry.watch(reply.parts, signal, error => {
      release()
      if (error !== undefined) blame(model, error)
    })
    return { kind: 'stream', parts }
  }

  function blame(model: Model, error: GatewayError): void {
    if (error.code === 'client_closed' || error.code === 'shutting_down') breakers.left(model)
    else breakers.failed(model, error)
    if (error.code === 'upstream_unavailable') inventory.suspect(model)
  }

  const reasoningCache = createReasoningCache()
  const decideNonChat = (groups: readonly Group[], measured: Measured): Decision =>
    decide({ measured, options: {} }, { groups, ...around }, knowledge, now(), random())

  const chat = (call: Call, request: ChatRequest): Promise<Answer> =>
    perform(call, chatJob(call, request, { decide: dryRun, reasoningCache, remember, cascadeFor }))
  const cascadeFor = createCascades({
    knowledge,
    learner,
    chat,
    now,
    tests: parts,
    testSlots: testSlots(() => parts.testTimeoutMs),
  })

  return {
    chat,
    run: (call, nonChat, request) =>
      perform(call, nonChatJob(nonChat, request, { groupsOf, providerOf, countText, decide: decideNonChat })),
    preview: (request, query) => preview(request, query),
    dryRun,
    route: (request, signal, query) => settleOn(() => dryRun(request, signal, query), request.model, signal),
    active: () => underWay.size,
    async close(graceMs) {
      closed = true
      let timer: NodeJS.Timeout | undefined
      const grace = new Promise<void>(resolve => {
        timer = setTimeout(resolve, graceMs)
      })
      await Promise.race([Promise.all(underWay.keys()), grace])
      clearTimeout(timer)
      for (const controller of underWay.values()) controller.abort(shuttingDown())
      await Promise.all(underWay.keys())
    },
  }
}

function shuttingDown(): GatewayError {
  return new GatewayError('shutting_down', 'Signalbox is shutting down; send the request again in a moment.')
}

/** Aborts with `signal`, or by itself. `AbortSignal.any` would do the same at many times the cost for each request. */
function linkedController(signal: AbortSignal): AbortController {
  const controller = new AbortController()
  if (signal.aborted) controller.abort(signal.reason)
  else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true })
  return controller
}

/** A caller who names a model of a server that is known by name but was never reached should hear about the server. */
function absentServer(asked: string, inventory: Inventory): GatewayError | undefined {
  const provider = inventory.providers.find(({ name }) => asked.startsWith(`${name}/`))
  const health = provider?.health()
  if (health?.state !== 'down') return undefined
  return new GatewayError('no_backend', `'${asked}' cannot be served: ${health.reason ?? 'its server is down'}.`)
}

/** One error for several failures: the common code where there is one, and every reason. */
function allFailed(errors: readonly { model: Model; error: GatewayError }[]): GatewayError {
  const [first] = errors
  if (first === undefined) {
    return new GatewayError(
      'no_backend',
      'Every model that could serve this is being tried by another request; try again.',
    )
  }
  if (errors.length === 1) return first.error
  const same = errors.every(({ error }) => error.code === first.error.code)
  const waits = errors.flatMap(({ error }) => error.retryAfterSeconds ?? [])
  const reasons = errors.map(({ model, error }) => `${model.id}: ${error.message}`).join(' | ')
  return new GatewayError(
    same ? first.error.code : 'upstream_error',
    `All ${errors.length} attempts failed. ${reasons}`,
    {
      cause: new AggregateError(errors.map(({ error }) => error)),
      ...(waits.length > 0 ? { retryAfterSeconds: Math.min(...waits) } : {}),
    },
  )
}
