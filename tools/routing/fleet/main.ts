import { fleetChoices, fleetPresets, isAcceptable } from './choices.ts'

/** Prints what each preset chooses for the thirty prompts, with a mark where that was not named as acceptable. */
const choices = fleetChoices()
for (const choice of choices) {
  const { prompt, decisions } = choice
  const { measured } = decisions.auto
  console.log(`${prompt.name} (${measured.promptTokens} tokens) ${JSON.stringify(rounded(measured.categories))}`)
  for (const preset of fleetPresets) {
    const { ranked, candidates, reason, floor } = decisions[preset]
    const [first] = candidates
    const wrong = (preset === 'auto' || preset === 'auto:quality') && !isAcceptable(choice, preset)
    console.log(
      `  ${preset.padEnd(13)}${(ranked[0]?.name ?? 'none').padEnd(42)}${reason.padEnd(16)}q ${first?.quality.toFixed(3)} floor ${floor.toFixed(2)} $${first?.costUsd?.toPrecision(2)} ${first?.seconds.toFixed(1)} s${wrong ? '   <-- not accepted' : ''}`,
    )
  }
}
for (const preset of ['auto', 'auto:quality'] as const) {
  console.log(
    `${preset}: ${choices.filter(choice => isAcceptable(choice, preset)).length} of ${choices.length} accepted`,
  )
}

function rounded(shares: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, Number(share.toFixed(2))]))
}
