import t from 'tap'
import type { Model } from '../../src/providers/provider.ts'
import { createAbilities } from '../../src/router/abilities.ts'
import { loadAbilityTable, shippedAbilitiesFile, type AbilityTable } from '../../src/router/ability-table.ts'
import { identify } from '../../src/router/model-identity.ts'
import { compareVersions } from '../../src/router/model-releases.ts'
import { createPublicAbilities } from '../../src/router/public-ability.ts'
import { loadWeights } from '../../src/router/weights.ts'
import { localModel, paidModel } from '../helpers/router-samples.ts'
import { spearman } from '../helpers/spearman.ts'

const table = loadAbilityTable()
const publicAbilities = createPublicAbilities(table)
const { publicAbilityOf } = publicAbilities
const abilityOf = createAbilities(loadWeights().weights, publicAbilities)

const named = (name: string) => localModel(name, { parametersB: undefined })
const sold = (name: string, output: number, released?: string) =>
  paidModel(name, { price: { input: output / 4, output }, released })

t.test('the shipped table is small, names its sources and gives every model an interval', async t => {
  t.ok(JSON.stringify(table).length < 300_000, shippedAbilitiesFile)
  t.ok(Object.keys(table.models).length > 500)
  for (const [name, model] of Object.entries(table.models)) {
    t.ok(Number.isFinite(model.ability) && model.sd > 0 && model.sd < 0.6, name)
    t.ok(
      model.sources.every(id => table.sources[id]?.url.startsWith('https://')),
      name,
    )
  }
})

t.test('old and new, local and remote models are on one scale', async t => {
  const ascending = [
    'tinyllama:1.1b',
    'llama3.2:1b',
    'llama3.2:3b',
    'llama3.1:8b',
    'gpt-4o-mini',
    'openai/gpt-4o',
    'claude-3-5-sonnet-20241022',
    'claude-sonnet-4-5-20250929',
    'anthropic/claude-opus-4.8',
  ]
  for (const [index, name] of ascending.slice(1).entries()) {
    t.ok(
      abilityOf(named(name)).ability > abilityOf(named(ascending[index]!)).ability,
      `${name} after ${ascending[index]}`,
    )
  }
  const size = (name: string) => abilityOf(named(name)).ability
  t.ok(
    size('qwen3:0.6b') < size('qwen3:1.7b') &&
      size('qwen3:1.7b') < size('qwen3:4b') &&
      size('qwen3:4b') < size('qwen3:8b'),
  )
  t.ok(size('qwen3:8b') > size('gpt-4-0613'), 'a small model of 2025 and the large one of 2023')
})

t.test('a model is never rated above its cheaper successor', async t => {
  const successions = [
    ['gpt-4-0314', 'gpt-4-turbo-2024-04-09', 'gpt-4o', 'gpt-4.1', 'gpt-5'],
    ['openai/gpt-4-1106-preview', 'openai/gpt-4o-2024-08-06'],
    ['gpt-3.5-turbo-0125', 'gpt-4o-mini', 'gpt-4.1-mini'],
    ['claude-2.1', 'claude-3-sonnet-20240229', 'claude-3-5-sonnet-20241022', 'claude-sonnet-4.5'],
    ['claude-3-opus-20240229', 'claude-opus-4', 'claude-opus-4.5'],
    ['gemini-1.5-pro-001', 'gemini-2.5-pro', 'gemini-3-pro-preview'],
    ['mistral-large-2402', 'mistral-large-2411', 'mistral-large-2512'],
    ['deepseek-v2.5', 'deepseek-v3', 'deepseek-v3.2', 'deepseek-v4-pro'],
    ['llama-2-70b-chat', 'llama-3-70b-instruct', 'llama-3.3-70b-instruct'],
  ]
  for (const line of successions) {
    for (const [index, name] of line.slice(1).entries()) {
      t.ok(
        publicAbilityOf(named(name)).ability >= publicAbilityOf(named(line[index]!)).ability,
        `${name} after ${line[index]}`,
      )
    }
  }
  const lines = Map.groupBy(
    Object.entries(table.models).map(([key, known]) => ({ key, known, identity: identify(key.split('@')[0]!) })),
    ({ identity }) => [identity.stem, ...identity.words].join(' '),
  )
  for (const members of lines.values()) {
    for (const {
      key,
      identity: own,
      known: { released, price, ability, sizeB },
    } of members) {
      for (const { key: later, known, identity } of members) {
        if (released === undefined || known.released === undefined || known.released <= released) continue
        if (price === undefined || known.price === undefined || known.price > price || identity.version === undefined)
          continue
        if (compareVersions(identity.version, own.version) < 0) continue
        if ((known.sizeB ?? Infinity) >= (sizeB ?? 0)) t.ok(ability <= known.ability, `${key} before ${later}`)
      }
    }
  }
})

t.test('an unknown model is not rated above a known successor of its family that costs less', async t => {
  const successor = publicAbilityOf(sold('openai/gpt-4o', 10))
  t.ok(publicAbilityOf(sold('openai/gpt-4-32k-vintage', 120, '2023-03-14')).ability < successor.ability)
  const masked = publicAbilityOf({ ...sold('x', 60, '2023-06-01'), family: 'gpt' })
  t.ok(masked.ability <= successor.ability)
})

