import * as fc from 'fast-check'
import { hostileString } from './hostile-values.ts'

/** A JSON schema as OpenAPI 3.1 documents write it. */
export type Schema = Readonly<Record<string, unknown>>

const maxDepth = 5
const maxItems = 4

/** Values that a schema allows; `names` lists values that exist for fields of these names. */
export function arbitraryOf(
  schema: Schema,
  components: Readonly<Record<string, Schema>>,
  names: Readonly<Record<string, readonly unknown[]>>,
): fc.Arbitrary<unknown> {
  const build = (each: Schema, depth: number, field: string): fc.Arbitrary<unknown> => {
    if (typeof each['$ref'] === 'string') {
      const referred = components[each['$ref'].split('/').at(-1)!]
      return depth > maxDepth || referred === undefined ? fc.constant(null) : build(referred, depth + 1, field)
    }
    if ('const' in each) return fc.constant(each['const'])
    if (Array.isArray(each['enum'])) return fc.constantFrom(...(each['enum'] as unknown[]))
    const options = each['anyOf'] ?? each['oneOf']
    if (Array.isArray(options)) return fc.oneof(...(options as Schema[]).map(option => build(option, depth, field)))
    const { type } = each
    if (Array.isArray(type)) return fc.oneof(...type.map(one => build({ ...each, type: one }, depth, field)))
    switch (type) {
      case 'null':
        return fc.constant(null)
      case 'boolean':
        return fc.boolean()
      case 'integer':
      case 'number':
        return numberOf(each)
      case 'string':
        return stringFor(field)
      case 'array': {
        const item = build(asSchema(each['items']), depth + 1, field)
        return depth > maxDepth
          ? fc.constant([])
          : fc.array(item, { minLength: Number(each['minItems'] ?? 0), maxLength: maxItems })
      }
      case 'object':
        return depth > maxDepth ? fc.constant({}) : objectOf(each, depth)
      default:
        return fc.jsonValue({ maxDepth: 2 })
    }
  }
  const stringFor = (field: string) => {
    const known = names[field]
    const any = fc.oneof(fc.string({ maxLength: 20 }), hostileString)
    return known === undefined
      ? any
      : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: any })
  }
  const objectOf = (each: Schema, depth: number): fc.Arbitrary<unknown> => {
    const properties = Object.entries(asSchema(each['properties']))
    const required = Array.isArray(each['required']) ? (each['required'] as string[]) : []
    const model = Object.fromEntries(properties.map(([name, inner]) => [name, build(asSchema(inner), depth + 1, name)]))
    return fc.record(model, { requiredKeys: required.filter(name => Object.hasOwn(model, name)) })
  }
  return build(schema, 0, '')
}

function numberOf({ type, minimum, maximum, exclusiveMinimum }: Schema): fc.Arbitrary<number> {
  const min = Math.max(Number(minimum ?? exclusiveMinimum ?? -1000), -1e9)
  const max = Math.min(Number(maximum ?? 1_000_000), 1e9)
  return type === 'integer'
    ? fc.integer({ min: Math.ceil(min), max: Math.max(Math.ceil(min), Math.floor(max)) })
    : fc.double({ min, max: Math.max(min, max), noNaN: true })
}

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {}
}
