import { copyFileSync } from 'node:fs'
import path from 'node:path'
import { scriptedUpstream, type Answer, type SeenRequest, type UpstreamKind } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'
import type { CaseOutcome } from './case-outcome.ts'
import { recordingProxy } from './recording-proxy.ts'
import { failure, runProgram, scratchFolder } from './run-program.ts'

/** A library, and a script of this folder's `sdk-tasks` that has it add two numbers by a tool. */
export interface Sdk {
  name: string
  /** Of npm, the library itself first. */
  packages: string[]
  /** File in `sdk-tasks`, without its ending. */
  task: string
  protocols: string
}

export const sdks: readonly Sdk[] = [
  { name: 'OpenAI', packages: ['openai', 'zod'], task: 'openai', protocols: 'chat completions, Responses' },
  { name: 'Anthropic', packages: ['@anthropic-ai/sdk'], task: 'anthropic', protocols: 'Messages' },
  {
    name: 'AI SDK',
    packages: ['ai', '@ai-sdk/openai', '@ai-sdk/openai-compatible', '@ai-sdk/anthropic', '@ai-sdk/google', 'zod'],
    task: 'ai-sdk',
    protocols: 'chat completions, Responses, Messages, Gemini',
  },
  {
    name: 'LangChain',
    packages: [
      '@langchain/core',
      '@langchain/openai',
      '@langchain/anthropic',
      '@langchain/ollama',
      '@langchain/google-genai',
      'zod',
    ],
    task: 'langchain',
    protocols: 'chat completions, Messages, Ollama, Gemini',
  },
  { name: 'Mistral', packages: ['@mistralai/mistralai'], task: 'mistral', protocols: 'chat completions' },
  { name: 'Ollama', packages: ['ollama'], task: 'ollama', protocols: 'Ollama' },
  { name: 'Google Gen AI', packages: ['@google/genai'], task: 'google-genai', protocols: 'Gemini' },
  {
    name: 'Instructor',
    packages: ['@instructor-ai/instructor', 'openai', 'zod'],
    task: 'instructor',
    protocols: 'chat completions',
  },
  {
    name: 'OpenAI Agents',
    packages: ['@openai/agents', 'zod'],
    task: 'openai-agents',
    protocols: 'chat completions, Responses',
  },
]

interface SdkCase {
  name: string
  run: (parts: SdkParts) => Promise<CaseOutcome>
}

interface SdkParts {
  sdk: Sdk
  /** Where its packages are installed. */
  folder: string
  t: Teardown
}

const timeoutMs = 60_000

export const sdkCases: readonly SdkCase[] = [
  { name: 'chat-completions server', run: parts => adds(parts, 'llama-cpp') },
  { name: 'Ollama server', run: parts => adds(parts, 'ollama') },
  { name: 'wrong key', run: isRejected },
]

async function adds(parts: SdkParts, kind: UpstreamKind): Promise<CaseOutcome> {
  const model = { name: 'scripted', contextTokens: 131_072, loadedContextTokens: 131_072, tools: true }
  const local = await scriptedUpstream(parts.t, kind, { models: [model], answer: addsOnce })
  const { ran, form } = await letAdd(parts, variablesFor(local), 'none')
  const answers = ran.output.split('\n').filter(line => /^\w+: /.test(line))
  const isComplete = ran.code === 0 && answers.length > 0 && answers.every(line => line.includes('DONE'))
  return isComplete ? { form } : failure('it did not end with the answer', ran)
}

async function isRejected(parts: SdkParts): Promise<CaseOutcome> {
  const local = await scriptedUpstream(parts.t, 'llama-cpp', { answer: addsOnce })
  const { ran } = await letAdd(parts, { ...variablesFor(local), SIGNALBOX_API_KEY: 'right' }, 'wrong')
  if (local.chats.length > 0) return failure('a request with a wrong key was served', ran)
  return ran.code !== 0 && /401|unauthori|API key/i.test(ran.output)
    ? {}
    : failure('it did not say that the key was rejected', ran)
}

/** Calls `add` once, also where only a schema forces it, and is content with its result. */
function addsOnce({ body }: SeenRequest): Answer {
  const numbers = { a: 2, b: 3 }
  const messages = (body['messages'] ?? []) as { role: string }[]
  if (messages.some(({ role }) => role === 'tool')) return { text: 'All is DONE.' }
  if (body['format'] !== undefined || body['response_format'] !== undefined) return { text: JSON.stringify(numbers) }
  const [first] = (body['tools'] ?? []) as { function: { name: string } }[]
  return first === undefined
    ? { text: 'All is DONE.' }
    : { toolCalls: [{ name: first.function.name, arguments: numbers }] }
}

async function letAdd({ sdk, folder, t }: SdkParts, variables: Record<string, string>, key: string) {
  const gateway = await startGateway(t, variables)
  const proxy = await recordingProxy(t, gateway.url)
  const { home, remove } = scratchFolder()
  t.teardown(async () => remove())
  // Beside its packages, or it would not find them.
  const script = path.join(folder, `${sdk.task}.mjs`)
  copyFileSync(path.join(import.meta.dirname, 'sdk-tasks', `${sdk.task}.mjs`), script)
  const environment = { BASE: proxy.url, KEY: key }
  const ran = await runProgram(process.execPath, [script], { cwd: folder, home, environment, timeoutMs })
  return { ran, form: proxy.form() }
}
