import {
  fields,
  isOpenAiError,
  lateTurns,
  list,
  silence,
  string,
  toolSchema,
  type ClientProtocol,
  type Fields,
} from './client-protocol.ts'
import { gemini } from './gemini-client.ts'
import { ollamaChat, ollamaGenerate } from './ollama-clients.ts'

const chat: ClientProtocol = {
  name: 'chat',
  path: () => '/v1/chat/completions',
  lacks: [],
  ask: ({ text, image, document, tools, forced, results, format, lateSystem }, stream) => ({
    model: 'auto',
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text },
          ...(image === undefined ? [] : [{ type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } }]),
          ...(document === undefined
            ? []
            : [{ type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${document}` } }]),
        ],
      },
      ...(results === undefined
        ? []
        : [
            {
              role: 'assistant',
              content: null,
              tool_calls: results.map(({ id, name, arguments: written }) => ({
                id,
                type: 'function',
                function: { name, arguments: written },
              })),
            },
            ...results.map(({ id, result }) => ({ role: 'tool', tool_call_id: id, content: result })),
          ]),
      ...lateMessages(lateSystem),
    ],
    tools: tools?.map(name => ({ type: 'function', function: { name, parameters: toolSchema } })),
    ...(forced === undefined ? {} : { tool_choice: { type: 'function', function: { name: forced } } }),
    ...(format === undefined
      ? {}
      : { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format } } }),
  }),
  hear(reply, stream) {
    const heard = silence()
    const chunks: Fields[] = stream ? reply.events : [reply.json]
    for (const chunk of chunks) {
      for (const choice of list(chunk['choices'])) {
        const said = fields(choice[stream ? 'delta' : 'message'])
        heard.text += string(said['content'])
        heard.reasoning += string(said['reasoning_content'] ?? said['reasoning'])
        for (const [index, call] of list(said['tool_calls']).entries()) {
          const called = fields(call['function'])
          const known = (heard.calls[Number(call['index'] ?? index)] ??= { id: '', name: '', arguments: '' })
          known.id += string(call['id'])
          known.name += string(called['name'])
          known.arguments += string(called['arguments'])
        }
        heard.complete ||= typeof choice['finish_reason'] === 'string'
      }
      const usage = fields(chunk['usage'])
      if (usage['prompt_tokens'] !== undefined) {
        heard.usage = { input: usage['prompt_tokens'], output: usage['completion_tokens'] }
      }
    }
    heard.complete &&= !stream || reply.text.endsWith('data: [DONE]\n\n')
    return heard
  },
  objectsOf: ({ events }) => events,
  isError: isOpenAiError,
}

const messages: ClientProtocol = {
  name: 'messages',
  path: () => '/v1/messages',
  lacks: [],
  ask: ({ text, image, document, tools, forced, results, format, lateSystem }, stream) => ({
    model: 'auto',
    stream,
    max_tokens: 200,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text },
          ...(image === undefined
            ? []
            : [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } }]),
          ...(document === undefined
            ? []
            : [{ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: document } }]),
        ],
      },
      ...(results === undefined
        ? []
        : [
            {
              role: 'assistant',
              content: results.map(({ id, name, arguments: written }) => ({
                type: 'tool_use',
                id,
                name,
                input: JSON.parse(written) as unknown,
              })),
            },
            {
              role: 'user',
              content: results.map(({ id, result }) => ({ type: 'tool_result', tool_use_id: id, content: result })),
            },
          ]),
      ...lateMessages(lateSystem),
    ],
    tools: tools?.map(name => ({ name, input_schema: toolSchema })),
    ...(forced === undefined ? {} : { tool_choice: { type: 'tool', name: forced } }),
    ...(format === undefined ? {} : { output_config: { format: { type: 'json_schema', schema: format } } }),
  }),
  hear(reply, stream) {
    const heard = silence()
    const hearBlock = (block: Fields) => {
      heard.text += string(block['text'])
      heard.reasoning += string(block['thinking'])
      if (block['type'] !== 'tool_use') return
      const written = stream ? '' : JSON.stringify(block['input'])
      heard.calls.push({ id: string(block['id']), name: string(block['name']), arguments: written })
    }
    const hearUsage = (usage: Fields) => {
      heard.usage = { input: usage['input_tokens'] ?? heard.usage.input, output: usage['output_tokens'] }
    }
    if (!stream) {
      for (const block of list(reply.json.content)) hearBlock(block)
      hearUsage(fields(reply.json.usage))
      heard.complete = typeof reply.json.stop_reason === 'string'
    }
    for (const event of reply.events as Fields[]) {
      const delta = fields(event['delta'])
      if (event['type'] === 'content_block_start') hearBlock(fields(event['content_block']))
      if (event['type'] === 'content_block_delta') {
        heard.text += string(delta['text'])
        heard.reasoning += string(delta['thinking'])
        const call = heard.calls.at(-1)
        if (call !== undefined) call.arguments += string(delta['partial_json'])
      }
      if (event['type'] === 'message_delta') hearUsage(fields(event['usage']))
      heard.complete = event['type'] === 'message_stop'
    }
    return heard
  },
  objectsOf: ({ events }) => events,
  isError: value => {
    const { type, error } = fields(value)
    return type === 'error' && typeof fields(error)['type'] === 'string' && typeof fields(error)['message'] === 'string'
  },
}

const responses: ClientProtocol = {
  name: 'responses',
  path: () => '/v1/responses',
  lacks: [],
  ask: ({ text, image, document, tools, forced, results, format, lateSystem }, stream) => ({
    model: 'auto',
    stream,
    store: false,
    input: [
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text },
          ...(image === undefined ? [] : [{ type: 'input_image', image_url: `data:image/png;base64,${image}` }]),
          ...(document === undefined
            ? []
            : [
                {
                  type: 'input_file',
                  filename: 'a.pdf',
                  file_data: `data:application/pdf;base64,${document}`,
                },
              ]),
        ],
      },
      ...(results ?? []).map(({ id, name, arguments: written }) => ({
        type: 'function_call',
        call_id: id,
        name,
        arguments: written,
      })),
      ...(results ?? []).map(({ id, result }) => ({ type: 'function_call_output', call_id: id, output: result })),
      ...lateMessages(lateSystem).map(message => ({ type: 'message', ...message })),
    ],
    tools: tools?.map(name => ({ type: 'function', name, parameters: toolSchema })),
    ...(forced === undefined ? {} : { tool_choice: { type: 'function', name: forced } }),
    ...(format === undefined ? {} : { text: { format: { type: 'json_schema', name: 'answer', schema: format } } }),
  }),
  hear(reply, stream) {
    const heard = silence()
    const last = fields(stream ? reply.events.at(-1) : undefined)
    const response = stream ? fields(last['response']) : fields(reply.json)
    for (const item of list(response['output'])) {
      const said = [...list(item['content']), ...list(item['summary'])].map(part => string(part['text'])).join('')
      if (item['type'] === 'message') heard.text += said
      if (item['type'] === 'reasoning') heard.reasoning += said
      if (item['type'] === 'function_call') {
        const { call_id: id, name, arguments: written } = item
        heard.calls.push({ id: string(id), name: string(name), arguments: string(written) })
      }
    }
    if (stream) {
      const deltas = (reply.events as Fields[]).filter(({ type }) => type === 'response.output_text.delta')
      const streamed = deltas.map(event => string(event['delta'])).join('')
      if (streamed !== heard.text) heard.text = `streamed '${streamed}', but ended with '${heard.text}'`
    }
    const usage = fields(response['usage'])
    heard.usage = { input: usage['input_tokens'], output: usage['output_tokens'] }
    heard.complete = response['status'] === 'completed' && (!stream || last['type'] === 'response.completed')
    return heard
  },
  objectsOf: ({ events }) => events,
  isError: value => isOpenAiError(value) || isOpenAiError(fields(value)['response']),
}

export const clientProtocols: readonly ClientProtocol[] = [
  chat,
  messages,
  responses,
  ollamaChat,
  ollamaGenerate,
  gemini,
]

function lateMessages(lateSystem: string | undefined): Fields[] {
  if (lateSystem === undefined) return []
  return [
    { role: 'assistant', content: lateTurns.answer },
    { role: 'system', content: lateSystem },
    { role: 'user', content: lateTurns.question },
  ]
}
