import t from 'tap'
import { requestOf, type ShortRequest, type Turn } from '../../tools/routing/kinds/clients.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'

const opening: Turn = {
  user: 'Add an audit log to the shop: who changed what, an admin page, retention and tests. Make a plan first.',
}
const title: ShortRequest = {
  client: 'terminal-helper',
  system: 'Give this session a title of at most five words. Answer with the title only.',
  turns: [opening],
}
const plan: ShortRequest = { client: 'terminal-agent', turns: [opening] }
const afterListing: ShortRequest = {
  client: 'terminal-agent',
  turns: [
    opening,
    { call: 'LS', with: { path: '/home/sam/shop' } },
    { result: 'package.json\nsrc/\nsrc/db.ts\ntest/' },
  ],
}
const afterFailure: ShortRequest = {
  client: 'terminal-agent',
  turns: [
    ...afterListing.turns,
    { call: 'Bash', with: { command: 'npm test' } },
    {
      result:
        'FAIL test/audit.test.ts\n  TypeError: Cannot read properties of undefined\n    at record (src/audit.ts:31:9)\n7 failed',
    },
  ],
}

/** A laptop with one small model, and a paid model that is much better. */
async function mixedFleet(t: Parameters<typeof scriptedUpstream>[0]) {
  const local = await scriptedUpstream(t, 'ollama', {
    models: [{ name: 'qwen3:8b', contextTokens: 40_960, loadedContextTokens: 40_960, parameters: '8.2B' }],
  })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } }],
  })
  const gateway = await startGateway(t, { ...variablesFor(local, remote), QUALITY_THRESHOLD: '0.6' })
  return async (request: ShortRequest) => {
    const { json } = await exchange(`${gateway.url}/v1/route`, {
      method: 'POST',
      body: JSON.stringify(requestOf(request)),
    })
    const [kind] = Object.entries(json.categories as Record<string, number>).sort(([, a], [, b]) => b - a)[0]!
    const chosen = json.chosen as string
    return { kind, chosen, candidates: json.candidates as { model: string; quality: number }[] }
  }
}

t.test('one conversation of an agent mixes turns for a small model and turns for a great one', async t => {
  const route = await mixedFleet(t)
  t.match(await route(title), { kind: 'title', chosen: 'ollama/qwen3:8b' })
  t.match(await route(plan), { kind: 'agent_plan', chosen: 'openrouter/anthropic/claude-sonnet-4.5' })
  t.match(await route(afterListing), { kind: 'agent_tool_result', chosen: 'ollama/qwen3:8b' })
})

t.test('the better model is ahead by more where a turn asks for more', async t => {
  const route = await mixedFleet(t)
  const lead = async (request: ShortRequest) => {
    const { candidates } = await route(request)
    const quality = (model: string) => candidates.find(each => each.model === model)!.quality
    return quality('openrouter/anthropic/claude-sonnet-4.5') - quality('ollama/qwen3:8b')
  }
  const [forTitle, forListing, forPlan] = [await lead(title), await lead(afterListing), await lead(plan)]
  t.ok(forTitle < forListing && forListing < forPlan, [forTitle, forListing, forPlan].join(' '))
})

t.test('what a failed command printed is harder to go on from than a list of files', async t => {
  const route = await mixedFleet(t)
  const small = async (request: ShortRequest) =>
    (await route(request)).candidates.find(({ model }) => model === 'ollama/qwen3:8b')!.quality
  t.ok((await small(afterFailure)) < (await small(afterListing)))
})

t.test('the same words are small talk in a chat, and so they are to an agent with fourteen tools', async t => {
  const route = await mixedFleet(t)
  t.match(await route({ client: 'chat-page', turns: [{ user: 'hi' }] }), { kind: 'chat' })
  t.match(await route({ client: 'terminal-agent', turns: [{ user: 'hi' }] }), { kind: 'chat' })
  t.match(await route({ client: 'terminal-agent', turns: [{ user: 'Rename total to sum in src/cart.ts.' }] }), {
    kind: 'agent_edit',
  })
})
