import { Ajv, type ValidateFunction } from 'ajv'
import { GatewayError } from '../errors.ts'
import { isObject } from '../json.ts'
import type { ChatCompletion, ChatRequest, ToolCall } from '../wire/chat/schema.ts'

/** What a check says of an answer. `undefined`: it has nothing to say about this request. */
export type Verdict = { accepted: true } | { accepted: false; why: string } | undefined

/** One check that needs no model. Pure. */
export interface Verifier {
  name: string
  check: (request: ChatRequest, answer: ChatCompletion) => Verdict
}

const accepted = { accepted: true } as const
const rejected = (why: string): Verdict => ({ accepted: false, why })

const notTruncated: Verifier = {
  name: 'not_truncated',
  check: (_, answer) =>
    answer.choices.some(choice => choice.finish_reason === 'length')
      ? rejected('it was cut off at its length limit')
      : accepted,
}

const notEmpty: Verifier = {
  name: 'not_empty',
  check: (_, answer) =>
    answer.choices.length > 0 &&
    answer.choices.every(
      ({ message }) => textOf(message.content).trim() !== '' || (message.tool_calls?.length ?? 0) > 0,
    )
      ? accepted
      : rejected('it is empty'),
}

/** Words with which an answer declines; only at its start, because an answer may be about refusing. */
const refusal =
  /^\W{0,3}(?:i['’]?m sorry,? but|i am sorry,? but|sorry,? (?:but )?i (?:can(?:['’]t|not)|am unable)|i can(?:['’]t|not) (?:help|assist|comply|provide|do that|fulfill)|i(?:['’]m| am) (?:unable|not able) to|i won['’]t be able to|as an ai(?: language model)?,? i (?:can|am|do not|don['’]t))/i

const notRefusal: Verifier = {
  name: 'not_refusal',
  check: (_, answer) =>
    answer.choices.some(
      ({ message }) => typeof message['refusal'] === 'string' || refusal.test(textOf(message.content)),
    )
      ? rejected('it declines')
      : accepted,
}

const notLoop: Verifier = {
  name: 'not_loop',
  check: (_, answer) =>
    answer.choices.some(({ message }) => loops(textOf(message.content))) ? rejected('it repeats itself') : accepted,
}

const parses: Verifier = {
  name: 'parses',
  check(request, answer) {
    if (!wantsJson(request)) return undefined
    const broken = contentsOf(answer).some(text => parsed(text) === undefined)
    return broken ? rejected('it is not JSON') : accepted
  },
}

const toolArguments: Verifier = {
  name: 'tool_arguments',
  check(request, answer) {
    const calls = answer.choices.flatMap(({ message }) => message.tool_calls ?? [])
    if (calls.length === 0) return undefined
    for (const call of calls) {
      const problem = callProblem(request, call)
      if (problem !== undefined) return rejected(problem)
    }
    return accepted
  },
}

const schema: Verifier = {
  name: 'schema',
  check(request, answer) {
    const wanted = request.response_format?.['json_schema']
    const definition = isObject(wanted) ? wanted['schema'] : undefined
    if (!isObject(definition)) return undefined
    const validate = compile(definition)
    if (validate === undefined) return undefined
    for (const text of contentsOf(answer)) {
      const value = parsed(text)
      if (value === undefined) return rejected('it is not JSON')
      if (!validate(value.json)) return rejected(`it does not fit the schema: ${firstError(validate)}`)
    }
    return accepted
  },
}

/** All checks that call no model and run no code, cheap ones first. */
export const verifiers: readonly Verifier[] = [
  notEmpty,
  notTruncated,
  notRefusal,
  notLoop,
  parses,
  toolArguments,
  schema,
]

/** In place of the list above, and for no check at all. */
const everyCheck = 'all'
const noCheck = 'none'
const testsPrefix = 'tests:'
const judgePrefix = 'judge:'

