import { z } from 'zod'
import { jsonFrom } from '../extract.ts'
import { same } from './code.ts'
import { text, verdict, type Difficulty, type Suite, type Task } from './suite.ts'

interface Form {
  name: string
  difficulty: Difficulty
  wanted: string
  schema: Record<string, unknown>
  /** The one right value, or a predicate in addition to the schema. */
  right: { equals: unknown } | { holds: (value: never) => boolean; sample: unknown }
  wrong: string
  /** Whether the schema is also sent as `response_format`, as clients with structured output do. */
  constrained?: boolean
}

const object = (properties: Record<string, unknown>, optional: readonly string[] = []) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter(name => !optional.includes(name)),
  additionalProperties: false,
})
const list = (items: unknown, more: Record<string, unknown> = {}) => ({ type: 'array', items, ...more })
const string = { type: 'string' }
const integer = { type: 'integer' }
const number = { type: 'number' }

const forms: readonly Form[] = [
  {
    name: 'contact',
    difficulty: 'easy',
    wanted: 'Extract the contact from: "Please call Mara Okafor (mara@example.org) on +44 20 7946 0018."',
    schema: object({ name: string, email: string, phone: string }),
    right: { equals: { name: 'Mara Okafor', email: 'mara@example.org', phone: '+44 20 7946 0018' } },
    wrong: '{"name": "Mara Okafor", "mail": "mara@example.org", "phone": "+44 20 7946 0018"}',
  },
  {
    name: 'boolean-flags',
    difficulty: 'easy',
    wanted: 'A door is closed and locked, the light is on, the window was not mentioned (null). Describe that.',
    schema: object({
      door_open: { type: 'boolean' },
      door_locked: { type: 'boolean' },
      light_on: { type: 'boolean' },
      window_open: { type: ['boolean', 'null'] },
    }),
    right: { equals: { door_open: false, door_locked: true, light_on: true, window_open: null } },
    wrong: '{"door_open": "false", "door_locked": "true", "light_on": "true", "window_open": null}',
    constrained: true,
  },
  {
    name: 'fruit-list',
    difficulty: 'easy',
    wanted:
      'Turn "3 apples, a dozen eggs and half a kilo of rice" into items; eggs and apples in "piece", rice in "g".',
    schema: object({
      items: list(
        object({ name: { enum: ['apples', 'eggs', 'rice'] }, amount: number, unit: { enum: ['piece', 'g'] } }),
      ),
    }),
    right: {
      equals: {
        items: [
          { name: 'apples', amount: 3, unit: 'piece' },
          { name: 'eggs', amount: 12, unit: 'piece' },
          { name: 'rice', amount: 500, unit: 'g' },
        ],
      },
    },
    wrong:
      '{"items": [{"name": "apples", "amount": 3, "unit": "piece"}, {"name": "eggs", "amount": 1, "unit": "dozen"}, {"name": "rice", "amount": 0.5, "unit": "kg"}]}',
  },
  {
    name: 'sentiment',
    difficulty: 'easy',
    wanted: 'Classify each review, in order: "Loved it, will buy again." / "Broke after a day." / "It is a chair."',
    schema: object({ labels: list({ enum: ['positive', 'negative', 'neutral'] }, { minItems: 3, maxItems: 3 }) }),
    right: { equals: { labels: ['positive', 'negative', 'neutral'] } },
    wrong: '{"labels": ["positive", "negative"]}',
    constrained: true,
  },
  {
    name: 'escape-strings',
    difficulty: 'easy',
    wanted:
      'Give back this text under the key "text", character by character, line break included:\nShe said "C:\\new" —\n\\o/',
    schema: object({ text: string }),
    right: { equals: { text: 'She said "C:\\new" —\n\\o/' } },
    wrong: '{"text": "She said \\"C:\\new\\" —\\n\\\\o/"}',
  },
  {
    name: 'invoice',
    difficulty: 'medium',
    wanted:
      'Extract: "INVOICE 2024-017, due 15 March 2024. 4 x Cable at 2.50 EUR; 1 x Router at 80 EUR. Shipping is free." Dates are ISO; totals are computed by you; shipping counts 0.',
    schema: object({
      number: string,
      due: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      lines: list(object({ name: string, quantity: integer, unit_price: number, total: number })),
      shipping: number,
      total: number,
    }),
    right: {
      equals: {
        number: '2024-017',
        due: '2024-03-15',
        currency: 'EUR',
        lines: [
          { name: 'Cable', quantity: 4, unit_price: 2.5, total: 10 },
          { name: 'Router', quantity: 1, unit_price: 80, total: 80 },
        ],
        shipping: 0,
        total: 90,
      },
    },
    wrong:
      '{"number": "2024-017", "due": "2024-03-15", "currency": "EUR", "lines": [{"name": "Cable", "quantity": 4, "unit_price": 2.5, "total": 10}, {"name": "Router", "quantity": 1, "unit_price": 80, "total": 80}], "shipping": 0, "total": 82.5}',
  },
  {
    name: 'tree',
    difficulty: 'medium',
    wanted:
      'Represent this folder: src holds index.ts and lib; lib holds a.ts and an empty folder old. Files have no children key; entries are in alphabetical order.',
    schema: {
      ...object({ name: string, children: list({ $ref: '#/$defs/node' }) }),
      $defs: {
        node: {
          type: 'object',
          properties: { name: string, children: list({ $ref: '#/$defs/node' }) },
          required: ['name'],
          additionalProperties: false,
        },
      },
    },
    right: {
      equals: {
        name: 'src',
        children: [{ name: 'index.ts' }, { name: 'lib', children: [{ name: 'a.ts' }, { name: 'old', children: [] }] }],
      },
    },
    wrong:
      '{"name": "src", "children": [{"name": "index.ts"}, {"name": "lib", "children": [{"name": "a.ts"}, {"name": "old"}]}]}',
  },
  {
    name: 'test-users',
    difficulty: 'medium',
    wanted:
      'Invent four test users: ages from 18 to 30, all different, logins that are all different and at least two users of the role "admin".',
    schema: object({
      users: list(
        object({
          login: { type: 'string', pattern: '^[a-z][a-z0-9_]{2,11}$' },
          age: { type: 'integer', minimum: 18, maximum: 30 },
          role: { enum: ['admin', 'guest'] },
        }),
        { minItems: 4, maxItems: 4 },
      ),
    }),
    right: {
      holds: ({ users }: { users: { login: string; age: number; role: string }[] }) =>
        new Set(users.map(user => user.login)).size === 4 &&
        new Set(users.map(user => user.age)).size === 4 &&
        users.filter(user => user.role === 'admin').length >= 2,
      sample: {
        users: [
          { login: 'ann_1', age: 18, role: 'admin' },
          { login: 'bob', age: 20, role: 'admin' },
          { login: 'cyd', age: 25, role: 'guest' },
          { login: 'dee', age: 30, role: 'guest' },
        ],
      },
    },
    wrong:
      '{"users": [{"login": "Ann", "age": 18, "role": "admin"}, {"login": "bob", "age": 20, "role": "admin"}, {"login": "cyd", "age": 25, "role": "guest"}, {"login": "dee", "age": 30, "role": "guest"}]}',
    constrained: true,
  },
  {
    name: 'no-extras',
    difficulty: 'medium',
    wanted:
      'A book: "Small Gardens" by Ito and Brandt, 2019, 212 pages, ISBN unknown. Leave out what is unknown; put nothing in that the schema does not name.',
    schema: object(
      {
        title: string,
        authors: list(string, { minItems: 1 }),
        year: integer,
        isbn: { type: 'string', pattern: '^[0-9-]{10,17}$' },
      },
      ['isbn'],
    ),
    right: { equals: { title: 'Small Gardens', authors: ['Ito', 'Brandt'], year: 2019 } },
    wrong: '{"title": "Small Gardens", "authors": ["Ito", "Brandt"], "year": 2019, "isbn": "unknown"}',
  },
  {
    name: 'map-of-counts',
    difficulty: 'medium',
    wanted: 'Count the letters of the word "balloonist": an object from each letter that occurs to how often.',
    schema: { type: 'object', additionalProperties: { type: 'integer', minimum: 1 } },
    right: { equals: { b: 1, a: 1, l: 2, o: 2, n: 1, i: 1, s: 1, t: 1 } },
    wrong: '{"b": 1, "a": 1, "l": 2, "o": 2, "n": 1, "i": 1, "s": 2, "t": 1}',
  },
  {
    name: 'union-events',
    difficulty: 'hard',
    wanted:
      'Log of a shop: at 10:00 order 7 was placed for 25.5; at 10:05 it was paid by card; at 10:30 it was cancelled because "out of stock". Give the events in order.',
    schema: object({
      events: list({
        oneOf: [
          object({ type: { const: 'placed' }, at: string, order: integer, total: number }),
          object({ type: { const: 'paid' }, at: string, order: integer, method: { enum: ['card', 'cash'] } }),
          object({ type: { const: 'cancelled' }, at: string, order: integer, reason: string }),
        ],
      }),
    }),
    right: {
      equals: {
        events: [
          { type: 'placed', at: '10:00', order: 7, total: 25.5 },
          { type: 'paid', at: '10:05', order: 7, method: 'card' },
          { type: 'cancelled', at: '10:30', order: 7, reason: 'out of stock' },
        ],
      },
    },
    wrong:
      '{"events": [{"type": "placed", "at": "10:00", "order": 7, "total": 25.5}, {"type": "paid", "at": "10:05", "order": 7, "method": "card", "total": 25.5}, {"type": "cancelled", "at": "10:30", "order": 7, "reason": "out of stock"}]}',
  },
  {
    name: 'timetable',
    difficulty: 'hard',
    wanted:
      'Plan talks A (60 min), B (30 min), C (45 min) and D (45 min) in one room from 09:00 to 12:30 with a 30-minute break between 10:30 and 11:30 (anywhere inside), no overlaps, B directly after A, and D last. Break and talks together, sorted by start.',
    schema: object({
      slots: list(
        object({
          what: { enum: ['A', 'B', 'C', 'D', 'break'] },
          start: { type: 'string', pattern: '^\\d{2}:\\d{2}$' },
          end: { type: 'string', pattern: '^\\d{2}:\\d{2}$' },
        }),
        { minItems: 5, maxItems: 5 },
      ),
    }),
    right: {
      holds: ({ slots }: { slots: { what: string; start: string; end: string }[] }) => {
        const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
        const of = (what: string) => slots.find(slot => slot.what === what)
        const length: Record<string, number> = { A: 60, B: 30, C: 45, D: 45, break: 30 }
        return (
          new Set(slots.map(slot => slot.what)).size === 5 &&
          slots.every(slot => minutes(slot.end) - minutes(slot.start) === length[slot.what]) &&
          slots.every((slot, index) => index === 0 || minutes(slot.start) >= minutes(slots[index - 1]!.end)) &&
          minutes(slots[0]!.start) >= 540 &&
          minutes(slots[4]!.end) <= 750 &&
          slots[4]!.what === 'D' &&
          of('B')!.start === of('A')!.end &&
          minutes(of('break')!.start) >= 630 &&
          minutes(of('break')!.end) <= 690
        )
      },
      sample: {
        slots: [
          { what: 'A', start: '09:00', end: '10:00' },
          { what: 'B', start: '10:00', end: '10:30' },
          { what: 'break', start: '10:30', end: '11:00' },
          { what: 'C', start: '11:00', end: '11:45' },
          { what: 'D', start: '11:45', end: '12:30' },
        ],
      },
    },
    wrong:
      '{"slots": [{"what": "A", "start": "09:00", "end": "10:00"}, {"what": "B", "start": "10:00", "end": "10:30"}, {"what": "C", "start": "10:30", "end": "11:15"}, {"what": "break", "start": "11:15", "end": "11:45"}, {"what": "D", "start": "11:45", "end": "12:30"}]}',
  },
  {
    name: 'merge-records',
    difficulty: 'hard',
    wanted:
      'Merge these into one record per id, sorted by id. Later lines win, tags add up without repetition in alphabetical order, a null removes the field.\n{"id": 2, "name": "b", "tags": ["y"]}\n{"id": 1, "name": "a", "note": "n", "tags": ["z"]}\n{"id": 2, "name": "B", "tags": ["x", "y"]}\n{"id": 1, "note": null, "tags": []}',
    schema: object({
      records: list({
        type: 'object',
        properties: { id: integer, name: string, note: string, tags: list(string, { uniqueItems: true }) },
        required: ['id', 'name', 'tags'],
        additionalProperties: false,
      }),
    }),
    right: {
      equals: {
        records: [
          { id: 1, name: 'a', tags: ['z'] },
          { id: 2, name: 'B', tags: ['x', 'y'] },
        ],
      },
    },
    wrong:
      '{"records": [{"id": 1, "name": "a", "note": null, "tags": ["z"]}, {"id": 2, "name": "B", "tags": ["y", "x", "y"]}]}',
  },
  {
    name: 'matrix',
    difficulty: 'hard',
    wanted:
      'Give the 3 by 3 matrix whose entry in row r and column c (both from 0) is r * 10 + c when r + c is even, else null; and the sum of its numbers.',
    schema: object({
      rows: list(list({ type: ['integer', 'null'] }, { minItems: 3, maxItems: 3 }), { minItems: 3, maxItems: 3 }),
      sum: integer,
    }),
    right: {
      equals: {
        rows: [
          [0, null, 2],
          [null, 11, null],
          [20, null, 22],
        ],
        sum: 55,
      },
    },
    wrong: '{"rows": [[0, 1, 2], [10, 11, 12], [20, 21, 22]], "sum": 99}',
    constrained: true,
  },
  {
    name: 'config-migration',
    difficulty: 'hard',
    wanted:
      'Migrate {"host": "db1:5432", "timeout": "1m30s", "retries": "3", "ssl": "yes", "pool": "2-10"} to the new form: seconds for the timeout, numbers as numbers, port apart from host.',
    schema: object({
      host: string,
      port: integer,
      timeout_seconds: integer,
      retries: integer,
      ssl: { type: 'boolean' },
      pool: object({ min: integer, max: integer }),
    }),
    right: {
      equals: { host: 'db1', port: 5432, timeout_seconds: 90, retries: 3, ssl: true, pool: { min: 2, max: 10 } },
    },
    wrong:
      '{"host": "db1", "port": 5432, "timeout_seconds": 130, "retries": 3, "ssl": true, "pool": {"min": 2, "max": 10}}',
    constrained: true,
  },
]