t.test('a cheaper model of an older generation is no successor, however late its release', async t => {
  const unmeasured = createPublicAbilities(without('gpt-4-turbo')).publicAbilityOf(
    sold('gpt-4-1106-preview', 30, '2023-11-06'),
  )
  t.ok(unmeasured.ability > publicAbilityOf(named('gpt-3.5-turbo-0125')).ability)
})

t.test('a free offer has the same ability as the paid one', async t => {
  for (const name of [
    'deepseek/deepseek-r1-0528',
    'meta-llama/llama-3.3-70b-instruct',
    'z-ai/glm-4.5-air',
    'openai/gpt-oss-120b',
    'google/gemma-4-26b-a4b-it',
  ]) {
    const free = paidModel(`${name}:free`, { price: { input: 0, output: 0 }, free: true })
    const paid = abilityOf(sold(name, 2))
    t.equal(abilityOf(free).ability, paid.ability, name)
    t.equal(abilityOf(free).key, paid.key, name)
  }
})

t.test('among unknown models the newest is expected to be best, and price matters little', async t => {
  const cheapAndNew = publicAbilityOf(sold('mystery-new', 0.4, '2026-06-01'))
  const dearAndOld = publicAbilityOf(sold('mystery-old', 180, '2023-06-01'))
  t.ok(cheapAndNew.ability > dearAndOld.ability + 1)
  const dear = publicAbilityOf(sold('mystery', 5000))
  const cheap = publicAbilityOf(sold('other-mystery', 0.1))
  t.ok(dear.ability - cheap.ability <= 0.8 + 1e-9)
  const best = Object.values(table.models).filter(({ ability }) => ability > dear.ability)
  t.ok(best.length > 50, 'an unknown name with a huge price is not the best')
  t.ok(dear.sd > 0.6)
  t.ok(publicAbilityOf(named('mystery')).sd > publicAbilityOf(named('mystery-8b')).sd)
})

t.test('quantization lowers ability, most at few bits', async t => {
  const abilityWith = (quantization: string) => abilityOf(localModel('qwen3:8b', { quantization })).ability
  t.ok(
    abilityWith('Q2_K') < abilityWith('Q3_K_M') &&
      abilityWith('Q3_K_M') < abilityWith('Q4_K_M') &&
      abilityWith('Q4_K_M') < abilityWith('Q8_0'),
  )
  t.equal(abilityOf(named('Qwen3-8B-Q2_K.gguf')).ability, abilityWith('Q2_K'))
})

t.test('a version without results is rated at least about as high as the previous one', async t => {
  t.ok(publicAbilityOf(named('qwen4:8b')).ability > publicAbilityOf(named('qwen3:8b')).ability - 0.3)
  t.ok(publicAbilityOf(named('qwen4:8b')).sd > publicAbilityOf(named('qwen3:8b')).sd)
})

t.test('details from a server complete a name', async t => {
  const tagged = publicAbilityOf(named('qwen3:8b'))
  t.equal(publicAbilityOf(localModel('qwen3:latest', { parametersB: 8.2 })).ability, tagged.ability)
  const newest = publicAbilityOf(named('~anthropic/claude-opus-latest'))
  t.ok(newest.ability > publicAbilityOf(named('claude-opus-4.1')).ability)
  t.equal(publicAbilityOf(named('gemini-2.5-pro-preview-03-25')).basis, 'public results')
})

/** The table as it would be if nobody had measured `key` or another release of it. */
function without(key: string): AbilityTable {
  const name = key.split('@')[0]!
  return {
    ...table,
    models: Object.fromEntries(
      Object.entries(table.models).filter(
        ([other]) => other.split('@')[0]!.replace('-thinking', '') !== name.replace('-thinking', ''),
      ),
    ),
  }
}

t.test('predictions for models without results are close, with calibrated intervals', async t => {
  const asked = Object.entries(table.models).filter(
    ([, { sd, results }], index) => sd < 0.25 && results >= 5 && index % 4 === 0,
  )
  t.ok(asked.length >= 80)
  const guessed = asked.map(([key, known]) => {
    const { family, name, sizeB } = identify(key.split('@')[0]!)
    const described = { parametersB: known.sizeB ?? sizeB, released: known.released, free: false }
    const price = known.price === undefined ? undefined : { input: known.price / 4, output: known.price }
    const { publicAbilityOf: guess } = createPublicAbilities(without(key))
    return {
      known,
      byName: guess({ ...described, name, price }),
      masked: guess({ ...described, name: '?', family, price }),
    }
  })
  for (const way of ['byName', 'masked'] as const) {
    const misses = guessed.map(each => Math.abs(each[way].ability - each.known.ability) / each[way].sd)
    const within = (sds: number) => misses.filter(miss => miss <= sds).length / misses.length
    t.ok(
      within(1) > 0.55 && within(2) > 0.88,
      `${way}: ${within(1).toFixed(2)} within one, ${within(2).toFixed(2)} within two`,
    )
    const order = spearman(
      guessed.map(each => each[way].ability),
      guessed.map(each => each.known.ability),
    )
    t.ok(order >= 0.8, `${way}: Spearman ${order.toFixed(3)}`)
  }
})

t.test('the expected ability of a model is computed once', async t => {
  const model: Model = named('qwen3:8b')
  t.equal(abilityOf(model), abilityOf(model))
})
