import { freePrice } from '../../../src/accounting/pricing.ts'
import type { Model } from '../../../src/providers/provider.ts'
import { seededRandom } from '../../../src/router/chance.ts'
import { decide, type CandidatePool } from '../../../src/router/decide.ts'
import { emptyEvidence, learnOutcome, learnSpeed } from '../../../src/router/evidence.ts'
import { createKnowledge } from '../../../src/router/knowledge.ts'
import { measure } from '../../../src/router/measure.ts'
import { defaultPolicy } from '../../../src/router/policy.ts'
import { presets } from '../../../src/router/select.ts'
import { loadWeights } from '../../../src/router/weights.ts'
import { createTokenRatios } from '../../../src/tokens/ratio.ts'
import { ChatRequest } from '../../../src/wire/chat/schema.ts'

const candidateCount = 500
const promptBytes = 32 * 1024
/** More than the router keeps judgements of texts, so that every prompt is read. */
const promptCount = 512
const warmUps = 500
const rounds = 3000

/** Milliseconds of measuring and deciding one request. */
export interface DecisionTime {
  p50: number
  p99: number
  /** Processor time of all threads, on average: what other programs on the machine do not disturb. */
  cpu: number
  loadMs: number
}

/**
 * 500 candidates, a 32 kB prompt that was not seen lately, evidence on every model; between two decisions something is learned of the
 * model that was chosen, as behind a server.
 */
export function decisionTime(): DecisionTime {
  const beforeLoad = performance.now()
  const { weights } = loadWeights()
  const loadMs = performance.now() - beforeLoad
  const random = seededRandom(1)
  const models = Array.from({ length: candidateCount }, (_, index) => sampleModel(index, random))
  const evidence = emptyEvidence()
  const ratios = createTokenRatios()
  const knowledge = createKnowledge(weights, evidence, defaultPolicy, model => ratios.ratioOf(model.id))
  for (const model of models) {
    const { key, prior } = knowledge.abilityOf(model)
    for (const category of ['chat', 'math', 'bug_fixing', 'knowledge', 'programming']) {
      learnOutcome(
        evidence,
        { model: key, categories: { [category]: 1 }, signal: 'feedback', score: random(), prior },
        0,
      )
    }
    learnSpeed(evidence, model.id, timing, 0)
  }
  const candidates: CandidatePool = {
    groups: [{ asked: 'auto', models, preset: presets['auto']! }],
    condition: () => ({ state: 'ready' }),
    load: () => ({ busy: 1, waiting: 0, slots: 4 }),
  }
  const requests = Array.from({ length: promptCount }, () =>
    ChatRequest.parse({ messages: [{ role: 'user', content: samplePrompt(random) }] }),
  )
  const times: number[] = []
  let cpuBefore = process.cpuUsage()
  for (let round = 0; round < warmUps + rounds; round++) {
    if (round === warmUps) cpuBefore = process.cpuUsage()
    const request = requests[round % promptCount]!
    const start = performance.now()
    const measured = measure(request, { tokens: 8000, exact: true, error: 0 }, knowledge.judge)
    const { ranked } = decide({ measured, options: {} }, candidates, knowledge, round, random())
    if (round >= warmUps) times.push(performance.now() - start)
    const { key, prior } = knowledge.abilityOf(ranked[0]!)
    learnSpeed(evidence, ranked[0]!.id, timing, round)
    learnOutcome(
      evidence,
      { model: key, categories: measured.categories, signal: 'verified', score: random(), prior },
      round,
    )
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  times.sort((a, b) => a - b)
  return {
    p50: times[Math.floor(rounds / 2)]!,
    p99: times[Math.floor(rounds * 0.99)]!,
    cpu: (user + system) / 1000 / rounds,
    loadMs,
  }
}

const timing = {
  promptTokens: 900,
  cachedTokens: 0,
  outputTokens: 200,
  firstTokenMs: 400,
  streamMs: 3000,
  cold: false,
}

function sampleModel(index: number, random: () => number): Model {
  const local = index % 10 === 0
  const size = [1, 3, 8, 14, 32, 70][Math.floor(random() * 6)]!
  const name = `family-${index}-${size}b`
  return {
    id: `${local ? 'ollama' : 'openrouter'}/${name}`,
    provider: local ? 'ollama' : 'openrouter',
    name,
    tier: local ? 'local' : 'remote',
    price: local ? freePrice : { input: random(), output: 3 * random() },
    free: local || index % 10 === 1,
    contextTokens: 128_000,
    loaded: local ? random() < 0.5 : undefined,
    capabilities: { tools: true, json: true },
    parametersB: size,
  }
}

const words =
  'please explain why this function returns null when the request is empty const let if ( ) { } = 42 error'.split(' ')

function samplePrompt(random: () => number): string {
  const parts: string[] = []
  for (let length = 0; length < promptBytes;) {
    const word = random() < 0.7 ? words[Math.floor(random() * words.length)]! : random().toString(36).slice(2, 9)
    parts.push(word)
    length += word.length + 1
  }
  return parts.join(' ')
}
