import { isObject, parseJson } from '../../json.ts'
import { endOfJson, membersOf, repairJson } from './repair-json.ts'

/** A tool call that a model wrote into its text. */
export interface InlineCall {
  name: string
  /** JSON of an object. */
  arguments: string
}

/** The tools a request offers: parameter schema by name. */
export type Offered = ReadonlyMap<string, Schema>
type Schema = Readonly<Record<string, unknown>>

/** The result of parsing a text that starts with an opening. */
export type InlineReading =
  /** The calls that it holds up to `end`. */
  | { calls: readonly InlineCall[]; end: number }
  /** It may become a call when more text arrives. */
  | 'open'
  | 'never'

/** What a reader knows besides the text. */
export interface CallContext {
  offered: Offered
  /** No more text will come and the answer was not cut off, so that what should close a call may be missing. */
  ended: boolean
  /** Counts this many characters as examined; false when that is more than an answer may take, and no call is read from it. */
  spend: (characters: number) => boolean
}

/** One syntax for inline tool calls. */
export interface Dialect {
  /** The prefix of a call; `read` receives only text that starts with it. */
  readonly openings: readonly string[]
  /** Recognized only at the start of an answer. */
  readonly first?: boolean
  /** Recognized only at the end of an answer: elsewhere a call may be an example in an explanation. */
  readonly last?: boolean
  read(text: string, context: CallContext): InlineReading
}

/** All supported dialects. Names of tools that were not offered are never calls. */
export function dialects(): readonly Dialect[] {
  return [hermes, namedFunction, llama, mistral, deepSeek, fenced, bare]
}

/** `<tool_call>{"name":…,"arguments":…}</tool_call>`: Qwen, Hermes and many others; Qwen3-Coder puts its XML inside. */
const hermes: Dialect = {
  openings: ['<tool_call>'],
  read(text, context) {
    const from = behindSpace(text, '<tool_call>'.length)
    if (meets(text, from, '<function=') !== 'never') {
      return readFunction(text, from, context)
    }
    return readObject(text, from, context, '</tool_call>')
  },
}

/** `<function=name>…</function>` on its own; models often omit one or both of the surrounding tags. */
const namedFunction: Dialect = {
  openings: ['<function='],
  read: (text, context) => readFunction(text, 0, context),
}

/** `<|python_tag|>{"name":…,"parameters":…}`, several with `;` between them. */
const llama: Dialect = {
  openings: ['<|python_tag|>'],
  read: (text, context) => readRow(text, '<|python_tag|>'.length, context),
}

/** Llama without its tag: only the object. */
const bare: Dialect = {
  openings: ['{'],
  first: true,
  last: true,
  read: (text, context) => (beginsLikeCall(text, context) ? readRow(text, 0, context) : 'never'),
}

const fence = '```json'

/** A JSON object in a code fence, which must be a call and nothing else. */
const fenced: Dialect = {
  openings: [fence],
  last: true,
  read(text, context) {
    const from = behindSpace(text, fence.length)
    if (!beginsLikeCall(text.slice(from), context)) return 'never'
    return readObject(text, from, context, '```')
  },
}

/** `[TOOL_CALLS][{"name":…,"arguments":…}]`, and since 2025 `[TOOL_CALLS]name[ARGS]{…}` once per call. */
const mistral: Dialect = {
  openings: ['[TOOL_CALLS]'],
  read(text, context) {
    const from = behindSpace(text, '[TOOL_CALLS]'.length)
    if (from === text.length) return 'open'
    if (text[from] === '[') return readList(text, from, context)
    return readNamed(text, from, context)
  },
}

const callsBegin = '<｜tool▁calls▁begin｜>'
const callsEnd = '<｜tool▁calls▁end｜>'
const callBegin = '<｜tool▁call▁begin｜>'
const callEnd = '<｜tool▁call▁end｜>'
const separator = '<｜tool▁sep｜>'

