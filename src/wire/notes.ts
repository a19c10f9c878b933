import type { JsonObject } from '../json.ts'

/** What a caller is told of a field that was left out. `model` is the one that has no equivalent, where it depends on that. */
export function omittedNote(field: string, model = 'it'): string {
  return `${field} was omitted: ${model} has no equivalent`
}

/** The names of the fields that have a value; to nobody does it matter that an empty one was left out. */
export function filledFields(fields: JsonObject): string[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name]) => name)
}
