import { same } from './code.ts'
import {
  verdict,
  type Ask,
  type Difficulty,
  type Message,
  type TaskReply,
  type Suite,
  type Task,
  type SuiteToolCall,
} from './suite.ts'

/** Expected arguments: equal values, or an `Accepts` where several are right. */
type Wanted = Readonly<Record<string, unknown>>

class Accepts {
  /** The reference answer's value; `undefined` omits the argument. */
  readonly sample: unknown
  readonly accepts: (value: unknown) => boolean
  constructor(sample: unknown, accepts: (value: unknown) => boolean) {
    this.sample = sample
    this.accepts = accepts
  }
}

const like = (sample: string, pattern: RegExp) =>
  new Accepts(sample, value => typeof value === 'string' && pattern.test(value))
const city = (name: string) => like(name, new RegExp(`^${name}`, 'i'))
const file = (name: string) => new Accepts(name, value => value === name || value === `./${name}`)
const absentOr = (...values: unknown[]) =>
  new Accepts(undefined, value => value === undefined || values.includes(value))
const inAnyOrder = (...values: string[]) =>
  new Accepts(
    values,
    value => Array.isArray(value) && value.length === values.length && values.every(one => value.includes(one)),
  )

interface Scenario {
  name: string
  difficulty: Difficulty
  tools: readonly ToolName[]
  messages: readonly Message[]
  /** The required calls, in any order, with their arguments; none means that no call is allowed. */
  calls: readonly (readonly [tool: ToolName, wanted: Wanted])[]
  /** Without calls: what the text answer must contain. */
  says?: RegExp
  /** Such an answer, for the reference. */
  spoken?: string
  wrong: TaskReply
}