/** Name, separator, arguments; older models write the word `function` before the name and put the arguments in a code fence. */
const deepSeek: Dialect = {
  openings: [callsBegin, callBegin],
  read(text, context) {
    const calls: InlineCall[] = []
    let position = behindOptional(text, 0, callsBegin)
    for (;;) {
      const start = behindSpace(text, position)
      const begins = meets(text, start, callBegin)
      if (begins === 'here') {
        const reading = readDeepSeekCall(text, start + callBegin.length, context)
        if (typeof reading === 'string') return reading
        calls.push(...reading.calls)
        position = reading.end
        continue
      }
      const ends = meets(text, start, callsEnd)
      if (!context.ended && (begins === 'open' || ends === 'open')) return 'open'
      if (calls.length === 0) return 'never'
      return { calls, end: ends === 'here' ? start + callsEnd.length : position }
    }
  },
}

function readDeepSeekCall(text: string, from: number, context: CallContext): InlineReading {
  const behindName = indexWithin(text, separator, from)
  if (behindName < 0) return isShort(text, from) ? 'open' : 'never'
  const before = text.slice(from, behindName).trim()
  const old = before === 'function'
  const nameEnd = old ? indexWithin(text, '\n', behindName) : behindName
  if (nameEnd < 0) return isShort(text, behindName) ? 'open' : 'never'
  const name = old ? text.slice(behindName + separator.length, nameEnd).trim() : before
  if (!context.offered.has(name)) return 'never'
  const bodyAt = behindSpace(text, old ? nameEnd : behindName + separator.length)
  const fences = meets(text, bodyAt, fence)
  if (fences === 'open') return 'open'
  const position = fences === 'here' ? behindSpace(text, bodyAt + fence.length) : bodyAt
  if (position === text.length) return 'open'
  if (text[position] !== '{') return 'never'
  const given = readArguments(text, position, context, callEnd)
  if (typeof given === 'string') return given
  const read = { calls: [{ name, arguments: given.json }], end: given.end }
  const unfenced = fences === 'here' ? closedBy(text, read, '```', context.ended) : read
  return typeof unfenced === 'string' ? unfenced : closedBy(text, unfenced, callEnd, context.ended)
}

/** A function's name and then its arguments, as JSON or a tag for each parameter. */
function readFunction(text: string, from: number, context: CallContext): InlineReading {
  const nameAt = from + '<function='.length
  const nameEnd = indexWithin(text, '>', nameAt)
  if (nameEnd < 0) return isShort(text, nameAt) ? 'open' : 'never'
  const name = text.slice(nameAt, nameEnd).trim()
  const schema = context.offered.get(name)
  if (schema === undefined) return 'never'
  const position = behindSpace(text, nameEnd + 1)
  const reading =
    text[position] === '{'
      ? readJsonBody(text, position, name, context)
      : readParameters(text, position, { name, schema, spend: context.spend })
  if (typeof reading === 'string') return reading
  const closing = meets(text, behindSpace(text, reading.end), '</tool_call>')
  if (closing === 'open' && !context.ended) return 'open'
  return { ...reading, end: behindOptional(text, reading.end, '</tool_call>') }
}

function readJsonBody(text: string, from: number, name: string, context: CallContext): InlineReading {
  const given = readArguments(text, from, context, '</function>')
  if (typeof given === 'string') return given
  return closedBy(text, { calls: [{ name, arguments: given.json }], end: given.end }, '</function>', context.ended)
}

const parameterTag = /<parameter=([^>\n]{1,200})>/y
const parameterEnd = '</parameter>'

interface NamedSchema extends Pick<CallContext, 'spend'> {
  name: string
  schema: Schema
}

function readParameters(text: string, from: number, { name, schema, spend }: NamedSchema): InlineReading {
  const given = new Map<string, string>()
  for (let position = from; ;) {
    const ends = meets(text, position, '</function>')
    if (ends === 'open') return 'open'
    if (ends === 'here') {
      const members = [...given].map(([parameter, json]) => `${JSON.stringify(parameter)}:${json}`)
      return { calls: [{ name, arguments: `{${members.join(',')}}` }], end: position + '</function>'.length }
    }
    parameterTag.lastIndex = position
    const tag = parameterTag.exec(text)
    if (tag === null)
      return meets(text, position, '<parameter=') !== 'never' && isShort(text, position) ? 'open' : 'never'
    const valueAt = parameterTag.lastIndex
    const valueEnd = endOfValue(text, valueAt)
    if (!spend(repairCost((valueEnd < 0 ? text.length : valueEnd) - valueAt))) return 'never'
    if (valueEnd < 0) return 'open'
    const parameter = tag[1]!.trim()
    given.set(
      parameter,
      typedJson(text.slice(valueAt, valueEnd).replace(/^\n/, '').replace(/\n$/, ''), parameter, schema),
    )
    position = behindSpace(text, valueEnd + parameterEnd.length)
  }
}

