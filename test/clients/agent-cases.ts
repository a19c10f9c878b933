import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { scriptedUpstream, type ScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type TestGateway, type Teardown } from '../helpers/start-gateway.ts'
import type { CaseOutcome } from './case-outcome.ts'
import type { CodingAgent, McpServer } from './coding-agents.ts'
import { recordingProxy } from './recording-proxy.ts'
import { failure, runProgram, scratchFolder, writeFiles } from './run-program.ts'
import {
  delegated,
  delegating,
  hasResult,
  longConversation,
  oneCall,
  oneCallInText,
  strictTemplate,
  type AgentScript,
} from './upstream-scripts.ts'

interface CaseParts {
  agent: CodingAgent
  /** Path of its program. */
  program: string
  t: Teardown
}

/** One thing that an agent must be able to do. */
interface AgentCase {
  name: string
  /** Why it is not run for an agent. */
  skip?: (agent: CodingAgent) => string | undefined
  run: (parts: CaseParts) => Promise<CaseOutcome>
}

const minuteMs = 60_000
const contextTokens = 131_072
const shortContextTokens = 65_536
const llamaServer = process.env['LLAMA_SERVER_URL']
const main = path.resolve(import.meta.dirname, '../../bin/signalbox.js')

export const agentCases: readonly AgentCase[] = [
  { name: 'tool call', run: parts => doesTask(parts, oneCall(parts.agent)) },
  { name: 'call in text', run: parts => doesTask(parts, oneCallInText(parts.agent)) },
  { name: 'strict template', run: parts => doesTask(parts, strictTemplate(oneCall(parts.agent))) },
  { name: 'compaction', run: compacts },
  { name: 'disconnect', run: disconnects },
  { name: 'wrong key', run: isRejected },
  {
    name: 'llama-server',
    skip: () => (llamaServer === undefined ? 'LLAMA_SERVER_URL is not set' : undefined),
    run: worksOnLlamaServer,
  },
  ...(['stdio', 'http'] as const).map(transport => ({
    name: `MCP ${transport}`,
    skip: ({ speaksMcp }: CodingAgent) => (speaksMcp ? undefined : 'no MCP'),
    run: (parts: CaseParts) => delegates(parts, transport),
  })),
]

/** A tool call to the end: its effect is there and its result came back. */
async function doesTask(parts: CaseParts, answer: AgentScript): Promise<CaseOutcome> {
  const local = await upstream(parts.t, answer)
  const { ran, work, form } = await letWork(parts, variablesFor(local))
  const proof = path.join(work, 'proof.txt')
  if (!existsSync(proof)) return failure('the command was not run', ran)
  if (readFileSync(proof, 'utf8') !== 'written\n') return failure('the command was not run as it was called', ran)
  const last = local.chats.find(hasResult)
  if (last === undefined) return failure('the result of the call did not come back', ran)
  if (/x-anthropic-billing-header|cache_control/.test(JSON.stringify(last.body))) {
    return failure('what only Anthropic’s servers read reached another', ran)
  }
  if (ran.code !== 0 || !ran.output.includes('All is DONE')) return failure('the answer was not shown', ran)
  return { form }
}

async function compacts(parts: CaseParts): Promise<CaseOutcome> {
  const { script, wasCompacted } = longConversation(parts.agent)
  const local = await upstream(parts.t, script, shortContextTokens)
  const { ran } = await letWork(parts, variablesFor(local), { contextTokens: shortContextTokens, minutes: 4 })
  if (!wasCompacted()) return failure('the conversation was never compacted', ran)
  return ran.output.includes('All is DONE') ? {} : failure('it did not go on after compacting', ran)
}

async function disconnects(parts: CaseParts): Promise<CaseOutcome> {
  const local = await upstream(parts.t, () => ({ text: ['and ', 'on '], endless: true }))
  const interrupt = new AbortController()
  const working = letWork(parts, variablesFor(local), { signal: interrupt.signal })
  const ended = working.then(() => 'ended')
  const begun = await Promise.race([local.untilChats(1).then(() => 'begun'), ended])
  if (begun === 'ended') return failure('it ended before it asked anything', (await working).ran)
  interrupt.abort()
  const hungUp = await Promise.race([local.untilHangUps(1).then(() => true), ended.then(() => pause(5_000, false))])
  await working
  return hungUp ? {} : { problem: 'the server went on after the agent had been interrupted' }
}