function formTask({ name, difficulty, wanted, schema, right, wrong, constrained = false }: Form): Task {
  return {
    id: `json-output/${name}`,
    difficulty,
    ask: () => ({
      messages: [
        {
          role: 'user',
          content: `${wanted}\n\nReply with one JSON value that is valid against this JSON schema, and nothing else:\n\n${JSON.stringify(schema)}`,
        },
      ],
      ...(constrained && {
        response_format: {
          type: 'json_schema',
          json_schema: { name: name.replaceAll('-', '_'), strict: true, schema },
        },
      }),
    }),
    check: reply => {
      const value = jsonFrom(reply.content ?? '')
      if (value === undefined) return verdict('the reply contains no JSON')
      const valid = z.fromJSONSchema(schema).safeParse(value)
      if (!valid.success) return verdict(`not valid against the schema: ${valid.error.issues[0]?.message}`)
      if ('equals' in right)
        return verdict(
          same(value, right.equals)
            ? undefined
            : `expected ${JSON.stringify(right.equals).slice(0, 200)}, got ${JSON.stringify(value).slice(0, 200)}`,
        )
      return verdict(right.holds(value as never) ? undefined : 'valid, but it does not do what was asked')
    },
    reference: text(JSON.stringify('equals' in right ? right.equals : right.sample)),
    wrong: text(wrong),
  }
}

export const jsonOutput: Suite = {
  name: 'json-output',
  title: 'JSON by schema',
  version: 1,
  maxOutputTokens: 2_048,
  tasks: forms.map(formTask),
}
