import {
  fleetChoices,
  fleetPresets,
  isAcceptable,
  type FleetChoice,
  type FleetPreset,
} from '../routing/fleet/choices.ts'
import { pricesSource } from '../routing/fleet/models.ts'
import { markdownTable } from './sections.ts'

/** What each preset chooses for the thirty prompts, and how many choices were named as acceptable beforehand. */
export function fleetSection(): string {
  const choices = fleetChoices()
  const accepted = (preset: 'auto' | 'auto:quality') => choices.filter(choice => isAcceptable(choice, preset)).length
  const rows = choices.map(choice => [
    choice.prompt.name,
    ...fleetPresets.map(preset => cell(choice, preset)),
    choice.prompt.why,
  ])
  return [
    `Prices are of ${pricesSource.date} (${pricesSource.name}). Of the choices of \`auto\`, ${accepted('auto')} of ${choices.length} are among those named as acceptable before any was seen; of \`auto:quality\`, ${accepted('auto:quality')}. The others have a ✗.`,
    '',
    markdownTable([['request', ...fleetPresets.map(preset => `\`${preset}\``), 'what it asks for'], ...rows]),
  ].join('\n')
}

function cell(choice: FleetChoice, preset: FleetPreset): string {
  const { ranked, reason } = choice.decisions[preset]
  const name = ranked[0]?.name.replace(/^[^/]+\//, '') ?? 'none'
  const rejected = (preset === 'auto' || preset === 'auto:quality') && !isAcceptable(choice, preset)
  return `${name} (${reason})${rejected ? ' ✗' : ''}`
}
