import { seededRandom } from '../../../src/router/chance.ts'
import type { ChatRequest } from '../../../src/wire/chat/schema.ts'
import { requestOf, type Turn } from '../kinds/clients.ts'

/** A request, and the models that a senior engineer would accept for it. */
export interface FleetPrompt {
  name: string
  request: ChatRequest
  /** For a caller who wants a good enough answer for little, as `auto` promises. */
  auto: readonly string[]
  /** For a caller who wants the best answer, but pays nothing for a difference nobody can see. */
  quality: readonly string[]
  why: string
}

const small = ['qwen3:8b']
const strongFree = [
  'openai/gpt-oss-120b:free',
  'google/gemma-4-31b-it:free',
  'qwen/qwen3-coder:free',
  'qwen/qwen3-next-80b-a3b-instruct:free',
  'nvidia/nemotron-3-super-120b-a12b:free',
]
const free = [...strongFree, 'meta-llama/llama-3.3-70b-instruct:free']
/** Open models of the newest generation that come near the best for a tenth of the price. */
const cheapBest = ['deepseek/deepseek-v4-pro', 'qwen/qwen3.7-max', 'z-ai/glm-5.2', 'moonshotai/kimi-k2.7-code']
const cheap = [
  ...cheapBest,
  'deepseek/deepseek-v4-flash',
  'minimax/minimax-m3',
  'x-ai/grok-4.3',
  'google/gemini-3.1-flash-lite',
  'openai/gpt-5.4-nano',
  'openai/gpt-5.4-mini',
]
const middle = ['anthropic/claude-haiku-4.5', 'google/gemini-3.5-flash']
const great = ['anthropic/claude-sonnet-5', 'google/gemini-3.1-pro-preview', 'google/gemini-3.5-flash']
const frontier = ['anthropic/claude-opus-4.8', 'openai/gpt-5.5']
/** Nobody needs more than these for an everyday request, however good it must be. */
const everyday = [...free, ...cheap, ...middle]
const best = [...frontier, ...great, ...cheapBest]

const ask = (user: string, rest: { json?: boolean; image?: boolean } = {}) =>
  requestOf({ client: 'chat-page', turns: [{ user, image: rest.image }], json: rest.json })

const opening: Turn = {
  user: 'Add login with GitHub to the shop: OAuth flow, session cookie, a users table with a migration, and tests. Plan it first.',
}

