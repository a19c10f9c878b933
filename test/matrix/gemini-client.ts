import { parseJson } from '../../src/json.ts'
import type { Reply } from '../helpers/start-gateway.ts'
import { fields, list, silence, string, toolSchema, type ClientProtocol } from './client-protocol.ts'

/** Gemini's API from the client's side; its streams are JSON arrays here, and server-sent events in the tests of its SDK. */
export const gemini: ClientProtocol = {
  name: 'gemini',
  path: stream => `/v1beta/models/auto:${stream ? 'streamGenerateContent' : 'generateContent'}`,
  lacks: ['late system messages'],
  ask: ({ text, image, document, tools, forced, results, format }) => ({
    contents: [
      {
        role: 'user',
        parts: [
          { text },
          ...(image === undefined ? [] : [{ inlineData: { mimeType: 'image/png', data: image } }]),
          ...(document === undefined ? [] : [{ inlineData: { mimeType: 'application/pdf', data: document } }]),
        ],
      },
      ...(results === undefined
        ? []
        : [
            {
              role: 'model',
              parts: results.map(({ name, arguments: written }) => ({
                functionCall: { name, args: JSON.parse(written) as unknown },
              })),
            },
            {
              role: 'user',
              parts: results.map(({ name, result }) => ({ functionResponse: { name, response: { output: result } } })),
            },
          ]),
    ],
    tools:
      tools === undefined
        ? undefined
        : [{ functionDeclarations: tools.map(name => ({ name, parametersJsonSchema: toolSchema })) }],
    toolConfig:
      forced === undefined ? undefined : { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [forced] } },
    generationConfig: {
      thinkingConfig: { includeThoughts: true },
      ...(format === undefined ? {} : { responseMimeType: 'application/json', responseJsonSchema: format }),
    },
  }),
  hear(reply, stream) {
    const heard = silence()
    for (const object of stream ? objectsOf(reply) : [reply.json as unknown]) {
      const { candidates, usageMetadata } = fields(object)
      const [candidate = {}] = list(candidates)
      for (const part of list(fields(candidate['content'])['parts'])) {
        if (part['thought'] === true) heard.reasoning += string(part['text'])
        else heard.text += string(part['text'])
        const { id, name, args } = fields(part['functionCall'])
        if (name !== undefined)
          heard.calls.push({ id: string(id), name: string(name), arguments: JSON.stringify(args) })
      }
      heard.complete ||= typeof candidate['finishReason'] === 'string'
      const { promptTokenCount: input, candidatesTokenCount: output } = fields(usageMetadata)
      if (input !== undefined) heard.usage = { input, output }
    }
    return heard
  },
  objectsOf,
  isError(value) {
    const { code, message, status } = fields(fields(value)['error'])
    return typeof code === 'number' && typeof message === 'string' && typeof status === 'string'
  },
}

function objectsOf({ text }: Reply): unknown[] {
  return list(parseJson(text))
}
