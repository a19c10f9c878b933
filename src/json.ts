/** A JSON object: string keys, unchecked values. */
export type JsonObject = Record<string, unknown>

/** Deepest nesting of JSON from outside; writing what is much deeper again would overflow the stack. */
export const maxJsonDepth = 512

/** Parses a JSON text; undefined when it is invalid or too deep. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    // Each level takes two characters.
    return text.length > 2 * maxJsonDepth && isTooDeep(value) ? undefined : value
  } catch {
    return undefined
  }
}

/** Whether parsed JSON nests deeper than `maxJsonDepth`. */
export function isTooDeep(value: unknown, levels = maxJsonDepth): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  if (Array.isArray(value)) return value.some(item => isTooDeep(item, levels - 1))
  for (const field in value) if (isTooDeep((value as JsonObject)[field], levels - 1)) return true
  return false
}

/**
 * Bytes that parsed JSON takes in memory, rounded up: what V8 was measured to need for values, names and lists. A character
 * of a string takes one byte, or two if the string has any beyond Latin-1.
 */
export function memoryOf(value: unknown, bytesPerCharacter: 1 | 2): number {
  if (typeof value === 'string') return stringBytes + value.length * bytesPerCharacter
  if (typeof value !== 'object' || value === null) return valueBytes
  let bytes = containerBytes
  if (Array.isArray(value)) {
    for (const item of value) bytes += slotBytes + memoryOf(item, bytesPerCharacter)
  } else {
    for (const field in value) {
      bytes += fieldBytes + field.length * bytesPerCharacter
      bytes += memoryOf((value as JsonObject)[field], bytesPerCharacter)
    }
  }
  return bytes
}

const stringBytes = 24
const valueBytes = 12
const containerBytes = 56
const slotBytes = 12
const fieldBytes = 32

/**
 * Replaces halves of surrogate pairs in parsed JSON, in place, by U+FFFD: clients cut texts in the middle of a character, and
 * servers that need UTF-8 fail on the half that is left.
 */
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) value[at] = wellFormed(item)
  } else if (isObject(value)) {
    for (const field in value) value[field] = wellFormed(value[field])
  }
  return value
}

/** Whether an external value is an object with fields. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A number at or above zero, possibly written as a string. */
export function readNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined
}

/** `value` as an object with string keys; undefined for everything else, arrays included. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}

/** The objects in `value` if it is an array; else none. */
export function asObjects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(item => asObject(item) !== undefined) : []
}

export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Parses a JSON object; undefined for any other text. */
export function parseObject(text: string): JsonObject | undefined {
  return asObject(parseJson(text))
}

/** A copy without the fields whose value is undefined or null, so that absent fields stay absent. */
export function compact<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as T
}

/**
 * A copy of plain data with its field names in snake_case, as clients see them. The values of the fields in `keyedByName` are
 * objects whose keys are data, such as model ids; those keys stay unchanged.
 */
export function inSnakeCase(value: object, keyedByName?: ReadonlySet<string>): object
export function inSnakeCase(value: unknown, keyedByName?: ReadonlySet<string>): unknown
export function inSnakeCase(value: unknown, keyedByName: ReadonlySet<string> = noFields): unknown {
  if (Array.isArray(value)) return value.map(item => inSnakeCase(item, keyedByName))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
      keyedByName.has(name) ? inner : inSnakeCase(inner, keyedByName),
    ]),
  )
}

const noFields: ReadonlySet<string> = new Set()