async function isRejected(parts: CaseParts): Promise<CaseOutcome> {
  const local = await upstream(parts.t, oneCall(parts.agent))
  const { ran } = await letWork(parts, { ...variablesFor(local), SIGNALBOX_API_KEY: 'right' }, { key: 'wrong' })
  if (local.chats.length > 0) return failure('a request with a wrong key was served', ran)
  if (ran.timedOut) return failure('it went on trying a rejected key', ran)
  if (/401|unauthori|api key|invalid key|authenticat/i.test(ran.output)) return {}
  return failure('it did not say that the key was rejected', ran)
}

async function worksOnLlamaServer(parts: CaseParts): Promise<CaseOutcome> {
  // Its scripted model cuts every prompt to what it can read, which llama-server does not know, so its limit is left unread.
  const { ran } = await letWork(parts, { OPENAI_COMPATIBLE_ENDPOINT: llamaServer! })
  // The scripted model says this when there is a tool's result in its prompt, and never otherwise.
  return ran.code === 0 && /DONE after tool/.test(ran.output) ? {} : failure('the result did not reach the model', ran)
}

/** Hands a task to Signalbox over MCP; the model that it thinks with is a script behind the same Signalbox. */
async function delegates(parts: CaseParts, transport: McpServer['transport']): Promise<CaseOutcome> {
  const local = await upstream(parts.t, delegating)
  const mcp = (gateway: TestGateway): McpServer =>
    transport === 'http'
      ? { transport, url: `${gateway.url}/mcp` }
      : {
          transport,
          command: process.execPath,
          args: [main, 'mcp'],
          env: { SIGNALBOX_ROOT: gateway.core.config().root },
        }
  const { ran, gateway } = await letWork(parts, variablesFor(local), { mcp, prompt: 'Delegate it.' })
  const filter = { state: 'completed', text: delegated } as const
  const { tasks } = gateway.core.ledger.tasks.tasks(filter, { limit: 1, offset: 0 })
  return tasks.length === 1 ? {} : failure('the task did not arrive', ran)
}

function upstream(t: Teardown, answer: AgentScript, context = contextTokens): Promise<ScriptedUpstream> {
  const model = { name: 'scripted', contextTokens: context, loadedContextTokens: context, tools: true }
  return scriptedUpstream(t, 'llama-cpp', { models: [model], answer })
}

interface WorkOptions {
  key?: string
  contextTokens?: number
  prompt?: string
  minutes?: number
  signal?: AbortSignal
  mcp?: (gateway: TestGateway) => McpServer
}

async function letWork({ agent, program, t }: CaseParts, variables: Record<string, string>, options: WorkOptions = {}) {
  const gateway = await startGateway(t, variables)
  const proxy = await recordingProxy(t, gateway.url)
  const { work, home, remove } = scratchFolder()
  t.teardown(async () => remove())
  const { args, environment, files } = agent.start({
    base: proxy.url,
    key: options.key ?? 'none',
    prompt: options.prompt ?? 'Write the proof.',
    home,
    contextTokens: options.contextTokens ?? contextTokens,
    ...(options.mcp !== undefined && { mcp: options.mcp(gateway) }),
  })
  writeFiles(home, files ?? {})
  const ran = await runProgram(program, args, {
    cwd: work,
    home,
    environment: environment ?? {},
    timeoutMs: (options.minutes ?? 1.5) * minuteMs,
    ...(options.signal !== undefined && { signal: options.signal }),
  })
  return { work, gateway, ran, form: proxy.form() }
}

function pause<T>(ms: number, value: T): Promise<T> {
  return new Promise(resolve => setTimeout(() => resolve(value), ms))
}
