import t from 'tap'
import { fleetChoices, isAcceptable } from '../../tools/routing/fleet/choices.ts'
import { fleet } from '../../tools/routing/fleet/models.ts'

const choices = fleetChoices()

t.test('the fleet has three local models of which one is loaded, six free and sixteen paid ones', async t => {
  t.equal(fleet.filter(({ tier }) => tier === 'local').length, 3)
  t.equal(fleet.filter(({ loaded }) => loaded === true).length, 1)
  t.equal(fleet.filter(({ tier, free }) => tier === 'remote' && free).length, 6)
  t.equal(fleet.filter(({ free }) => !free).length, 16)
  t.equal(choices.length, 30)
})

for (const preset of ['auto', 'auto:quality'] as const) {
  t.test(`a senior engineer agrees with at least 27 of 30 choices of ${preset}`, async t => {
    const wrong = choices.filter(choice => !isAcceptable(choice, preset))
    const listed = wrong.map(({ prompt, decisions }) => `${prompt.name}: ${decisions[preset].ranked[0]?.name}`)
    t.ok(wrong.length <= 3, listed.join('; '))
  })
}

t.test('no choice is a model that cannot do what the request needs', async t => {
  for (const { prompt, decisions } of choices) {
    for (const [preset, { ranked, measured }] of Object.entries(decisions)) {
      const chosen = ranked[0]!
      if (measured.vision) t.not(chosen.capabilities.vision, false, `${prompt.name}, ${preset}`)
      if (measured.json) t.not(chosen.capabilities.json, false, `${prompt.name}, ${preset}`)
      t.ok(measured.promptTokens < (chosen.contextTokens ?? Infinity), `${prompt.name}, ${preset}`)
    }
  }
})

t.test('quality is never predicted lower for auto:quality than for auto', async t => {
  for (const { prompt, decisions } of choices) {
    const [cheap, best] = [decisions.auto.candidates[0]!, decisions['auto:quality'].candidates[0]!]
    t.ok(best.quality >= cheap.quality - 0.02, prompt.name)
  }
})

t.test('small talk and titles cost nothing, and the olympiad proof is no job for a model of 8B', async t => {
  const chosen = (name: string) => choices.find(({ prompt }) => prompt.name === name)!.decisions.auto.ranked[0]!
  t.equal(chosen('hi').tier, 'local')
  t.ok(chosen('agent: title').free)
  t.equal(chosen('olympiad proof').tier, 'remote')
})