/** A value may itself contain the closing tag; the right one is followed by more of the call. */
function endOfValue(text: string, from: number): number {
  for (
    let position = text.indexOf(parameterEnd, from);
    position >= 0;
    position = text.indexOf(parameterEnd, position + 1)
  ) {
    const next = behindSpace(text, position + parameterEnd.length)
    if (meets(text, next, '</function>') === 'here' || meets(text, next, '<parameter=') === 'here') return position
  }
  return -1
}

/** Converts a parameter's text to JSON of the type that its tool declares. */
function typedJson(text: string, parameter: string, { properties }: Schema): string {
  const declared = isObject(properties) && Object.hasOwn(properties, parameter) ? properties[parameter] : undefined
  const type = isObject(declared) ? declared.type : undefined
  if (type === 'string') return JSON.stringify(text)
  const json = repairJson(text.trim())
  const mayBeText = Array.isArray(type) && type.includes('string')
  return json === undefined || (mayBeText && !isObject(parseJson(json))) ? JSON.stringify(text) : json
}

function readObject(text: string, from: number, context: CallContext, closing: string): InlineReading {
  if (from === text.length) return 'open'
  if (text[from] !== '{') return 'never'
  const given = readArguments(text, from, context, closing)
  if (typeof given === 'string') return given
  const call = callOf(given.json, context.offered)
  return call === undefined ? 'never' : closedBy(text, { calls: [call], end: given.end }, closing, context.ended)
}

/** Calls with `;` or nothing between them, up to a tag that ends the turn. */
function readRow(text: string, from: number, context: CallContext): InlineReading {
  const calls: InlineCall[] = []
  let position = from
  for (;;) {
    const start = behindSpace(text, position)
    const end = calls.length > 0 ? turnEnds.find(tag => meets(text, start, tag) !== 'never') : undefined
    if (end !== undefined && start < text.length) {
      return meets(text, start, end) === 'here' ? { calls, end: start + end.length } : 'open'
    }
    if (start === text.length) return context.ended && calls.length > 0 ? { calls, end: position } : 'open'
    const next = calls.length > 0 && text[start] === ';' ? behindSpace(text, start + 1) : start
    if (next === text.length) return context.ended && calls.length > 0 ? { calls, end: next } : 'open'
    if (text[next] !== '{') return calls.length > 0 ? { calls, end: position } : 'never'
    const given = readArguments(text, next, context)
    if (typeof given === 'string') return given
    const call = callOf(given.json, context.offered)
    if (call === undefined) return 'never'
    calls.push(call)
    position = given.end
  }
}

const turnEnds = ['<|eom_id|>', '<|eot_id|>']

function readList(text: string, from: number, context: CallContext): InlineReading {
  const given = readArguments(text, from, context)
  if (typeof given === 'string') return given
  const items = parseJson(given.json)
  if (!Array.isArray(items) || !items.every(isObject)) return 'never'
  const calls: InlineCall[] = []
  for (let position = given.json.indexOf('{'); position >= 0;) {
    const { end } = endOfJson(given.json, position)
    const call = callOf(given.json.slice(position, end), context.offered)
    if (call === undefined) return 'never'
    calls.push(call)
    position = given.json.indexOf('{', end)
  }
  return calls.length === 0 ? 'never' : { calls, end: given.end }
}

