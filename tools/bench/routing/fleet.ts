import { goalRow, type Row } from '../../../src/cli/rows.ts'
import { fleetChoices, isAcceptable } from '../../routing/fleet/choices.ts'

/** How many of the thirty choices among a realistic set of models are acceptable. */
export function fleetRows(): Row[] {
  const choices = fleetChoices()
  return (['auto', 'auto:quality'] as const).map(preset => {
    const value = choices.filter(choice => isAcceptable(choice, preset)).length
    return goalRow({ name: `fleet ${preset}`, value, unit: `accepted of ${choices.length}` }, 'at_least', 27)
  })
}
