import * as fc from 'fast-check'

/** Names that objects inherit, and what breaks programs that look at texts by their letters. */
export const hostileString = fc.constantFrom(
  'constructor',
  '__proto__',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  '\0',
  '\ud83d',
  '\udc00\ud83d',
  '\ufeff',
  '\u2028',
  '\u202e',
  'null',
  'NaN',
  '-1',
  '1e308',
  '../../etc/passwd',
  '%00%ff',
  "' OR 1=1 --",
  '${7*7}',
  '{{7*7}}',
  '\r\nx-injected: 1',
  '*'.repeat(60),
  '('.repeat(300),
  'a'.repeat(5_000),
  '9'.repeat(400),
  '🏳️‍🌈'.repeat(50),
)

/** Values of the wrong type, size or depth, as JSON texts: some of them have no JavaScript value. */
const hostileJson = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    '0',
    '-0',
    '-1',
    '1.5',
    '1e308',
    '-1e308',
    '1e400',
    '9007199254740993',
    '""',
    '[]',
    '{}',
    '[[]]',
    '[null]',
  ),
  fc.constantFrom(
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '{"then":1}',
    '{"toJSON":1}',
    '{"length":1e9}',
  ),
  fc.constantFrom('"\\ud83d"', '"\\u0000"', '"\\udc00x"'),
  fc.integer({ min: 2, max: 6 }).map(power => `"${'x'.repeat(10 ** power)}"`),
  fc.integer({ min: 10, max: 3_000 }).map(depth => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 10, max: 3_000 }).map(depth => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)),
  fc.integer({ min: 10, max: 5_000 }).map(count => `[${'1,'.repeat(count)}1]`),
  fc
    .integer({ min: 10, max: 2_000 })
    .map(count => `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`),
  hostileString.map(text => JSON.stringify(text)),
)

/** The JSON text of a value with hostile values in some of its places. */
export function mutatedJson(value: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const edits = fc.array(fc.tuple(fc.nat(10_000), hostileJson), { minLength: 1, maxLength: 2 })
  return fc.tuple(value, edits, fc.boolean()).map(([body, list, adds]) => {
    let marked: unknown = structuredClone(body)
    const texts = new Map<string, string>()
    for (const [index, [place, text]] of list.entries()) {
      const mark = `@hostile${index}@`
      texts.set(mark, text)
      marked = replaceAt(marked, place, mark, adds)
    }
    let json = JSON.stringify(marked) ?? 'null'
    for (const [mark, text] of texts) json = json.replaceAll(`"${mark}"`, () => text)
    return json
  })
}

/** Puts a mark at one place of a value, or in a field beside it. */
function replaceAt(value: unknown, place: number, mark: string, adds: boolean): unknown {
  const places: [Record<string, unknown>, string][] = []
  const collect = (inner: unknown) => {
    if (typeof inner !== 'object' || inner === null) return
    for (const key of Object.keys(inner)) {
      places.push([inner as Record<string, unknown>, key])
      collect((inner as Record<string, unknown>)[key])
    }
  }
  collect(value)
  const found = places[place % Math.max(1, places.length)]
  if (found === undefined) return mark
  const [owner, key] = found
  if (adds && !Array.isArray(owner)) owner['__proto__x'] = mark
  else owner[key] = mark
  return value
}

/** Bytes that are nearly the JSON of a value. */
export function brokenBytes(json: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc.tuple(json, fc.nat(8), fc.nat(10_000), fc.uint8Array({ maxLength: 6 })).map(([text, how, place, noise]) => {
    const bytes = Buffer.from(text)
    const position = place % (bytes.length + 1)
    switch (how) {
      case 0:
        return bytes.subarray(0, position)
      case 1:
        return Buffer.concat([Buffer.from('\ufeff'), bytes])
      case 2:
        return Buffer.concat([bytes.subarray(0, position), noise, bytes.subarray(position)])
      case 3:
        return Buffer.from(text, 'utf16le')
      case 4:
        return Buffer.concat([bytes, bytes])
      case 5:
        return Buffer.from(text.replaceAll(/\d+/g, 'NaN'))
      case 6:
        return Buffer.alloc(0)
      case 7:
        return Buffer.from(`${' \n'.repeat(1_000)}${text}`)
      default:
        return Buffer.from(text.replace('{', `{"model":"a","model":{},"__proto__":{"stream":true},`))
    }
  })
}
