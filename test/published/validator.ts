import path from 'node:path'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { createGenerator } from 'ts-json-schema-generator'

/** How many faults of one value are told. */
const maxFaults = 5

/**
 * Compares values with the types of `types.ts`: what a type requires must be there, and everything must have its type; more fields
 * than a type has are allowed. Returns what is wrong, nothing for a valid value.
 */
export function createValidator(): (type: string, value: unknown) => string[] {
  const generator = createGenerator({
    path: path.join(import.meta.dirname, 'types.ts'),
    type: '*',
    skipTypeCheck: true,
    additionalProperties: true,
    jsDoc: 'none',
  })
  const ajv = new Ajv({ allErrors: true, strict: false })
  const compiled = new Map<string, ValidateFunction>()
  return (type, value) => {
    const validate = compiled.get(type) ?? ajv.compile(generator.createSchema(type))
    compiled.set(type, validate)
    return validate(value) ? [] : told(validate.errors ?? [])
  }
}

/** Of a union every member has its faults: those deepest in the value belong to the member that was meant. */
function told(errors: readonly ErrorObject[]): string[] {
  const depth = ({ instancePath }: ErrorObject) => instancePath.split('/').length
  const faults = errors
    .toSorted((a, b) => depth(b) - depth(a))
    .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
  return [...new Set(faults)].slice(0, maxFaults)
}
