import { z } from 'zod'

type JsonSchema = Record<string, unknown>

const keywordsWithSchema = ['items', 'additionalProperties', 'not']
const keywordsWithList = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const keywordsWithMap = ['properties', 'patternProperties', '$defs']
const annotations = ['title', 'description', 'default', 'examples', 'deprecated']
const jsonTypes = ['string', 'number', 'boolean', 'object', 'array', 'null']

/**
 * A schema as JSON Schema that strict readers accept, too: one `type` at a time, no `propertyNames`, nothing that accepts
 * everything without saying so, and no limits that every number keeps. It accepts what `schema` does, except that names of
 * properties are not limited, and texts with a format by their format only.
 */
export function portableSchema(schema: z.ZodObject, io: 'input' | 'output'): JsonSchema {
  return portable(z.toJSONSchema(schema, { io }))
}

function portable(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(schema).flatMap(([keyword, value]) => {
    if (keyword === 'propertyNames' || isVacuous(keyword, value)) return []
    // It says the same as the format, in hundreds of characters.
    if (keyword === 'pattern' && 'format' in schema) return []
    if (keywordsWithSchema.includes(keyword)) return [[keyword, portableOr(value)]]
    if (keywordsWithList.includes(keyword)) return [[keyword, (value as JsonSchema[]).map(portable)]]
    if (keywordsWithMap.includes(keyword)) {
      const map = Object.entries(value as Record<string, JsonSchema>)
      return [[keyword, Object.fromEntries(map.map(([name, part]) => [name, portable(part)]))]]
    }
    return [[keyword, value]]
  })
  return withOneType(Object.fromEntries(entries) as JsonSchema)
}

/** Some keywords take a boolean in place of a schema. */
function portableOr(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.keys(value).length === 0 ? true : portable(value as JsonSchema)
}

/** What JSON numbers cannot exceed anyway without losing digits. */
function isVacuous(keyword: string, value: unknown): boolean {
  return (
    (keyword === 'maximum' && value === Number.MAX_SAFE_INTEGER) ||
    (keyword === 'minimum' && value === Number.MIN_SAFE_INTEGER)
  )
}

/** Several types become alternatives; the other keywords stay where they are, since each applies to its own types only. */
function withOneType(schema: JsonSchema): JsonSchema {
  const accepted = Object.keys(schema).every(keyword => annotations.includes(keyword)) ? jsonTypes : schema['type']
  if (!Array.isArray(accepted)) return schema
  const { type: _, ...rest } = schema
  const alternatives = accepted.map((type: unknown) => ({ type }))
  return 'anyOf' in rest ? { allOf: [rest, { anyOf: alternatives }] } : { ...rest, anyOf: alternatives }
}