const namedCall = /([A-Za-z0-9_.-]{1,200})(?:\[CALL_ID\][A-Za-z0-9_-]{1,100})?(?:\[ARGS\])?\s*(?=\{)/y
const unfinishedNamedCall = /^[A-Za-z0-9_.-]{1,200}(?:\[[A-Z_]*\]?[A-Za-z0-9_-]*(?:\[[A-Z]*\]?)?)?\s*$/

function readNamed(text: string, from: number, context: CallContext): InlineReading {
  namedCall.lastIndex = from
  const name = namedCall.exec(text)?.[1]
  if (name === undefined) return unfinishedNamedCall.test(text.slice(from, from + longestName)) ? 'open' : 'never'
  if (!context.offered.has(name)) return 'never'
  const given = readArguments(text, namedCall.lastIndex, context)
  return typeof given === 'string' ? given : { calls: [{ name, arguments: given.json }], end: given.end }
}

/**
 * Parses the JSON that starts at `from`, repairing it where necessary; `closing` may come too early, and so may the end
 * of the text.
 */
function readArguments(
  text: string,
  from: number,
  { ended, spend }: CallContext,
  closing?: string,
): { json: string; end: number } | 'open' | 'never' {
  const { end, closed, inText } = endOfJson(text, from, closing)
  if (!spend(end - from)) return 'never'
  const stopped = closed || end < text.length
  if (!stopped && (!ended || inText)) return ended ? 'never' : 'open'
  if (!spend(repairCost(end - from))) return 'never'
  const json = repairJson(text.slice(from, end))
  return json === undefined ? 'never' : { json, end }
}

/** What repairing a text and reading its members takes: a few passes over it, and as much as long texts do where it is no JSON. */
const repairCost = (length: number) => 4 * length + 2_000

const nameFields = ['name', 'arguments', 'parameters', 'id', 'type']

/** The call that a JSON object describes, with its arguments exactly as written. */
function callOf(json: string, offered: Offered): InlineCall | undefined {
  const members = membersOf(json)
  if ([...members.keys()].some(field => !nameFields.includes(field))) return undefined
  const name = parseJson(members.get('name') ?? '')
  if (typeof name !== 'string' || !offered.has(name)) return undefined
  const given = members.get('arguments') ?? members.get('parameters') ?? '{}'
  const value = parseJson(given)
  if (isObject(value)) return { name, arguments: given }
  // Some models write the arguments as chat completions carry them: as a JSON string.
  const inner = typeof value === 'string' ? repairJson(value) : undefined
  return inner !== undefined && isObject(parseJson(inner)) ? { name, arguments: inner } : undefined
}

const typicalNameChars = 30
const callStarts = ['{"name":', '{"type":"function","name":']

/** Whether an unmarked object starts with the name of an offered tool, as far as the text is known. */
function beginsLikeCall(text: string, { offered, spend }: CallContext): boolean {
  if (!spend(callStarts.length * offered.size * typicalNameChars)) return false
  const start = text.slice(0, longestName).replaceAll(/\s/g, '').replaceAll("'", '"')
  for (const name of offered.keys()) {
    for (const opening of callStarts) {
      const wanted = `${opening}${JSON.stringify(name)}`
      if (start.startsWith(wanted) || wanted.startsWith(start)) return true
    }
  }
  return false
}

/** The reading with its closing tag, which may be missing only at the end of all text or before another call. */
function closedBy(
  text: string,
  reading: Exclude<InlineReading, string>,
  closing: string,
  ended: boolean,
): InlineReading {
  const position = behindSpace(text, reading.end)
  const closes = meets(text, position, closing)
  if (closes === 'here') return { ...reading, end: position + closing.length }
  const another = meets(text, position, '<tool_call>')
  if (another === 'here' || (ended && closes === 'open')) return reading
  return !ended && (closes === 'open' || another === 'open') ? 'open' : 'never'
}

/** Maximum number of characters that a name and the markup around it may take. */
const longestName = 300

/** Index of a mark that ends a name; -1 where there is none as far as a name may reach. */
function indexWithin(text: string, mark: string, from: number): number {
  const position = text.slice(from, from + longestName).indexOf(mark)
  return position < 0 ? position : from + position
}

function isShort(text: string, from: number): boolean {
  return text.length - from < longestName
}

/** Whether `wanted` is at `position`, or could be once more text arrives. */
function meets(text: string, position: number, wanted: string): 'here' | 'open' | 'never' {
  if (text.startsWith(wanted, position)) return 'here'
  return text.length - position < wanted.length && wanted.startsWith(text.slice(position)) ? 'open' : 'never'
}

function behindSpace(text: string, from: number): number {
  space.lastIndex = from
  space.exec(text)
  return space.lastIndex
}

const space = /\s*/y

function behindOptional(text: string, from: number, tag: string): number {
  const position = behindSpace(text, from)
  return text.startsWith(tag, position) ? position + tag.length : from
}
