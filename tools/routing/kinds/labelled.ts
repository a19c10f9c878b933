import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { difficulties, everydayKinds } from '../../../src/router/kinds/model.ts'
import { clientNames, type ShortRequest } from './clients.ts'

const Turn = z.union([
  z.strictObject({ user: z.string(), image: z.boolean().optional() }),
  z.strictObject({ assistant: z.string() }),
  z.strictObject({ call: z.string(), with: z.record(z.string(), z.unknown()).optional() }),
  z.strictObject({ result: z.string() }),
])

const Labelled = z.strictObject({
  kind: z.enum(everydayKinds),
  difficulty: z.enum(difficulties),
  /** ISO 639-1 code of the user's words. */
  language: z.string().length(2),
  client: z.enum(clientNames),
  turns: z.array(Turn).min(1),
  system: z.string().optional(),
  tools: z.array(z.string()).optional(),
  json: z.boolean().optional(),
  /** Written after the features were fixed: always held out. */
  late: z.literal(true).optional(),
})

/** A request, written for this project, with what a person says it is. */
export type LabelledRequest = z.output<typeof Labelled> & ShortRequest

/** All labelled requests. Throws where one is not valid. */
export function labelledRequests(): LabelledRequest[] {
  const text = readFileSync(path.join(import.meta.dirname, 'prompts.jsonl'), 'utf8')
  return text
    .trim()
    .split('\n')
    .map(line => Labelled.parse(JSON.parse(line)))
}

/** Two halves by a hash of what is asked: one to learn from, and one that nothing was ever fitted on. */
export function halves(requests: readonly LabelledRequest[]): {
  development: LabelledRequest[]
  heldOut: LabelledRequest[]
} {
  const isHeldOut = (request: LabelledRequest) => {
    const { client, turns, system, late } = request
    return (
      late === true || Number.parseInt(hash('sha1', JSON.stringify([client, turns, system])).slice(0, 2), 16) % 2 === 1
    )
  }
  return {
    development: requests.filter(request => !isHeldOut(request)),
    heldOut: requests.filter(isHeldOut),
  }
}
