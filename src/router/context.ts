import type { ModelAccess } from '../accounting/api-key.ts'
import { trustIn } from './beliefs.ts'
import type { Knowledge } from './knowledge.ts'
import type { Measured } from './measure.ts'
import { needsOf, type Need } from './needs.ts'
import type { RequestOptions } from './options.ts'

/** A kind of task and how likely a prompt is of it; the shares of a prompt's kinds sum to 1. */
export interface Kind {
  category: string
  share: number
}

/** The conversation a request belongs to, where it went on before. */
export interface Conversation {
  /** The model that served it last. */
  modelId: string
  /** Prompt tokens, as this model counts them, that its cache may still hold. */
  cachedTokens: number
}

/** What is asked for. */
export interface Asked {
  measured: Measured
  options: RequestOptions
  conversation?: Conversation | undefined
  /** Which models the caller's key may use; absent: all. */
  access?: ModelAccess | undefined
}

/** What is the same for all candidates of one decision, computed once. */
export interface DecisionContext extends Asked, Knowledge {
  /** What the request needs beyond text. */
  needs: readonly Need[]
  /** The likeliest first. */
  kinds: readonly Kind[]
  /** The likeliest kind; empty where there is none. */
  likeliest: string
  /** Ability of the models that the text's slope was learned on, log odds. */
  referenceAbility: number
  /** Output tokens usual for the likeliest kind. */
  typicalOutput: number | undefined
  /** The probability that priors tell models apart. */
  priorTrust: number
  /** Milliseconds since the epoch. */
  now: number
}

const maxKinds = 3

/** Computes what all candidates of a request share. */
export function contextOf(request: Asked, knowledge: Knowledge, now: number): DecisionContext {
  const kinds = likeliestKinds(request.measured)
  const likeliest = kinds[0]?.category ?? ''
  return {
    ...request,
    ...knowledge,
    needs: needsOf(request.measured),
    kinds,
    likeliest,
    referenceAbility: kinds.reduce((sum, { category, share }) => {
      return sum + share * (knowledge.kindFacts(category)?.ability ?? 0)
    }, 0),
    typicalOutput: knowledge.kindFacts(likeliest)?.outputTokens,
    priorTrust: trustIn(knowledge.evidence.priorTrust),
    now,
  }
}

function likeliestKinds({ categories }: Measured): Kind[] {
  const list = Object.entries(categories)
    .sort(([, a], [, b]) => b - a)
    .slice(0, maxKinds)
  const total = list.reduce((sum, [, share]) => sum + share, 0)
  return list.map(([category, share]) => ({ category, share: share / total }))
}
