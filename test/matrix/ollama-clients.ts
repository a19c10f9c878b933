import { parseJson } from '../../src/json.ts'
import type { Reply } from '../helpers/start-gateway.ts'
import {
  fields,
  lateTurns,
  list,
  silence,
  string,
  toolSchema,
  type ClientProtocol,
  type Fields,
} from './client-protocol.ts'

/** `/api/chat` from the client's side. Its calls may have ids, but its clients do not send them back. */
export const ollamaChat: ClientProtocol = {
  name: 'ollama-chat',
  path: () => '/api/chat',
  lacks: ['forced tools', 'documents'],
  ask: ({ text, image, tools, results, format, lateSystem }, stream) => ({
    model: 'auto',
    stream,
    messages: [
      { role: 'user', content: text, ...(image === undefined ? {} : { images: [image] }) },
      ...(results === undefined
        ? []
        : [
            {
              role: 'assistant',
              content: '',
              tool_calls: results.map(({ name, arguments: written }) => ({
                function: { name, arguments: JSON.parse(written) as unknown },
              })),
            },
            ...results.map(({ name, result }) => ({ role: 'tool', tool_name: name, content: result })),
          ]),
      ...(lateSystem === undefined
        ? []
        : [
            { role: 'assistant', content: lateTurns.answer },
            { role: 'system', content: lateSystem },
            { role: 'user', content: lateTurns.question },
          ]),
    ],
    tools: tools?.map(name => ({ type: 'function', function: { name, parameters: toolSchema } })),
    format,
  }),
  hear: (reply, stream) => heardIn(reply, stream, ({ message }) => fields(message)),
  objectsOf,
  isError,
}

/** `/api/generate` from the client's side. */
export const ollamaGenerate: ClientProtocol = {
  name: 'ollama-generate',
  path: () => '/api/generate',
  lacks: ['tools', 'forced tools', 'documents', 'late system messages'],
  ask: ({ text, image, format }, stream) => ({
    model: 'auto',
    stream,
    prompt: text,
    ...(image === undefined ? {} : { images: [image] }),
    format,
  }),
  hear: (reply, stream) => heardIn(reply, stream, said => ({ ...said, content: said['response'] })),
  objectsOf,
  isError,
}

function heardIn(reply: Reply, stream: boolean, saidIn: (object: Fields) => Fields) {
  const heard = silence()
  for (const object of stream ? objectsOf(reply) : [reply.json as unknown]) {
    const { content, thinking, tool_calls: calls } = saidIn(fields(object))
    heard.text += string(content)
    heard.reasoning += string(thinking)
    for (const { id, function: called } of list(calls)) {
      const { name, arguments: written } = fields(called)
      heard.calls.push({ id: string(id), name: string(name), arguments: JSON.stringify(written) })
    }
    const { done, prompt_eval_count: input, eval_count: output } = fields(object)
    heard.complete = done === true
    if (input !== undefined) heard.usage = { input, output }
  }
  return heard
}

function objectsOf({ text }: Reply): unknown[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(parseJson)
}

function isError(value: unknown): boolean {
  return typeof fields(value)['error'] === 'string'
}
