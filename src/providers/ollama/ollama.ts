import { z } from 'zod'
import { endpointList, withoutEnding } from '../http/endpoints.ts'
import { createInventory } from '../inventory.ts'
import { ollamaStream } from './answer.ts'
import { contextFor } from './context.ts'
import { ollamaNonChat } from './non-chat.ts'
import { createOllamaModels } from './models.ts'
import { ollamaRequest } from './request.ts'
import type { ProviderCall, ProviderKind, ProviderReply } from '../provider.ts'
import { serverKind } from '../server-kind.ts'
import { refuseUnable } from '../refuse-unable.ts'
import { createUpstream, labelOf } from '../http/upstream.ts'

/**
 * Ollama over its native API: its OpenAI-compatible one ignores `num_ctx` and silently truncates long prompts at its
 * default.
 */
export const ollama: ProviderKind = serverKind({
  kind: 'ollama',
  label: 'Ollama',
  settings: {
    OLLAMA_ENDPOINT: {
      schema: endpointList,
      help: 'Ollama servers, separated by commas; `off` disables it. Unset, the default address is tried.',
      example: 'http://127.0.0.1:11434',
    },
    OLLAMA_TIMEOUT: {
      schema: z.coerce.number().positive().max(86_400).optional(),
      help: 'Time limit in seconds for the first token from Ollama, if it differs from PROVIDER_TIMEOUT_MS.',
      example: '120',
    },
  },
  normalize: withoutEnding('/api', '/v1'),
  variable: 'OLLAMA_ENDPOINT',
  defaultUrl: 'http://127.0.0.1:11434',
  adjust(endpoint, { OLLAMA_TIMEOUT: seconds }) {
    return typeof seconds === 'number' ? { ...endpoint, firstTokenTimeoutMs: Math.ceil(seconds * 1000) } : endpoint
  },
  create({ endpoint, transport, now }) {
    const { name, url } = endpoint
    const label = labelOf(ollama, endpoint)
    const upstream = createUpstream({
      endpoint,
      transport,
      now,
      label,
      baseUrl: url,
      remedy: 'start it with `ollama serve`',
    })
    const models = createOllamaModels(upstream, name)
    const inventory = createInventory({ label, now, ask: (signal, fresh) => models.list(signal, fresh) })

    const chat = async (call: ProviderCall): Promise<ProviderReply> => {
      refuseUnable(call)
      const { model, signal } = call
      const contextTokens = contextFor(call, models.loadedTokens(model.name))
      const json = ollamaRequest(call, contextTokens)
      models.noteLoaded(model.name, contextTokens)
      const asked = { model: model.name }
      const { body } = await upstream.send('/api/chat', { json, signal, model: model.name })
      return { kind: 'stream', parts: ollamaStream(upstream, body, asked) }
    }
    return {
      name,
      label: ollama.label,
      tier: endpoint.tier ?? 'local',
      url,
      toolImages: true,
      firstTokenTimeoutMs: endpoint.firstTokenTimeoutMs,
      ...inventory,
      chat,
      nonChat: ollamaNonChat(upstream, models),
    }
  },
})
