import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { suites } from '../../src/bench/suites/index.ts'
import type { Suite, Task } from '../../src/bench/suites/suite.ts'

export interface ScriptedModel {
  /** The base URL, `/v1` included. */
  url: string
  /** The tasks requested so far, in order. */
  asked: string[]
}

/** How a scripted model answers a task: with the passing answer, the failing one, or an HTTP status. */
export type Script = (task: Task, asked: number) => 'reference' | 'wrong' | number

/** A real HTTP server (models named paid… have a price) that speaks the OpenAI protocol, knows every task by its question and answers by the script. */
export async function scriptedModels(
  t: Test,
  scripts: Readonly<Record<string, Script>>,
  known: readonly Suite[] = suites,
  contextTokens = 32_768,
): Promise<ScriptedModel> {
  const asked: string[] = []
  const taskOf = (messages: unknown) => {
    const words = JSON.stringify(messages)
    for (const suite of known) {
      const room = { promptTokens: Math.max(contextTokens - suite.maxOutputTokens, contextTokens >> 1) }
      const task = suite.tasks.find(task => JSON.stringify(task.ask(room).messages) === words)
      if (task !== undefined) return task
    }
    throw new Error(`no task asks ${words.slice(0, 200)}`)
  }
  const server = createServer((request, response) => {
    if (request.url === '/v1/models') {
      const pricing = { prompt: '0.000001', completion: '0.000002' }
      const data = Object.keys(scripts).map(id => ({
        id,
        context_length: contextTokens,
        ...(id.startsWith('paid') && { pricing }),
      }))
      response.end(JSON.stringify({ data }))
      return
    }
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { model, messages } = JSON.parse(body) as { model: string; messages: unknown }
      const task = taskOf(messages)
      const does = scripts[model]!(task, asked.length)
      asked.push(`${model} ${task.id}`)
      if (typeof does === 'number') {
        response.writeHead(does, { 'content-type': 'application/json' }).end('{"error":{"message":"scripted failure"}}')
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const send = (chunk: unknown) => response.write(`data: ${JSON.stringify(chunk)}\n\n`)
      const { content, tool_calls } = task[does]
      for (const part of content?.match(/[^]{1,40}/g) ?? []) send({ choices: [{ delta: { content: part } }] })
      for (const [index, call] of (tool_calls ?? []).entries())
        send({ choices: [{ delta: { tool_calls: [{ index, ...call }] } }] })
      send({ choices: [], usage: { prompt_tokens: 100, completion_tokens: 50 } })
      response.end('data: [DONE]\n\n')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked }
}
