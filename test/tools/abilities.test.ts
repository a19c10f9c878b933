import { readFileSync } from 'node:fs'
import t from 'tap'
import { shippedAbilitiesFile } from '../../src/router/ability-table.ts'
import { createPublicAbilities } from '../../src/router/public-ability.ts'
import { readCsv, writeCsv } from '../../tools/abilities/csv.ts'
import { entriesOf } from '../../tools/abilities/entries.ts'
import { mergeFacts, readFacts } from '../../tools/abilities/facts.ts'
import { makeTable } from '../../tools/abilities/table.ts'
import { spearman } from '../helpers/spearman.ts'

const facts = readFacts()

t.test('every fact refers to a known benchmark and source', async t => {
  for (const { benchmark, score } of facts.scores) {
    const described = facts.benchmarks[benchmark]
    if (described === undefined || facts.sources[described.source] === undefined) t.fail(benchmark)
    else if (described.unit === 'share' && !(score >= 0 && score <= 1)) t.fail(`${benchmark} ${score}`)
  }
  for (const { name, url, license, date } of Object.values(facts.sources)) {
    t.ok(url.startsWith('https://') && license !== '' && /^\d{4}-\d\d-\d\d$/.test(date), name)
  }
  t.ok(facts.models.every(({ source }) => facts.sources[source] !== undefined))
})

t.test('the shipped table is reproducible from the committed facts', async t => {
  t.same(JSON.parse(readFileSync(shippedAbilitiesFile, 'utf8')), JSON.parse(JSON.stringify(makeTable(facts))))
})

/** Old and new, small and large, local and remote. */
const wellKnown =
  'gpt-3.5-turbo-0125 gpt-3.5-turbo-1106 gpt-4-0314 gpt-4-0613 gpt-4-1106-preview gpt-4-turbo-2024-04-09 gpt-4o-2024-05-13 gpt-4o-2024-08-06 gpt-4o-mini-2024-07-18 gpt-4.1-2025-04-14 gpt-4.1-mini-2025-04-14 gpt-4.1-nano-2025-04-14 gpt-5-mini-high gpt-oss-120b gpt-oss-20b o1-2024-12-17 o3-2025-04-16 o3-mini o4-mini-2025-04-16 claude-3-haiku-20240307 claude-3-sonnet-20240229 claude-3-opus-20240229 claude-3-5-haiku-20241022 claude-3-5-sonnet-20241022 claude-3-7-sonnet-20250219 claude-sonnet-4-20250514 claude-opus-4-1-20250805 claude-sonnet-4-5-20250929 claude-opus-4-5-20251101 gemini-1.5-flash-002 gemini-1.5-pro-002 gemini-2.0-flash-001 gemini-2.5-flash gemini-2.5-pro gemini-3-pro llama-2-7b-chat llama-2-70b-chat llama-3-8b-instruct llama-3-70b-instruct llama-3.1-8b-instruct llama-3.1-70b-instruct llama-3.1-405b-instruct-bf16 llama-3.2-1b-instruct llama-3.2-3b-instruct llama-3.3-70b-instruct llama-4-maverick-17b-128e-instruct mistral-7b-instruct-v0.2 mixtral-8x7b-instruct-v0.1 mixtral-8x22b-instruct-v0.1 mistral-large-2407 mistral-small-24b-instruct-2501 qwen1.5-7b-chat qwen1.5-72b-chat qwen2.5-72b-instruct qwen2.5-coder-32b-instruct qwen3-32b qwen3-30b-a3b qwen3-235b-a22b qwq-32b deepseek-v3 deepseek-v3.1 deepseek-r1 deepseek-r1-0528 gemma-2b-it gemma-2-2b-it gemma-2-9b-it gemma-2-27b-it gemma-3-4b-it gemma-3-12b-it gemma-3-27b-it phi-3-mini-4k-instruct phi-4 smollm2-1.7b-instruct kimi-k2-0905-preview glm-4.5 glm-4.6 minimax-m2 grok-4-0709'.split(
    ' ',
  )

t.test('well-known models are in the order of benchmarks held out from the fit', async t => {
  t.ok(wellKnown.length >= 40)
  const heldOut: [kept: string, out: (benchmark: string) => boolean, atLeast: number][] = [
    ['arena-2025-12', benchmark => benchmark.startsWith('arena-'), 0.9],
    ['gpqa-diamond', benchmark => benchmark.includes('gpqa'), 0.85],
    ['reported-mmlu-pro', benchmark => benchmark.includes('mmlu-pro'), 0.85],
  ]
  for (const [kept, out, atLeast] of heldOut) {
    const { publicAbilityOf } = createPublicAbilities(makeTable(facts, out))
    const rows = facts.scores
      .filter(({ benchmark, model }) => benchmark === kept && (kept !== 'arena-2025-12' || wellKnown.includes(model)))
      .map(({ model, score }) => ({
        score,
        ability: publicAbilityOf({ name: model, price: undefined, free: true }).ability,
      }))
    t.ok(rows.length >= 40, `${rows.length} models have a score of ${kept}`)
    const order = spearman(
      rows.map(({ ability }) => ability),
      rows.map(({ score }) => score),
    )
    t.ok(order >= atLeast, `${kept}: Spearman ${order.toFixed(3)} over ${rows.length} models`)
  }
})

t.test('several names of one model become one entry with the best of its results', async t => {
  const score = (model: string, value: number) => ({ benchmark: 'mmlu', model, score: value })
  const entries = entriesOf({
    scores: [
      score('Qwen/Qwen2.5-7B-Instruct', 0.7),
      score('qwen2.5-7b', 0.6),
      score('gpt-4-0613', 0.8),
      score('gpt-4-0314', 0.81),
    ],
    models: [
      { model: 'qwen-2.5-7b-instruct', source: 'models.dev', released: '2024-09-19', outputPrice: 0.1 },
      { model: 'qwen-2.5-7b-instruct', source: 'llm-stats', released: '2024-09-01', sizeB: 7.6 },
    ],
  })
  t.match(
    entries.find(({ key }) => key === 'qwen-2.5-7b'),
    { released: '2024-09-19', sizeB: 7, price: 0.1, results: [{ score: 0.7 }] },
  )
  t.same(
    entries.map(({ key }) => key).filter(key => key.startsWith('gpt')),
    ['gpt-4@0314', 'gpt-4@0613'],
  )
})

t.test('reading one source again replaces only its facts', async t => {
  const merged = mergeFacts(facts, { scores: [{ benchmark: 'mmlu', model: 'new', score: 0.5 }], models: [] })
  t.same(
    merged.scores.filter(({ benchmark }) => benchmark === 'mmlu'),
    [{ benchmark: 'mmlu', model: 'new', score: 0.5 }],
  )
  t.equal(merged.scores.length, facts.scores.filter(({ benchmark }) => benchmark !== 'mmlu').length + 1)
  t.same(merged.models.length, facts.models.length)
})

t.test('CSV survives commas, quotes and line breaks', async t => {
  const rows = [
    ['a, b', 'say "x"', 1],
    ['two\nlines', '', 2],
  ]
  t.same(readCsv(writeCsv(['one', 'two', 'three'], rows)), [
    { one: 'a, b', two: 'say "x"', three: '1' },
    { one: 'two\nlines', two: '', three: '2' },
  ])
})
