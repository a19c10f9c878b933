import { asObject, isObject, type JsonObject } from '../../json.ts'

/** Fields of Google's schemas that are numbers, which its clients may write as strings. */
const numbers: ReadonlySet<string> = new Set([
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
])

/**
 * Converts Google's form of a schema to a JSON schema: its types are in capitals, `nullable` is a type there, and the order of
 * properties is no part of one. `nullable` and `propertyOrdering` may be the names of properties, too.
 */
export function jsonSchemaOf(schema: JsonObject): JsonObject {
  const { propertyOrdering: _order, nullable, type, ...rest } = schema
  const own = typeof type === 'string' ? type.toLowerCase() : type
  return {
    ...(own === undefined ? {} : { type: nullable === true && typeof own === 'string' ? [own, 'null'] : own }),
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, converted(name, value)])),
  }
}

function converted(name: string, value: unknown): unknown {
  if (numbers.has(name) && typeof value === 'string') return Number(value)
  if (name === 'properties') {
    const properties = Object.entries(asObject(value) ?? {})
    return Object.fromEntries(properties.map(([key, inner]) => [key, isObject(inner) ? jsonSchemaOf(inner) : inner]))
  }
  if (name === 'items' && isObject(value)) return jsonSchemaOf(value)
  if (name === 'anyOf' && Array.isArray(value))
    return value.map((each: unknown) => (isObject(each) ? jsonSchemaOf(each) : each))
  return value
}

/** Fields whose content is the caller's own: its names are data. */
const opaque: ReadonlySet<string> = new Set([
  'args',
  'response',
  'parameters',
  'parametersJsonSchema',
  'responseSchema',
  'responseJsonSchema',
  'labels',
])

/** A copy with Google's names in camelCase, as its protocol is defined; its servers read snake_case too. */
export function inCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inCamelCase)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const camel = name.replaceAll(/(?<=[a-z])_([a-z])/g, (_, letter: string) => letter.toUpperCase())
      return [camel, opaque.has(camel) ? inner : inCamelCase(inner)]
    }),
  )
}