/** Thirty requests as they come in practice, from small talk to an agent's turn with fourteen tools. */
export const fleetPrompts: readonly FleetPrompt[] = [
  {
    name: 'hi',
    request: ask('hi'),
    auto: small,
    quality: [...small, ...everyday],
    why: 'Small talk: the model in memory answers at once; nothing better can be told apart.',
  },
  {
    name: 'thanks, at the end of a chat',
    request: requestOf({
      client: 'chat-page',
      turns: [
        { user: 'How long do I boil an egg?' },
        { assistant: 'Seven minutes for a soft yolk, ten for a hard one.' },
        { user: 'Great, thank you!' },
      ],
    }),
    auto: small,
    quality: [...small, ...everyday],
    why: 'Small talk.',
  },
  {
    name: 'a capital',
    request: ask('What is the capital of Australia?'),
    auto: [...small, ...free],
    quality: [...small, ...everyday, ...great],
    why: 'A fact that every 8B model knows.',
  },
  {
    name: 'translate a sentence',
    request: ask('Translate into German: The meeting has been moved to Thursday at ten.'),
    auto: [...small, ...free],
    quality: [...everyday, ...great],
    why: 'Short and common.',
  },
  {
    name: 'summarize an email',
    request: ask(
      `Summarize this email in two sentences.\n\nHi all,\n\nthe supplier told us yesterday that the second batch of housings will arrive on 3 December instead of 19 November, since a tool broke. We can still ship the first 400 units on time. For the other 600 we either wait, or buy from the old supplier at 1.80 more per piece. Maria prefers waiting, because the customer has warehouse space until the end of the year. Please tell me by Friday whether anyone disagrees.\n\nBest,\nJon`,
    ),
    auto: [...small, ...free],
    quality: [...everyday, ...great],
    why: 'All that is needed is in the text.',
  },
  {
    name: 'a joke, in German',
    request: ask('Kannst du mir einen Witz über Programmierer erzählen?'),
    auto: [...small, ...free],
    quality: [...small, ...everyday, ...great],
    why: 'Small talk in another language.',
  },
  {
    name: 'decline a meeting',
    request: ask('Write a short polite email that declines a meeting on Friday afternoon and suggests Monday instead.'),
    auto: [...small, ...free],
    quality: [...everyday, ...great, ...frontier],
    why: 'Any model writes this.',
  },
  {
    name: 'reverse a string',
    request: ask('Write a Python function that reverses a string.'),
    auto: [...small, 'qwen2.5-coder:3b', ...free],
    quality: [...everyday, ...great],
    why: 'The easiest exercise there is.',
  },
  {
    name: 'explain a regex',
    request: ask('What does the regex ^\\d{4}-\\d{2}-\\d{2}$ match?'),
    auto: [...small, ...free],
    quality: [...everyday, ...great],
    why: 'One line to explain.',
  },
  {
    name: 'off by one',
    request: ask(
      'Why does this skip the last item?\n\n```js\nfor (let i = 0; i < items.length - 1; i++) {\n  print(items[i])\n}\n```',
    ),
    auto: [...small, ...free],
    quality: [...everyday, ...great, ...frontier],
    why: 'A bug seen at a glance.',
  },
  {
    name: 'cohort SQL',
    request: ask(
      'Write a PostgreSQL query for monthly cohort retention: users(id, created_at), events(user_id, at). One row per cohort and month offset, with the share of the cohort that was active, months without activity included.',
    ),
    auto: [...strongFree, ...cheap],
    quality: [...cheap, ...great, ...frontier],
    why: 'Generated series, window and gaps: small models get one of them wrong.',
  },
  {
    name: 'React form',
    request: ask(
      'Write a React component in TypeScript for an address form with validation messages below each field and a submit button that is disabled while sending.',
    ),
    auto: [...small, ...free, ...cheap],
    quality: [...cheap, ...great, ...frontier, ...strongFree],
    why: 'Common, of middling length.',
  },
  {
    name: 'race in Go',
    request: ask(
      `This worker pool sometimes deadlocks under load and sometimes loses results. Find all causes and fix it without changing the API.\n\n\`\`\`go\ntype Pool struct {\n\tmu      sync.Mutex\n\tjobs    chan Job\n\tresults map[int]Result\n\twg      sync.WaitGroup\n\tclosed  bool\n}\n\nfunc New(n int) *Pool {\n\tp := &Pool{jobs: make(chan Job), results: map[int]Result{}}\n\tfor i := 0; i < n; i++ {\n\t\tgo func() {\n\t\t\tp.wg.Add(1)\n\t\t\tdefer p.wg.Done()\n\t\t\tfor j := range p.jobs {\n\t\t\t\tr := j.Run()\n\t\t\t\tif r.Retry {\n\t\t\t\t\tp.Submit(j)\n\t\t\t\t\tcontinue\n\t\t\t\t}\n\t\t\t\tp.results[j.ID] = r\n\t\t\t}\n\t\t}()\n\t}\n\treturn p\n}\n\nfunc (p *Pool) Submit(j Job) {\n\tp.mu.Lock()\n\tdefer p.mu.Unlock()\n\tif !p.closed {\n\t\tp.jobs <- j\n\t}\n}\n\nfunc (p *Pool) Close() map[int]Result {\n\tp.mu.Lock()\n\tp.closed = true\n\tclose(p.jobs)\n\tp.mu.Unlock()\n\tp.wg.Wait()\n\treturn p.results\n}\n\`\`\``,
    ),
    auto: [...strongFree, ...cheap, ...great],
    quality: best,
    why: 'Several concurrency mistakes that hide each other.',
  },
  {
    name: 'design a rate limiter',
    request: ask(
      'Design a rate limiter for an API in three regions: limits per customer are global, 200k requests per second, at most 2 ms added, a region may lose contact with the others. Compare the options, choose one, and say how it behaves during a partition.',
    ),
    auto: [...strongFree, ...cheap, ...great],
    quality: best,
    why: 'Judgement about distributed systems.',
  },
  {
    name: 'olympiad proof',
    request: ask(
      'Let p > 3 be a prime. Prove that the numerator of 1 + 1/2 + 1/3 + ... + 1/(p-1), written in lowest terms, is divisible by p^2.',
    ),
    auto: ['openai/gpt-oss-120b:free', ...cheap.slice(0, 6), ...great, ...frontier],
    quality: best,
    why: 'A proof must be right in every step.',
  },
  {
    name: 'word problem',
    request: ask(
      'A baker makes 24 rolls an hour. She works from 5 to 9 in the morning and sells a quarter of the rolls for 60 cents and the rest for 45 cents each. How much does she take?',
    ),
    auto: [...small, ...free],
    quality: [...everyday, ...great],
    why: 'Arithmetic of primary school.',
  },
  {
    name: 'drug interaction',
    request: ask(
      'I take warfarin 5 mg every day. My doctor prescribed ciprofloxacin for a week. Is that safe together, and what should I watch for?',
    ),
    auto: [...strongFree, ...cheap, ...middle, ...great],
    quality: [...best, 'minimax/minimax-m3'],
    why: 'A wrong answer can do harm; an 8B model should not give it.',
  },
  {
    name: 'tenancy law',
    request: ask(
      'My landlord in Berlin wants to raise the rent by 25 % after two years because he renovated the bathroom. Which limits apply, and can modernization and the local rent index be combined?',
    ),
    auto: [...strongFree, ...cheap, ...middle, ...great],
    quality: best,
    why: 'Rules of one country that small models invent.',
  },
  {
    name: 'invoice as JSON',
    request: ask(
      'Extract vendor, number, date, currency and lines with quantity and price.\n\nACME Tools GmbH, Invoice 2026-1187 of 4 March 2026\n3 x drill bit 8 mm, 4.50 each\n1 x clamp, 12.90\nTotal EUR 26.40',
      { json: true },
    ),
    auto: [...small, 'qwen/qwen3-next-80b-a3b-instruct:free', 'nvidia/nemotron-3-super-120b-a12b:free', ...cheap],
    quality: [...cheap, ...middle, ...great, 'qwen/qwen3-next-80b-a3b-instruct:free'],
    why: 'Copying facts into a schema; only models that answer in JSON on demand.',
  },
  {
    name: 'an image',
    request: ask('What does the error message in this screenshot say, and what causes it?', { image: true }),
    auto: [
      'google/gemma-4-31b-it:free',
      'google/gemini-3.1-flash-lite',
      'openai/gpt-5.4-nano',
      'minimax/minimax-m3',
      'openai/gpt-5.4-mini',
    ],
    quality: [
      ...frontier,
      ...great,
      ...middle,
      'openai/gpt-5.4-mini',
      'moonshotai/kimi-k2.7-code',
      'minimax/minimax-m3',
      'google/gemma-4-31b-it:free',
    ],
    why: 'Only models that see images.',
  },
  {
    name: '58k tokens',
    request: ask(
      `Which three incidents in this log had the same cause? Name the first line of each.\n\n${incidentLog(58_000)}`,
    ),
    auto: [...strongFree, ...cheap],
    quality: [...best, ...cheap],
    why: 'Longer than the local contexts; reading it with a frontier model costs 30 cents.',
  },
  {
    name: 'agent: plan, 14 tools',
    request: requestOf({ client: 'terminal-agent', turns: [opening] }),
    auto: [...strongFree, ...cheap, ...great],
    quality: best,
    why: 'The plan decides the work of an hour.',
  },
  {
    name: 'agent: after a file listing',
    request: requestOf({
      client: 'terminal-agent',
      turns: [opening, { call: 'LS', with: { path: '/home/sam/shop' } }, { result: listing() }],
    }),
    auto: [...small, ...free, ...cheap],
    quality: [...best, ...cheap],
    why: 'Choosing the next file to read.',
  },
  {
    name: 'agent: title',
    request: requestOf({
      client: 'terminal-helper',
      system:
        'Write a title of at most five words for the conversation that begins with this message. Answer with the title only.',
      turns: [opening],
    }),
    auto: [...small, ...free],
    quality: [...small, ...everyday],
    why: 'Five words that nobody pays for.',
  },
  {
    name: 'agent: summarize for compaction',
    request: requestOf({
      client: 'terminal-agent',
      turns: [
        opening,
        { assistant: incidentLog(6_000) },
        {
          user: 'Summarize our conversation so far so that you can go on from the summary alone: what was asked, the decisions, files changed, errors met and the next step.',
        },
      ],
    }),
    auto: [...small, ...free, ...cheap],
    quality: [...best, ...cheap],
    why: 'All of it is in the text, but what is lost is lost.',
  },
  {
    name: 'agent: edit',
    request: requestOf({
      client: 'terminal-agent',
      turns: [
        opening,
        { call: 'Read', with: { path: '/home/sam/shop/src/server.ts' } },
        { result: source() },
        { assistant: 'The routes are registered in src/server.ts. I suggest a plugin in src/auth.' },
        {
          user: 'Good. Now write the plugin: state and PKCE, the callback, session rotation, and refuse open redirects.',
        },
      ],
    }),
    auto: [...strongFree, ...cheap, ...great],
    quality: best,
    why: 'Security code in an existing code base.',
  },
  {
    name: 'short story',
    request: ask(
      'Write a short story of about 600 words, set in a lighthouse that is being automated, in the voice of the last keeper. No clichés, and end on an image.',
    ),
    auto: [...small, ...free, ...cheap],
    quality: [...best, 'x-ai/grok-4.3'],
    why: 'Everybody can; few do it well.',
  },
  {
    name: 'isolation levels, in Chinese',
    request: ask('请解释一下数据库事务的四种隔离级别，以及它们分别会出现哪些并发问题。'),
    auto: [...small, ...free, ...cheap],
    quality: [...everyday, ...great, ...frontier],
    why: 'Textbook knowledge, in Chinese.',
  },
  {
    name: 'logic grid',
    request: ask(
      'Five people of different countries live in five houses in a row, each with another pet, drink and job. The baker lives beside the one with the snail. The Greek drinks tea and lives left of the green house. The doctor keeps a fox. The first house is blue, and its owner drinks milk. The Spaniard is a painter and does not live at either end. The one who drinks coffee lives in the green house, next to the diplomat. The Dane keeps a dog and the violinist drinks juice. Who keeps the zebra? Show the deduction and say if it is not unique.',
    ),
    auto: [
      'openai/gpt-oss-120b:free',
      'nvidia/nemotron-3-super-120b-a12b:free',
      'google/gemma-4-31b-it:free',
      'qwen/qwen3-next-80b-a3b-instruct:free',
      ...cheap,
      ...great,
      ...frontier,
    ],
    quality: best,
    why: 'Long deduction; small models contradict themselves.',
  },
  {
    name: 'pandas',
    request: ask(
      'I have a DataFrame with columns shop, date and sales. Add the 7-day rolling mean per shop and flag the days more than two standard deviations above it.',
    ),
    auto: [...small, ...free, ...cheap],
    quality: [...everyday, ...great, ...frontier],
    why: 'A common task with one trap: rolling within groups.',
  },
]

/** About `tokens` tokens of a service's log, always the same. */
function incidentLog(tokens: number): string {
  const random = seededRandom(58)
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!
  const lines: string[] = []
  // A line is about 20 tokens.
  for (let line = 0; line < tokens / 20.5; line++) {
    const minute = String(Math.floor(line / 3) % 60).padStart(2, '0')
    const what = pick(['timeout calling stock', 'pool exhausted', 'retry of payment', 'cache refilled', 'certificate'])
    lines.push(
      `2026-10-0${1 + (line % 9)}T1${line % 10}:${minute}:00Z ${pick(['WARN', 'INFO'])} checkout-${line % 7} ${what}`,
    )
  }
  return lines.join('\n')
}

function listing(): string {
  return ['README.md', 'package.json', 'migrations/', 'src/', 'src/server.ts', 'src/db.ts', 'src/cart/', 'test/'].join(
    '\n',
  )
}

function source(): string {
  return `import fastify from 'fastify'\nimport { cart } from './cart/routes.ts'\n\nexport async function build() {\n  const app = fastify({ logger: true })\n  await app.register(cart, { prefix: '/cart' })\n  return app\n}`
}