/** The checks that a caller's names stand for, each once, in the order in which they run: expensive ones last. */
export function checksNamed(names: readonly string[]): string[] {
  return [
    ...verifiers.map(({ name }) => name).filter(name => names.includes(name) || names.includes(everyCheck)),
    ...new Set(names.filter(name => testsOf(name) !== undefined)),
    ...new Set(names.filter(name => judgeOf(name) !== undefined)),
  ]
}

/** The operator's command that a check `tests:<command>` runs. */
export function testsOf(check: string): string | undefined {
  return check.startsWith(testsPrefix) ? check.slice(testsPrefix.length) : undefined
}

/** The model that a check `judge:<model>` asks. */
export function judgeOf(check: string): string | undefined {
  return check.startsWith(judgePrefix) ? check.slice(judgePrefix.length) : undefined
}

/** Throws `invalid_request` naming what there is, for a name that no check has. `commands` are those of VERIFY_COMMANDS. */
export function refuseUnknownChecks(names: readonly string[], commands: readonly string[]): void {
  const known = [everyCheck, noCheck, ...verifiers.map(({ name }) => name), ...commands.map(name => testsPrefix + name)]
  const unknown = names.find(name => !known.includes(name) && (judgeOf(name) ?? '') === '')
  if (unknown === undefined) return
  throw new GatewayError(
    'invalid_request',
    `There is no check '${unknown.slice(0, 100)}' for verify; there are ${known.join(', ')} and judge:<model>.`,
    { param: 'verify' },
  )
}

/** The value of a text that is JSON, in a code fence or not. */
function parsed(text: string): { json: unknown } | undefined {
  const bare = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(text)?.[1] ?? text
  try {
    return { json: JSON.parse(bare) as unknown }
  } catch {
    return undefined
  }
}

function callProblem(request: ChatRequest, { function: called }: ToolCall): string | undefined {
  const tool = request.tools?.find(({ function: offered }) => isObject(offered) && offered['name'] === called.name)
  if (tool === undefined) return `it calls ${called.name}, which was not offered`
  const value = parsed(called.arguments === '' ? '{}' : called.arguments)
  if (value === undefined) return `its arguments for ${called.name} are not JSON`
  const definition = isObject(tool['function']) ? tool['function']['parameters'] : undefined
  const validate = isObject(definition) ? compile(definition) : undefined
  if (validate === undefined || validate(value.json)) return undefined
  return `its arguments for ${called.name} do not fit: ${firstError(validate)}`
}

const maxSchemaCharacters = 100_000

/** A caller's pattern could run forever on a long answer and block all requests, so patterns count as matched. */
const anyText = Object.assign(() => ({ test: () => true }), { code: '' })

/** Undefined for a schema that is itself wrong or huge: that is not the answer's fault. */
function compile(definition: Record<string, unknown>): ValidateFunction | undefined {
  if (JSON.stringify(definition).length > maxSchemaCharacters) return undefined
  try {
    return new Ajv({ strict: false, validateFormats: false, logger: false, code: { regExp: anyText } }).compile(
      definition,
    )
  } catch {
    return undefined
  }
}

function firstError({ errors }: ValidateFunction): string {
  const error = errors?.[0]
  return error === undefined ? 'unknown' : `${error.instancePath || 'it'} ${error.message ?? error.keyword}`
}

const loopTail = 2_000
const minRepeats = 4
const minRepeated = 200

/** Whether the end of `text` is one piece repeated at least four times and over at least 200 characters. */
function loops(text: string): boolean {
  const tail = text.slice(-loopTail)
  for (let length = 1; length * minRepeats <= tail.length; length++) {
    const enough = Math.max(minRepeated, length * minRepeats) - length
    let run = 0
    for (let index = tail.length - 1; index >= length && run < enough && tail[index] === tail[index - length]; index--)
      run++
    if (run >= enough) return true
  }
  return false
}

function wantsJson({ response_format }: ChatRequest): boolean {
  return response_format?.type === 'json_object' || response_format?.type === 'json_schema'
}

function contentsOf(answer: ChatCompletion): string[] {
  return answer.choices
    .filter(({ message }) => (message.tool_calls?.length ?? 0) === 0)
    .map(({ message }) => textOf(message.content))
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : ''
}
