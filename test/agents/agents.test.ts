import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { scriptedUpstream, type Answer, type SeenRequest } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'
import { codingAgents, findProgram, run, scratchFolder, type CodingAgent } from './coding-agents.ts'

const llamaServer = process.env['LLAMA_SERVER_URL']
const minuteMs = 60_000
t.setTimeout(codingAgents.length * 6 * minuteMs)

for (const agent of codingAgents) {
  const program = findProgram(agent)
  const absent = `${agent.program} is not installed: put its folder into AGENTS_BIN`

  const { tool, input } = agent.shell
  const call = { name: tool, arguments: input('echo written > proof.txt') }
  const ways: Record<string, Answer> = {
    'on a scripted server': { reasoning: 'I write it.', toolCalls: [call] },
    'on one that leaves reasoning and calls in the text': {
      text: ['<thi', 'nk>I write it.</think>\n<tool', `_call>${JSON.stringify(call)}</tool_call>`],
    },
  }
  for (const [where, calling] of Object.entries(ways)) {
    t.test(
      `${agent.name} does a task with a tool call to the end ${where}`,
      { skip: program === undefined ? absent : false },
      async t => {
        const local = await scriptedUpstream(t, 'llama-cpp', {
          models: [{ name: 'scripted', contextTokens: 131_072, tools: true }],
          answer: request => (offers(request, tool) && !hasResult(request) ? calling : { text: 'All is DONE.' }),
        })
        const { ran, work } = await letWork(t, agent, program!, variablesFor(local))
        t.equal(ran.code, 0, ran.output.slice(-2000))
        t.match(ran.output, /All is DONE/)
        t.notMatch(ran.output, /Reconnecting|failed to connect/)
        t.equal(readFileSync(path.join(work, 'proof.txt'), 'utf8'), 'written\n')
        const last = local.chats.find(hasResult)
        t.ok(last, 'the result of the call came back')
        t.notMatch(JSON.stringify(last?.body), /x-anthropic-billing-header|cache_control/)
      },
    )
  }

  t.test(
    `${agent.name} does a task with a tool call to the end on a real llama-server`,
    { skip: program === undefined ? absent : llamaServer === undefined ? 'LLAMA_SERVER_URL is not set' : false },
    async t => {
      // Its scripted model cuts every prompt to what it can read, which llama-server does not know, so its limit is left unread.
      const { ran } = await letWork(t, agent, program!, { OPENAI_COMPATIBLE_ENDPOINT: llamaServer! })
      t.equal(ran.code, 0, ran.output.slice(-2000))
      // The scripted model says this when there is a tool's result in its prompt, and never otherwise.
      t.match(ran.output, /DONE after tool/)
    },
  )
}

async function letWork(t: Teardown, agent: CodingAgent, program: string, variables: Record<string, string>) {
  const gateway = await startGateway(t, variables)
  const { work, home, remove } = scratchFolder()
  t.teardown(async () => remove())
  const place = { cwd: work, home, timeoutMs: 1.5 * minuteMs }
  const version = await run(program, ['--version'], { ...place, environment: {} })
  console.error(`${agent.name}: ${version.output.trim()}`)
  const { args, environment } = agent.start(gateway.url, 'Write the proof.')
  return { work, ran: await run(program, args, { ...place, environment }) }
}

function offers({ body }: SeenRequest, tool: string): boolean {
  const tools = (body['tools'] ?? []) as { function: { name: string } }[]
  return tools.some(({ function: { name } }) => name === tool)
}

function hasResult({ body }: SeenRequest): boolean {
  return (body['messages'] as { role: string }[]).some(({ role }) => role === 'tool')
}
