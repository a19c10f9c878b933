import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { localChatBody } from '../openai/chat.ts'
import type { ProviderCall } from '../provider.ts'
import type { Upstream } from '../http/upstream.ts'

const Applied = z.looseObject({ prompt: z.string() })
const Tokenized = z.looseObject({ tokens: z.array(z.unknown()) })

/** Counts the prompt tokens of a chat with llama-server's own template and tokenizer, as its chat route does. */
export async function countTokens(
  upstream: Upstream,
  call: Pick<ProviderCall, 'model' | 'request' | 'signal'>,
): Promise<number> {
  const { model, signal } = call
  const ask = (path: string, json: unknown) => upstream.json(path, { json, signal, model: model.name })
  const applied = Applied.safeParse(await ask('/apply-template', { ...localChatBody(call), stream: false }))
  if (!applied.success) throw notCounted(upstream)
  const text = { model: model.name, content: applied.data.prompt, add_special: true, parse_special: true }
  const tokenized = Tokenized.safeParse(await ask('/tokenize', text))
  if (!tokenized.success) throw notCounted(upstream)
  return tokenized.data.tokens.length
}

function notCounted({ label }: Upstream): GatewayError {
  return new GatewayError('upstream_error', `${label} did not count the prompt; check that it is a llama-server.`)
}
