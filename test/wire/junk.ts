import * as fc from 'fast-check'

type Json = Record<string, unknown>

/** Requests with an invalid value somewhere inside, and values that are not a request at all. */
export function junk(requests: fc.Arbitrary<Json>): fc.Arbitrary<unknown> {
  const path = fc.array(fc.nat(), { minLength: 1 })
  const broken = fc.tuple(requests, path, fc.jsonValue()).map(([request, path, value]) => {
    const copy = structuredClone(request)
    replace(copy, path, value)
    return copy
  })
  return fc.oneof(broken, fc.jsonValue())
}

/** Each number of `path` picks a field on the way in. */
function replace(object: Json, path: readonly number[], value: unknown): void {
  const [step, ...rest] = path
  const names = Object.keys(object)
  if (step === undefined || names.length === 0) return
  const name = names[step % names.length]!
  const inner = object[name]
  if (rest.length === 0 || typeof inner !== 'object' || inner === null) object[name] = value
  else replace(inner as Json, rest, value)
}
