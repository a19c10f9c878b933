import { createHash } from 'node:crypto'
import { currentResults, strategyIsBetter } from '../bench/evidence.ts'
import { settingsText, type BenchmarkResult, type ModelSettings } from '../bench/results.ts'
import type { PromptingStrategy } from '../ledger/agent-notes.ts'
import { seededRandom } from '../router/chance.ts'
import type { ChatRequest } from '../wire/chat/schema.ts'

/** Applies a model's prompting strategy to a request. A request with more than one user message stays as it is. */
export function addressed(request: ChatRequest, strategy: PromptingStrategy | undefined): ChatRequest {
  const [first, ...rest] = request.messages
  const task = first?.content
  if (strategy === undefined || rest.length > 0 || first?.role !== 'user' || typeof task !== 'string') return request
  const { system_prompt: system, user_prompt: around, assistant_prompt: begun, use_chat: chat } = strategy
  // A function, because `$` in a replacement string has a special meaning.
  const user = around.includes('{task}') ? around.replaceAll('{task}', () => task) : `${around}\n\n${task}`.trim()
  const messages = chat
    ? [...(system === '' ? [] : [{ role: 'system', content: system }]), { role: 'user', content: user }]
    : [{ role: 'user', content: `${system}\n\n${user}`.trim() }]
  if (begun !== undefined && begun !== '') messages.push({ role: 'assistant', content: begun })
  return { ...request, messages }
}

/** The key of a strategy's results: another wording is another strategy. */
export function settingsOf({
  system_prompt,
  user_prompt,
  use_chat,
  assistant_prompt = '',
}: PromptingStrategy): ModelSettings {
  const words = JSON.stringify([system_prompt, user_prompt, use_chat, assistant_prompt])
  return { strategy: `strategy ${createHash('sha256').update(words).digest('hex').slice(0, 8)}` }
}

/** Decides whether benchmarks found a strategy better than the default for a model, on its current weights. */
export type BetterStrategies = (provider: string, model: string, strategy: PromptingStrategy) => boolean

export function betterStrategies(results: readonly BenchmarkResult[]): BetterStrategies {
  const key = (provider: string, model: string, settings: string) => JSON.stringify([provider, model, settings])
  const ways = Map.groupBy(currentResults(results), ({ provider, model, settings }) => key(provider, model, settings))
  const better = new Set<string>()
  for (const [way, variant] of ways) {
    const { provider, model } = variant[0]!
    const standard = ways.get(key(provider, model, settingsText()))
    if (standard === undefined || standard === variant) continue
    // Deterministic: the same results give the same answer.
    if (strategyIsBetter(variant, standard, seededRandom(1))) better.add(way)
  }
  return (provider, model, strategy) => better.has(key(provider, model, settingsText(settingsOf(strategy))))
}
