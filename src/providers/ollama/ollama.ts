import { z } from 'zod'
import { endpointList, withoutEnding } from '../http/endpoints.ts'
import { forcedCallOf } from './forced-call.ts'
import { ollamaStream } from './answer.ts'
import { contextFor } from './context.ts'
import { ollamaNonChat, ollamaNonChatFields } from './non-chat.ts'
import { createOllamaModels } from './models.ts'
import { ollamaFields, ollamaRequest } from './request.ts'
import type { ProviderCall, ProviderKind, ProviderReply } from '../provider.ts'
import { serverKind } from '../server-kind.ts'
import { rejectUnsupported } from '../reject-unsupported.ts'

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
  tier: 'local',
  remedy: 'start it with `ollama serve`',
  connect({ endpoint, upstream }) {
    const models = createOllamaModels(upstream, endpoint.name)
    const chat = async (call: ProviderCall): Promise<ProviderReply> => {
      rejectUnsupported(call)
      const { model, signal, progress, credential } = call
      const contextTokens = contextFor(call, models.loadedTokens(model.name))
      const forced = forcedCallOf(call.request)
      const json = ollamaRequest(call, contextTokens, forced)
      models.noteLoaded(model.name, contextTokens)
      const asked = { model: model.name }
      const { body } = await upstream.send('/api/chat', { json, signal, model: model.name, progress, credential })
      return { kind: 'stream', parts: ollamaStream(upstream, body, asked, forced?.createReader()) }
    }
    return {
      listModels: (signal, fresh) => models.list(signal, fresh),
      toolImages: true,
      ollamas: true,
      requestFields: { chat: ollamaFields, ...ollamaNonChatFields },
      chat,
      nonChat: ollamaNonChat(upstream, models),
    }
  },
})
