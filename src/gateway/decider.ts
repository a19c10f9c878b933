import { LRUCache } from 'lru-cache'
import type { ModelAccess } from '../accounting/api-key.ts'
import type { CoreValues } from '../config/core-settings.ts'
import { GatewayError, asGatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import type { Allowance } from '../router/allowance.ts'
import { decide, noModelError, promptTokensOf, type CandidatePool, type Decision } from '../router/decide.ts'
import type { Condition } from '../router/filter.ts'
import { promptTokensFor, type Knowledge } from '../router/knowledge.ts'
import { measure, type Measured, type PromptCount } from '../router/measure.ts'
import type { Conversation } from '../router/context.ts'
import { select } from '../router/select.ts'
import { sessionKey } from '../router/session.ts'
import { judgeOf, refuseUnknownChecks } from '../router/verify.ts'
import type { ChatRequest } from '../wire/chat/schema.ts'
import { spenderOf, type RouteQuery } from './call.ts'
import type { Inventory } from './inventory.ts'
import type { Job, PipelineEffects } from './job.ts'
import type { Learner } from './learner.ts'
import { askServers, doubtsIn } from './server-counts.ts'
import type { Slots } from './slots.ts'
import type { Spending } from './spending.ts'

/** Servers drop a prompt cache that was not used for this long. */
const conversationMs = 60 * 60_000
const maxConversations = 5_000

/** Asks the router for decisions on the current state: the servers, their load, and which model caches which conversation. */
export interface Decider {
  groupsOf: PipelineEffects['groupsOf']
  remember: PipelineEffects['remember']
  /** The decision by our own token count of the prompt, without calling any server. */
  preview: (request: ChatRequest, query?: RouteQuery) => Decision
  /** Like `preview`, but a server may count the prompt if it is close to a limit. */
  dryRun: (request: ChatRequest, signal: AbortSignal, query?: RouteQuery) => Promise<Decision>
  /** The size of the prompt by that decision: in the tokens of the model that would answer, or as the refusal states it. */
  countPrompt: (request: ChatRequest, signal: AbortSignal, query?: RouteQuery) => Promise<number>
  nonChat: PipelineEffects['decideNonChat']
  /** Calls `decideNow`; if no model can serve `asked`, refreshes the inventory and decides again before throwing the reason. */
  insist: (decideNow: Job<never>['decide'], asked: string, signal: AbortSignal) => Promise<Decision>
}

export type DeciderSettings = Pick<CoreValues, 'MODEL_ALIASES' | 'VERIFY_COMMANDS'>

export interface DeciderParts {
  inventory: Inventory
  /** Whether a model can be called now. */
  conditionOf: (model: Model) => Condition
  slotsOf: (provider: string) => Slots
  learner: Pick<Learner, 'answered'>
  /** Which models an API key may use, by its name; undefined: all. */
  accessOf: (keyId: string | undefined) => ModelAccess | undefined
  spending: Pick<Spending, 'allowanceFor'>
  /** The settings in force; read for every decision. */
  settings: () => DeciderSettings
  knowledge: () => Knowledge
  countTokens: (request: ChatRequest) => PromptCount
  /** Milliseconds since the epoch. */
  now: () => number
  /** A number in [0, 1) for each decision. */
  random: () => number
}

export function createDecider(parts: DeciderParts): Decider {
  const {
    inventory,
    conditionOf,
    slotsOf,
    learner,
    accessOf,
    spending,
    settings,
    knowledge,
    countTokens,
    now,
    random,
  } = parts
  // The model whose prompt cache holds a conversation, and the cached part.
  const conversations = new LRUCache<string, Conversation>({ max: maxConversations, ttl: conversationMs })

  const situation: Omit<CandidatePool, 'groups'> = {
    condition: conditionOf,
    load(model) {
      const slots = slotsOf(model.provider)
      return { busy: slots.busy(), waiting: slots.waiting(), slots: slots.limits().slots }
    },
  }

  const groupsOf = (names: readonly string[]) => select(names, inventory.models(), settings().MODEL_ALIASES)

  function decideChat(
    request: ChatRequest,
    { contextTokens = 0, options = {}, keyId }: RouteQuery,
    { allowance, serverCounts }: Pick<CandidatePool, 'allowance'> & Pick<Measured, 'serverCounts'> = {},
  ): Decision {
    const names = [...new Set([request.model, ...(request.models ?? [])])]
    const { tokens, exact, error } = countTokens(request)
    if (options.verify !== undefined) {
      refuseUnknownChecks(options.verify, Object.keys(settings().VERIFY_COMMANDS))
      groupsOf(options.verify.flatMap(check => judgeOf(check) ?? []))
    }
    const prompt = { tokens: Math.max(tokens, contextTokens), exact: exact && tokens >= contextTokens, error }
    const groups = groupsOf(names)
    const conversation = conversations.get(conversationKey(request, options.session, keyId) ?? '')
    const measured = {
      ...measure(request, prompt, knowledge().judge, options.tags),
      ...(serverCounts && { serverCounts }),
    }
    const asked = { measured, options, conversation, access: accessOf(keyId) }
    return decide(asked, { groups, ...situation, allowance }, knowledge(), now(), random())
  }

  /** Decides within the budgets: by what is known at once and, only where that rules out a candidate, by what is known exactly. */
  async function withinBudgets(
    query: RouteQuery,
    decideWith: (allowance: Allowance | undefined) => Decision,
  ): Promise<{ decision: Decision; allowance: Allowance | undefined }> {
    const spender = spenderOf(query)
    const models = () => inventory.models()
    const allowance = await spending.allowanceFor({ spender, models, fresh: false })
    const decision = decideWith(allowance)
    if (!decision.excluded.some(({ exclusion: { code } }) => code === 'over_budget' || code === 'budget_reserved')) {
      return { decision, allowance }
    }
    const exact = await spending.allowanceFor({ spender, models, fresh: true })
    return { decision: decideWith(exact), allowance: exact }
  }

  async function dryRun(request: ChatRequest, signal: AbortSignal, query: RouteQuery = {}): Promise<Decision> {
    const { decision, allowance } = await withinBudgets(query, left => decideChat(request, query, { allowance: left }))
    const doubts = doubtsIn(decision, inventory.providerOf, knowledge())
    if (doubts.length === 0) return decision
    return decideChat(request, query, { allowance, serverCounts: await askServers(doubts, request, signal) })
  }

  return {
    groupsOf,
    preview: (request, query = {}) => decideChat(request, query),
    dryRun,
    countPrompt: async (request, signal, query) => promptTokensOf(await dryRun(request, signal, query), knowledge()),
    async nonChat(groups, measured, query) {
      const { options = {}, keyId } = query
      const asked = { measured, options, access: accessOf(keyId) }
      const { decision } = await withinBudgets(query, allowance =>
        decide(asked, { groups, ...situation, allowance }, knowledge(), now(), random()),
      )
      return decision
    },
    async insist(decideNow, asked, signal) {
      const choose = async (): Promise<Decision | GatewayError> => {
        try {
          const decision = await decideNow(signal)
          return decision.ranked.length > 0 ? decision : noModelError(decision, now())
        } catch (error) {
          return asGatewayError(error)
        }
      }
      const first = await choose()
      if (!(first instanceof GatewayError)) return first
      if (first.code !== 'no_backend' && first.code !== 'model_not_found') throw first
      // A server may have come up a moment ago; look before rejecting the request.
      await inventory.refreshIfStale(signal)
      const second = await choose()
      if (second instanceof GatewayError) throw absentServer(asked, inventory) ?? second
      return second
    },
    remember({ request, session, keyId }, model, decision) {
      const key = conversationKey(request, session, keyId)
      if (key === undefined) return
      learner.answered(key, request, model, decision)
      const cachedTokens = promptTokensFor(model, decision.measured, knowledge())
      conversations.set(key, { modelId: model.id, cachedTokens })
    },
  }
}

/** Two API keys never share a conversation, whatever its name. Undefined if nothing identifies it. */
function conversationKey(
  request: ChatRequest,
  session: string | undefined,
  keyId: string | undefined,
): string | undefined {
  const key = sessionKey(request, session)
  return key === undefined || keyId === undefined ? undefined : JSON.stringify([keyId, key])
}

/** The error for a model of a server that is configured but was never reached: it names the server. */
function absentServer(asked: string, inventory: Inventory): GatewayError | undefined {
  const provider = inventory.providers().find(({ name }) => asked.startsWith(`${name}/`))
  const health = provider?.health()
  if (health?.state !== 'down') return undefined
  return new GatewayError('no_backend', `'${asked}' cannot be served: ${health.reason ?? 'its server is down'}.`)
}
