import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { portableSchema } from '../../src/mcp/portable-schema.ts'
import { operations } from '../../src/operations/index.ts'

const portableKeywords = (
  '$schema type properties required additionalProperties items anyOf enum const description default ' +
  'minLength maxLength pattern format minItems maxItems minimum maximum'
).split(' ')

t.test('no tool’s schema has several types at once, or keywords that strict readers refuse', t => {
  for (const { name, input, output } of operations) {
    for (const [io, schema] of [
      ['input', input],
      ['output', output],
    ] as const) {
      const json = portableSchema(schema, io)
      t.equal(json['type'], 'object', name)
      for (const [place, part] of partsOf(json)) {
        const keywords = Object.keys(part)
        t.notOk(Array.isArray(part['type']), `${name} ${io}${place}: one type`)
        t.same(
          keywords.filter(keyword => !portableKeywords.includes(keyword)),
          [],
          `${name} ${io}${place}`,
        )
        t.ok(
          keywords.some(keyword => keyword !== 'description' && keyword !== 'default'),
          `${name} ${io}${place}`,
        )
      }
    }
  }
  t.end()
})

t.test('a portable schema accepts exactly what the schema of the operation accepts', t => {
  const schema = z.object({
    maybe: z.string().nullable(),
    count: z.int().nullable().describe('How many.'),
    share: z.number().min(0).max(1).nullable(),
    any: z.unknown(),
    list: z.array(z.boolean().nullable()),
    kind: z.enum(['a', 'b']).nullable(),
    map: z.record(z.string(), z.int()),
    open: z.record(z.string(), z.unknown()),
    either: z.union([z.string(), z.object({ type: z.string().nullable() })]).nullable(),
  })
  const validate = new Ajv2020({ strict: false }).compile(portableSchema(schema, 'output'))
  const leaf = fc.constantFrom<unknown>(
    null,
    'a',
    'c',
    '',
    0,
    1,
    0.5,
    -3,
    true,
    [],
    [null, true],
    [1],
    {},
    { x: 1 },
    {
      type: null,
    },
  )
  const value = fc.record({
    maybe: leaf,
    count: leaf,
    share: leaf,
    any: leaf,
    list: leaf,
    kind: leaf,
    map: leaf,
    open: leaf,
    either: leaf,
  })
  const good = { maybe: null, count: 1, share: 0.5, any: 0, list: [], kind: 'a', map: {}, open: {}, either: 'x' }
  // One field at a time is wrong, or else nothing random is ever accepted.
  const nearly = fc
    .tuple(value, fc.constantFrom(...(Object.keys(good) as (keyof typeof good)[])))
    .map(([other, key]) => ({ ...good, [key]: other[key] }))
  let accepted = 0
  fc.assert(
    fc.property(nearly, candidate => {
      const expected = schema.safeParse(candidate).success
      if (expected) accepted += 1
      return validate(candidate) === expected
    }),
    { numRuns: 500 },
  )
  t.ok(accepted > 50 && accepted < 450, 'some were accepted and some were not')
  t.end()
})

type JsonSchema = Record<string, unknown>

/** Every schema inside one, with its place. */
function* partsOf(schema: JsonSchema, place = ''): Generator<[string, JsonSchema]> {
  yield [place, schema]
  for (const [name, part] of Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)) {
    yield* partsOf(part, `${place}.${name}`)
  }
  for (const part of (schema['anyOf'] ?? []) as JsonSchema[]) yield* partsOf(part, `${place}|`)
  for (const keyword of ['items', 'additionalProperties']) {
    const part = schema[keyword]
    if (typeof part === 'object' && part !== null) yield* partsOf(part as JsonSchema, `${place}[]`)
  }
}