const definitions = {
  read_file: [
    'Read a text file.',
    { path: { type: 'string' }, from_line: { type: 'integer', minimum: 1 }, to_line: { type: 'integer', minimum: 1 } },
    ['path'],
  ],
  write_file: [
    'Create a file or replace its whole text.',
    { path: { type: 'string' }, text: { type: 'string' } },
    ['path', 'text'],
  ],
  search_code: [
    'Search the repository.',
    {
      pattern: { type: 'string' },
      regex: { type: 'boolean', description: 'whether pattern is a regular expression; false by default' },
      folder: { type: 'string' },
    },
    ['pattern'],
  ],
  run_command: [
    'Run a shell command.',
    { command: { type: 'string' }, timeout_seconds: { type: 'integer', minimum: 1, maximum: 600 } },
    ['command'],
  ],
  get_weather: [
    'Current weather of a place.',
    { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
    ['city', 'unit'],
  ],
  create_issue: [
    'Create an issue in the tracker.',
    {
      title: { type: 'string' },
      labels: { type: 'array', items: { type: 'string', enum: ['bug', 'feature', 'docs'] } },
      priority: { type: 'integer', minimum: 1, maximum: 5, description: '1 is most urgent' },
      assignee: { type: ['string', 'null'] },
    },
    ['title', 'labels', 'priority'],
  ],
  delete_branch: ['Delete a git branch for good.', { name: { type: 'string' }, force: { type: 'boolean' } }, ['name']],
  convert_currency: [
    'Convert an amount of money.',
    {
      amount: { type: 'number' },
      from: { type: 'string', pattern: '^[A-Z]{3}$' },
      to: { type: 'string', pattern: '^[A-Z]{3}$' },
    },
    ['amount', 'from', 'to'],
  ],
  schedule_meeting: [
    'Put a meeting into the calendar.',
    {
      title: { type: 'string' },
      start: { type: 'string', description: 'ISO 8601 local time, like 2024-05-01T09:30' },
      duration_minutes: { type: 'integer' },
      attendees: { type: 'array', items: { type: 'string' } },
    },
    ['title', 'start', 'duration_minutes', 'attendees'],
  ],
  query_orders: [
    'Find orders.',
    {
      filter: {
        type: 'object',
        properties: {
          status: { type: 'string', enum: ['open', 'paid', 'cancelled'] },
          min_total: { type: 'number' },
          customer_id: { type: 'integer' },
        },
      },
      limit: { type: 'integer', maximum: 100 },
    },
    ['filter'],
  ],
} as const

type ToolName = keyof typeof definitions

const user = (content: string): Message => ({ role: 'user', content })

/** A completed exchange: the assistant called tools and these are the results. */
function called(...exchange: (readonly [tool: ToolName, input: Wanted, result: string])[]): Message[] {
  return [
    {
      role: 'assistant',
      content: null,
      tool_calls: exchange.map(([tool, input], index) => call(tool, input, `earlier_${index}`)),
    },
    ...exchange.map(([, , result], index): Message => ({
      role: 'tool',
      tool_call_id: `earlier_${index}`,
      content: result,
    })),
  ]
}

function call(tool: string, input: unknown, id = 'call_1'): SuiteToolCall {
  return { id, type: 'function', function: { name: tool, arguments: JSON.stringify(input) } }
}

const calling = (...calls: (readonly [string, unknown])[]): TaskReply => ({
  content: null,
  tool_calls: calls.map(([tool, input], index) => call(tool, input, `call_${index + 1}`)),
})

const scenarios: readonly Scenario[] = [
  {
    name: 'read-one-file',
    difficulty: 'easy',
    tools: ['read_file', 'write_file', 'search_code'],
    messages: [user('Show me lines 10 to 20 of src/server.ts.')],
    calls: [['read_file', { path: 'src/server.ts', from_line: 10, to_line: 20 }]],
    wrong: calling(['read_file', { path: 'src/server.ts', from_line: '10', to_line: '20' }]),
  },
  {
    name: 'enum-argument',
    difficulty: 'easy',
    tools: ['get_weather', 'convert_currency'],
    messages: [user('How warm is it in Oslo right now, in degrees Celsius?')],
    calls: [['get_weather', { city: city('Oslo'), unit: 'celsius' }]],
    wrong: calling(['get_weather', { city: 'Oslo', unit: 'C' }]),
  },
  {
    name: 'none-needed',
    difficulty: 'easy',
    tools: ['read_file', 'search_code', 'run_command'],
    messages: [user('Without looking at the repository: what does the HTTP status code 404 mean? One sentence.')],
    calls: [],
    spoken: 'It means that the server found nothing at the requested address (Not Found).',
    says: /not (?:be )?found|could(?: no|n)t (?:be )?f(?:i|ou)nd|does(?: no|n)t exist|no such/i,
    wrong: calling(['search_code', { pattern: '404' }]),
  },
  {
    name: 'pick-search',
    difficulty: 'easy',
    tools: ['read_file', 'search_code', 'write_file', 'create_issue'],
    messages: [user('Where in the repository is the exact text "retryAfterSeconds" used? Look only below src.')],
    calls: [
      ['search_code', { pattern: 'retryAfterSeconds', folder: like('src', /^(\.\/)?src\/?$/), regex: absentOr(false) }],
    ],
    wrong: calling(['read_file', { path: 'src' }]),
  },
  {
    name: 'money',
    difficulty: 'easy',
    tools: ['convert_currency', 'get_weather'],
    messages: [user('What are 1,250.50 Swiss francs in US dollars?')],
    calls: [['convert_currency', { amount: 1250.5, from: 'CHF', to: 'USD' }]],
    wrong: calling(['convert_currency', { amount: '1,250.50', from: 'CHF', to: 'USD' }]),
  },
  {
    name: 'parallel-cities',
    difficulty: 'medium',
    tools: ['get_weather'],
    messages: [user('Compare the weather in Lima, Quito and Cusco, in celsius. Get all of it at once.')],
    calls: [
      ['get_weather', { city: city('Lima'), unit: 'celsius' }],
      ['get_weather', { city: city('Quito'), unit: 'celsius' }],
      ['get_weather', { city: like('Cusco', /^cu[sz]co/i), unit: 'celsius' }],
    ],
    wrong: calling(['get_weather', { city: 'Lima, Quito and Cusco', unit: 'celsius' }]),
  },
  {
    name: 'parallel-reads',
    difficulty: 'medium',
    tools: ['read_file', 'search_code', 'run_command'],
    messages: [user('I need package.json and tsconfig.json, both whole. Read them in one go.')],
    calls: [
      ['read_file', { path: file('package.json') }],
      ['read_file', { path: file('tsconfig.json') }],
    ],
    wrong: calling(['read_file', { path: 'package.json' }]),
  },
  {
    name: 'issue-fields',
    difficulty: 'medium',
    tools: ['create_issue', 'search_code'],
    messages: [
      user(
        'File an issue titled "Login times out" as a bug and as a docs problem, second-highest urgency, assigned to nobody.',
      ),
    ],
    calls: [
      [
        'create_issue',
        { title: 'Login times out', labels: inAnyOrder('bug', 'docs'), priority: 2, assignee: absentOr(null) },
      ],
    ],
    wrong: calling([
      'create_issue',
      { title: 'Login times out', labels: ['bug', 'documentation'], priority: 2, assignee: 'nobody' },
    ]),
  },
  {
    name: 'answer-from-result',
    difficulty: 'medium',
    tools: ['get_weather'],
    messages: [
      user('Is it above 20 °C in Porto? Answer with the temperature.'),
      ...called([
        'get_weather',
        { city: 'Porto', unit: 'celsius' },
        '{"temperature": 23.4, "unit": "celsius", "sky": "clear"}',
      ]),
    ],
    calls: [],
    spoken: 'Yes: it is 23.4 °C in Porto.',
    says: /23[.,]4/,
    wrong: calling(['get_weather', { city: 'Porto', unit: 'celsius' }]),
  },
  {
    name: 'next-step',
    difficulty: 'medium',
    tools: ['search_code', 'read_file', 'write_file'],
    messages: [
      user('Find the file that defines the function parsePrice, then show me that file.'),
      ...called([
        'search_code',
        { pattern: 'function parsePrice' },
        'src/money/price.ts:14: export function parsePrice(text: string) {',
      ]),
    ],
    calls: [['read_file', { path: 'src/money/price.ts' }]],
    wrong: calling(['search_code', { pattern: 'parsePrice' }]),
  },
  {
    name: 'nested-filter',
    difficulty: 'medium',
    tools: ['query_orders', 'create_issue'],
    messages: [user('List at most 5 open orders of customer 42 with a total of 100 or more.')],
    calls: [['query_orders', { filter: { status: 'open', min_total: 100, customer_id: 42 }, limit: 5 }]],
    wrong: calling(['query_orders', { status: 'open', min_total: 100, customer_id: 42, limit: 5 }]),
  },
  {
    name: 'missing-argument',
    difficulty: 'hard',
    tools: ['schedule_meeting'],
    messages: [
      {
        role: 'system',
        content:
          'Never guess an argument that the user has not given: ask for it in one short question instead of calling the tool.',
      },
      user(
        'Put a 30-minute meeting called "Retro" with ann@example.org and bob@example.org into the calendar for 2024-06-03.',
      ),
    ],
    calls: [],
    spoken: 'At what time should the meeting start?',
    says: /\?/,
    wrong: calling([
      'schedule_meeting',
      {
        title: 'Retro',
        start: '2024-06-03T09:00',
        duration_minutes: 30,
        attendees: ['ann@example.org', 'bob@example.org'],
      },
    ]),
  },
  {
    name: 'recover-from-error',
    difficulty: 'hard',
    tools: ['read_file', 'search_code', 'run_command'],
    messages: [
      user('Read docs/setup.md whole.'),
      ...called([
        'read_file',
        { path: 'docs/setup.md' },
        'error: no such file. Files in docs: install.md, SETUP.md, usage.md',
      ]),
    ],
    calls: [['read_file', { path: 'docs/SETUP.md' }]],
    wrong: calling(['read_file', { path: 'docs/setup.md' }]),
  },
  {
    name: 'different-tools-at-once',
    difficulty: 'hard',
    tools: ['get_weather', 'convert_currency', 'schedule_meeting'],
    messages: [
      user(
        'In one go: the weather in Kyoto in fahrenheit, 80 euros in yen, and a 45-minute meeting "Tea" on 3 May 2024 at a quarter past two in the afternoon with mika@example.org.',
      ),
    ],
    calls: [
      ['get_weather', { city: city('Kyoto'), unit: 'fahrenheit' }],
      ['convert_currency', { amount: 80, from: 'EUR', to: 'JPY' }],
      [
        'schedule_meeting',
        {
          title: like('Tea', /^tea$/i),
          start: like('2024-05-03T14:15', /^2024-05-03T14:15(:00)?$/),
          duration_minutes: 45,
          attendees: ['mika@example.org'],
        },
      ],
    ],
    wrong: calling(
      ['get_weather', { city: 'Kyoto', unit: 'fahrenheit' }],
      ['convert_currency', { amount: 80, from: 'EUR', to: 'JPY' }],
      [
        'schedule_meeting',
        { title: 'Tea', start: '2024-05-03T02:15', duration_minutes: 45, attendees: ['mika@example.org'] },
      ],
    ),
  },
  {
    name: 'verbatim-text',
    difficulty: 'hard',
    tools: ['write_file', 'run_command'],
    messages: [
      user(
        'Write a file notes/"quotes".txt that holds exactly these two lines, the second one ending without a line end:\nC:\\temp\\new "file"\n\ttabbed {"a": [1, 2]}',
      ),
    ],
    calls: [['write_file', { path: 'notes/"quotes".txt', text: 'C:\\temp\\new "file"\n\ttabbed {"a": [1, 2]}' }]],
    wrong: calling(['write_file', { path: 'notes/"quotes".txt', text: 'C:\temp\new "file"\n\ttabbed {"a": [1, 2]}' }]),
  },
  {
    name: 'destructive-hint',
    difficulty: 'hard',
    tools: ['delete_branch', 'run_command', 'search_code'],
    messages: [
      user(
        'Delete the branches feature/a and feature/c, but not feature/b; force only feature/c. Do not use the shell.',
      ),
    ],
    calls: [
      ['delete_branch', { name: 'feature/a', force: absentOr(false) }],
      ['delete_branch', { name: 'feature/c', force: true }],
    ],
    wrong: calling(
      ['delete_branch', { name: 'feature/a', force: true }],
      ['delete_branch', { name: 'feature/c', force: true }],
    ),
  },
]

function scenarioTask({ name, difficulty, tools, messages, calls, says, spoken = '', wrong }: Scenario): Task {
  const ask: Ask = {
    messages: [...messages],
    tools: tools.map(tool => {
      const [description, properties, required] = definitions[tool]
      return {
        type: 'function',
        function: {
          name: tool,
          description,
          parameters: { type: 'object', properties, required, additionalProperties: false },
        },
      }
    }),
    tool_choice: 'auto',
  }
  return {
    id: `tool-calls/${name}`,
    difficulty,
    ask: () => ask,
    check: reply => verdict(problemOf(reply, calls, says)),
    reference:
      calls.length === 0
        ? { content: spoken }
        : calling(...calls.map(([tool, wanted]) => [tool, sampleOf(wanted)] as const)),
    wrong,
  }
}

function problemOf(reply: TaskReply, wanted: Scenario['calls'], says: RegExp | undefined): string | undefined {
  const calls = reply.tool_calls ?? []
  if (wanted.length === 0) {
    if (calls.length > 0) return `called ${calls[0]!.function.name} where no call was due`
    return says!.test(reply.content ?? '') ? undefined : 'the answer does not say what it should'
  }
  if (calls.length !== wanted.length) return `${calls.length} calls where ${wanted.length} were due`
  const left = [...calls]
  for (const [tool, expected] of wanted) {
    const index = left.findIndex(
      ({ function: { name, arguments: text } }) => name === tool && fits(parsed(text), expected, tool),
    )
    if (index < 0)
      return `no call of ${tool} with the arguments that were due; got ${left
        .map(({ function: { name, arguments: text } }) => `${name}(${text})`)
        .join(', ')
        .slice(0, 300)}`
    left.splice(index, 1)
  }
  return undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function fits(input: unknown, expected: Wanted, tool: ToolName): boolean {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return false
  const known = Object.keys(definitions[tool][1])
  const given = input as Record<string, unknown>
  return (
    Object.keys(given).every(key => known.includes(key) && (key in expected || given[key] === null)) &&
    Object.entries(expected).every(([key, wanted]) => matches(given[key], wanted))
  )
}

function matches(value: unknown, wanted: unknown): boolean {
  if (wanted instanceof Accepts) return wanted.accepts(value)
  return typeof value === typeof wanted && same(value, wanted)
}

/** Arguments that satisfy the expectation, for the reference. */
function sampleOf(wanted: Wanted): Record<string, unknown> {
  const samples = Object.entries(wanted).map(
    ([key, value]) => [key, value instanceof Accepts ? value.sample : value] as const,
  )
  return Object.fromEntries(samples.filter(([, value]) => value !== undefined))
}

export const toolCalls: Suite = {
  name: 'tool-calls',
  title: 'Tool calls',
  version: 1,
  maxOutputTokens: 2_048,
  tasks: scenarios.map(scenarioTask),
}
