import { createShippedPrices } from '../../src/accounting/price-list.ts'
import type { Endpoint } from '../../src/config/config.ts'
import { providerKinds } from '../../src/providers/index.ts'
import type { Model, Provider, ProviderCall, ProviderKind } from '../../src/providers/provider.ts'
import { createTransport } from '../../src/providers/http/transport.ts'
import { foldStream } from '../../src/wire/chat/chunks.ts'
import { ChatRequest, type ChatCompletion } from '../../src/wire/chat/schema.ts'
import type { StreamPart } from '../../src/wire/stream-part.ts'
import type { ScriptedUpstream } from './scripted-upstream.ts'

export interface StartedProvider {
  provider: Provider
  /** The model called `name`, or the first. */
  model: (name?: string) => Model
  complete: (request?: object, call?: Partial<ProviderCall>) => Promise<ChatCompletion>
  stream: (request?: object, call?: Partial<ProviderCall>) => Promise<AsyncIterable<StreamPart>>
}

/** The real provider of the upstream's kind, refreshed once, with its own connections. */
export async function startProvider(
  t: { teardown(undo: () => Promise<void>): void },
  { kind, url }: Pick<ScriptedUpstream, 'kind' | 'url'>,
  options: { endpoint?: Partial<Endpoint>; now?: () => number; connectTimeoutMs?: number } = {},
): Promise<StartedProvider> {
  const transport = createTransport({ connectTimeoutMs: options.connectTimeoutMs ?? 2_000 })
  const definition = kindOf(kind)
  const provider = definition.create({
    endpoint: { kind, name: kind, url: definition.normalize(new URL(url)), named: true, ...options.endpoint },
    transport,
    prices: createShippedPrices(),
    now: options.now ?? Date.now,
  })
  t.teardown(async () => {
    await provider.close()
    await transport.close()
  })
  await provider.refresh(new AbortController().signal)

  const model = (name?: string): Model => {
    const found = provider.models().find(each => name === undefined || each.name === name)
    if (found === undefined) throw new Error(`no model ${name ?? ''}: ${JSON.stringify(provider.health())}`)
    return found
  }
  const callOf = (request: object, call: Partial<ProviderCall>): ProviderCall => ({
    model: call.model ?? model(),
    promptTokens: 20,
    signal: new AbortController().signal,
    ...call,
    request: ChatRequest.parse({ messages: [{ role: 'user', content: 'Hi' }], ...request }),
  })
  return {
    provider,
    model,
    async complete(request = {}, call = {}) {
      const reply = await provider.chat(callOf(request, call))
      return reply.kind === 'complete' ? reply.completion : foldStream(reply.parts)
    },
    async stream(request = {}, call = {}) {
      const reply = await provider.chat(callOf({ stream: true, ...request }, call))
      if (reply.kind === 'stream') return reply.parts
      throw new Error('no stream came where one was asked for')
    },
  }
}

function kindOf(kind: string): ProviderKind {
  const found = providerKinds.find(each => each.kind === kind)
  if (found === undefined) throw new Error(`there is no kind ${kind}`)
  return found
}
