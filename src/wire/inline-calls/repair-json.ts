import { parseJson } from '../../json.ts'

/** Where a JSON value inside a longer text ends. */
export interface JsonEnd {
  /** Index after its last character; for an unclosed value, the index where the input or the value stops. */
  end: number
  closed: boolean
  /** It stops inside a string. */
  inText: boolean
}

/**
 * Finds the end of the object or array that starts at `from`, even if its content is invalid. `stop` is a marker that
 * cannot occur in it outside a string.
 */
export function endOfJson(text: string, from: number, stop?: string): JsonEnd {
  let depth = 0
  let quote = ''
  for (let position = from; position < text.length; position += 1) {
    const character = text[position]!
    if (quote !== '') {
      if (character === '\\') position += 1
      else if (character === quote) quote = ''
      continue
    }
    if (character === '"' || character === "'") quote = character
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') {
      depth -= 1
      if (depth === 0) return { end: position + 1, closed: true, inText: false }
    } else if (stop !== undefined && character === stop[0] && text.startsWith(stop, position)) {
      return { end: position, closed: false, inText: false }
    }
  }
  return { end: text.length, closed: false, inText: quote !== '' }
}

/**
 * Returns `text` as valid JSON: unchanged if it is valid, else with typical model errors repaired: trailing commas,
 * single quotes, Python literals, line breaks in strings, unclosed brackets at the end. Undefined where that is not
 * enough.
 *
 * Why not jsonrepair: see docs/decisions/json-repair.md.
 */
export function repairJson(text: string): string | undefined {
  if (parseJson(text) !== undefined) return text
  const repaired = repair(text)
  return parseJson(repaired) === undefined ? undefined : repaired
}

const pythonWords: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' }

function repair(text: string): string {
  const open: string[] = []
  let out = ''
  for (let position = 0; position < text.length;) {
    const character = text[position]!
    if (character === '"' || character === "'") {
      const end = endOfText(text, position)
      // An unterminated string cannot be repaired: what is missing is unknown.
      if (end === undefined) return out + text.slice(position)
      out += asText(text.slice(position + 1, end - 1), character)
      position = end
      continue
    }
    word.lastIndex = position
    const letters = word.exec(text)?.[0]
    if (letters !== undefined) {
      out += pythonWords[letters] ?? letters
      position += letters.length
      continue
    }
    if (character === '{') open.push('}')
    else if (character === '[') open.push(']')
    else if (character === '}' || character === ']') open.pop()
    position += 1
    bracket.lastIndex = position
    const superfluous = character === ',' && bracket.test(text)
    if (!superfluous) out += character
  }
  return out + open.toReversed().join('')
}

const word = /[A-Za-z]+/y
/** A closing bracket, or the end of the text. */
const bracket = /\s*(?:[}\]]|$)/y

const controls: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Converts the content of a quoted string to a double-quoted one. */
function asText(inside: string, quote: string): string {
  const double = quote === '"' ? inside : inside.replaceAll(/\\'|"/g, found => (found === '"' ? '\\"' : "'"))
  return `"${double.replaceAll(/[\n\r\t]/g, control => controls[control]!)}"`
}

/** The members of the JSON object `json`, each value exactly as written. */
export function membersOf(json: string): Map<string, string> {
  const members = new Map<string, string>()
  for (let position = json.indexOf('"'); position >= 0;) {
    const keyEnd = endOfText(json, position) ?? json.length
    between.lastIndex = keyEnd
    between.exec(json)
    const from = between.lastIndex
    const value = json.slice(from, endOfValue(json, from))
    members.set(JSON.parse(json.slice(position, keyEnd)) as string, value)
    position = json.indexOf('"', from + value.length)
  }
  return members
}

const between = /\s*:\s*/y
const plainValue = /[^\s,}\]]*/y

function endOfValue(json: string, from: number): number {
  const first = json[from]
  if (first === '{' || first === '[') return endOfJson(json, from).end
  if (first === '"') return endOfText(json, from) ?? json.length
  plainValue.lastIndex = from
  plainValue.exec(json)
  return plainValue.lastIndex
}

/** Index after the closing quote of the string that starts at `from`. */
function endOfText(text: string, from: number): number | undefined {
  const quote = text[from]
  for (let position = from + 1; position < text.length; position += 1) {
    const character = text[position]
    if (character === '\\') position += 1
    else if (character === quote) return position + 1
  }
  return undefined
}
