import { z } from 'zod'
import { asGatewayError } from '../../errors.ts'
import type { StreamPart } from '../../wire/stream-part.ts'
import { endpointList } from '../http/endpoints.ts'
import { completionsOrChat } from '../openai/completion-by-chat.ts'
import { askMessages } from '../openai/messages-answer.ts'
import { chatBody, openAiChat } from '../openai/chat.ts'
import { openAiNonChat } from '../openai/non-chat.ts'
import { readAccount, readBill } from './bill.ts'
import { readOpenRouterModels } from './models.ts'
import type { Model, ProviderCall, ProviderKind, ProviderReply } from '../provider.ts'
import { createQuarantine } from './quarantine.ts'
import { serverKind } from '../server-kind.ts'
import { rejectUnsupported } from '../reject-unsupported.ts'

/** How long the model list and the API key check stay fresh. */
const listMs = 10 * 60_000
const keyCheckMs = 60_000

/** The endpoint to call, and the fields to send. */
interface Ask {
  model: Model
  fields: Readonly<Record<string, unknown>>
}

export const openRouter: ProviderKind = serverKind({
  kind: 'openrouter',
  label: 'OpenRouter',
  needsKey: true,
  settings: {
    OPENROUTER_API_KEY: {
      schema: z.string().trim().optional(),
      help: 'OpenRouter API key. Without it no remote model is used.',
      example: 'sk-or-v1-…',
    },
    OPENROUTER_ENDPOINT: {
      schema: endpointList,
      help: 'Base URL of OpenRouter or a compatible service; `off` disables it.',
      example: 'https://openrouter.ai/api/v1',
    },
  },
  normalize(url) {
    const path = url.pathname.replace(/\/+$/, '').replace(/\/(chat\/completions|models)$/, '')
    return url.origin + (path === '' || path === '/api' ? '/api/v1' : path)
  },
  variable: 'OPENROUTER_ENDPOINT',
  defaultUrl: 'https://openrouter.ai/api/v1',
  tier: 'remote',
  // How OpenRouter identifies the calling application.
  headers: { 'http-referer': 'http://localhost:3001', 'x-title': 'Signalbox' },
  remedy: 'check the network, and HTTPS_PROXY where one is needed',
  connect({ endpoint, upstream, now }) {
    const quarantine = createQuarantine(now)

    let list: readonly Model[] = []
    let listedAt = Number.NEGATIVE_INFINITY
    let checkedAt = Number.NEGATIVE_INFINITY
    const listModels = async (signal: AbortSignal, fresh: boolean): Promise<readonly Model[]> => {
      const checkKey = async () => {
        await upstream.json('/key', { signal })
        checkedAt = now()
      }
      const fetchList = async () => {
        const answer = await upstream.json('/models', { signal })
        listedAt = now()
        list = readOpenRouterModels(answer, endpoint.name, listedAt)
      }
      await Promise.all([
        fresh || now() - checkedAt >= keyCheckMs ? checkKey() : undefined,
        fresh || now() - listedAt >= listMs ? fetchList() : undefined,
      ])
      return list
    }

    async function* watch(ask: Ask, parts: AsyncIterable<StreamPart>): AsyncGenerator<StreamPart> {
      try {
        yield* parts
      } catch (error) {
        noteFailure(ask, error)
        throw error
      }
      quarantine.noteSuccess(ask.model)
    }
    /** A caller's restriction to certain providers says nothing about the model. */
    const noteFailure = ({ model, fields }: Ask, error: unknown) => {
      if (fields['provider'] === undefined) quarantine.noteFailure(model, asGatewayError(error))
    }
    const noting = async (ask: Ask, answer: Promise<ProviderReply>): Promise<ProviderReply> => {
      try {
        const reply = await answer
        if (reply.kind === 'stream') return { ...reply, parts: watch(ask, reply.parts) }
        quarantine.noteSuccess(ask.model)
        return reply
      } catch (error) {
        noteFailure(ask, error)
        throw error
      }
    }
    const chat = async (call: ProviderCall): Promise<ProviderReply> => {
      rejectUnsupported(call)
      // OpenRouter would otherwise fit a long prompt into a small model by removing its middle.
      const body = { transforms: [], ...chatBody(call) }
      return noting({ model: call.model, fields: call.request }, openAiChat(upstream, '/chat/completions', call, body))
    }
    const nonChat = openAiNonChat(upstream, '')
    return {
      listModels,
      adjustModels: listed => quarantine.apply(listed),
      cacheControl: true,
      efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'],
      chat,
      passThrough: call => noting({ model: call.model, fields: call.body }, askMessages(upstream, '/messages', call)),
      billOf: async (generationId, call) =>
        readBill(await upstream.jsonIfKnown(`/generation?id=${encodeURIComponent(generationId)}`, call)),
      account: async signal => readAccount(await upstream.json('/key', { signal })),
      nonChat: { embeddings: nonChat.embeddings, completions: completionsOrChat(nonChat.completions, chat) },
    }
  },
})
