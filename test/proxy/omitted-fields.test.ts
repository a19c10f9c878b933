import type Anthropic from '@anthropic-ai/sdk'
import type { GenerateContentConfig } from '@google/genai'
import type { ChatRequest as OllamaRequest } from 'ollama'
import type OpenAI from 'openai'
import t from 'tap'
import { scriptedUpstream, upstreamKinds } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const messages = [{ role: 'user' as const, content: 'Hello?' }]
const schema = { type: 'object' as const, properties: { city: { type: 'string' } } }
const described = { name: 'weather', description: 'Tells the weather.', parameters: schema }

/** Every optional field that a vendor's SDK knows: a field that it gains is missing here until it is added. */
type Optional<Params, Rest extends keyof Params> = Required<Omit<Params, Rest>>

const chat: Optional<OpenAI.ChatCompletionCreateParams, 'messages' | 'model' | 'stream' | 'stream_options'> = {
  audio: { format: 'wav', voice: 'alloy' },
  frequency_penalty: 0.5,
  function_call: 'none',
  functions: [described],
  logit_bias: { 50: 3 },
  logprobs: true,
  max_completion_tokens: 33,
  max_tokens: 33,
  metadata: { project: 'x' },
  modalities: ['text'],
  moderation: { model: 'omni-moderation-latest' },
  n: 2,
  parallel_tool_calls: false,
  prediction: { type: 'content', content: 'Hello!' },
  presence_penalty: 0.5,
  prompt_cache_key: 'k',
  prompt_cache_options: {},
  prompt_cache_retention: '24h',
  reasoning_effort: 'high',
  response_format: { type: 'json_object' },
  safety_identifier: 's',
  seed: 7,
  service_tier: 'priority',
  stop: ['END'],
  store: true,
  temperature: 0.3,
  tool_choice: { type: 'function', function: { name: 'weather' } },
  tools: [{ type: 'function', function: described }],
  top_logprobs: 3,
  top_p: 0.3,
  user: 'u',
  verbosity: 'low',
  web_search_options: { search_context_size: 'low' },
}

const responses: Optional<OpenAI.Responses.ResponseCreateParams, 'input' | 'model' | 'stream' | 'stream_options'> = {
  access_programs: {},
  background: true,
  context_management: [{ type: 'compaction' }],
  conversation: 'conv_1',
  image: {},
  include: ['message.output_text.logprobs'],
  instructions: 'Be brief.',
  max_output_tokens: 33,
  max_tool_calls: 3,
  metadata: { project: 'x' },
  moderation: { model: 'omni-moderation-latest' },
  parallel_tool_calls: false,
  previous_response_id: 'resp_none',
  prompt: { id: 'pmpt_1' },
  prompt_cache_key: 'k',
  prompt_cache_options: {},
  prompt_cache_retention: '24h',
  reasoning: { effort: 'high' },
  safety_identifier: 's',
  service_tier: 'priority',
  store: false,
  temperature: 0.3,
  text: { format: { type: 'json_object' } },
  tool_choice: 'required',
  tools: [{ type: 'function', strict: null, ...described }],
  top_logprobs: 3,
  top_p: 0.3,
  truncation: 'auto',
  user: 'u',
}

const anthropic: Optional<Anthropic.MessageCreateParams, 'messages' | 'model' | 'stream'> = {
  max_tokens: 33,
  cache_control: { type: 'ephemeral' },
  container: 'container_1',
  diagnostics: { previous_message_id: 'msg_1' },
  inference_geo: 'eu',
  metadata: { user_id: 'u' },
  output_config: { effort: 'high' },
  service_tier: 'standard_only',
  speed: 'fast',
  stop_sequences: ['END'],
  system: 'Be brief.',
  thinking: { type: 'enabled', budget_tokens: 2048 },
  tool_choice: { type: 'tool', name: 'weather' },
  tools: [{ name: 'weather', input_schema: schema, input_examples: [{ city: 'Bern' }] }],
  user_profile_id: 'u',
  workspace_id: 'w',
}

const ollama: Optional<OllamaRequest, 'model' | 'messages' | 'stream'> = {
  format: 'json',
  keep_alive: '5m',
  tools: [{ type: 'function', function: described }],
  think: true,
  logprobs: true,
  top_logprobs: 3,
  options: { num_ctx: 32_768 },
}

const gemini: Partial<GenerateContentConfig> = {
  temperature: 0.3,
  topP: 0.3,
  topK: 5,
  candidateCount: 2,
  maxOutputTokens: 33,
  stopSequences: ['END'],
  responseLogprobs: true,
  logprobs: 3,
  presencePenalty: 0.5,
  frequencyPenalty: 0.5,
  seed: 7,
  responseMimeType: 'application/json',
  routingConfig: {},
  speechConfig: { languageCode: 'de-DE' },
  mediaResolution: 'MEDIA_RESOLUTION_LOW' as never,
  thinkingConfig: { thinkingBudget: 2048 },
}

const completions: Optional<OpenAI.CompletionCreateParams, 'prompt' | 'model' | 'stream' | 'stream_options'> = {
  best_of: 2,
  echo: true,
  frequency_penalty: 0.5,
  logit_bias: { 50: 3 },
  logprobs: 3,
  max_tokens: 33,
  n: 2,
  presence_penalty: 0.5,
  seed: 7,
  stop: ['END'],
  suffix: ' there',
  temperature: 0.3,
  top_p: 0.3,
  user: 'u',
}

const embeddings: Optional<OpenAI.EmbeddingCreateParams, 'input' | 'model'> = {
  dimensions: 5,
  encoding_format: 'base64',
  user: 'u',
}

interface Surface {
  path: string
  base: object
  fields: object
  /** Fields that are answered here: they change what comes back, what is kept or where the request goes. */
  answeredHere?: readonly string[]
  /** What a field needs beside it to have a meaning. */
  beside?: Readonly<Record<string, object>>
  place?: (field: object) => object
  /** What notes call a field that was translated before it was left out. */
  terms?: Readonly<Record<string, string>>
  model?: string
}

const surfaces: readonly Surface[] = [
  {
    path: '/v1/chat/completions',
    base: { messages },
    fields: chat,
    answeredHere: ['metadata'],
    beside: { tool_choice: { tools: chat.tools }, top_logprobs: { logprobs: true } },
  },
  {
    path: '/v1/responses',
    base: { input: 'Hello?' },
    fields: responses,
    answeredHere: ['metadata', 'store'],
    beside: { tool_choice: { tools: responses.tools } },
  },
  {
    path: '/v1/messages',
    base: { messages },
    fields: anthropic,
    beside: { tool_choice: { tools: anthropic.tools } },
    terms: { metadata: 'user' },
  },
  { path: '/api/chat', base: { messages, stream: false }, fields: ollama },
  {
    path: '/v1beta/models/auto:generateContent',
    base: { contents: [{ role: 'user', parts: [{ text: 'Hello?' }] }] },
    fields: gemini,
    beside: { logprobs: { responseLogprobs: true } },
    place: generationConfig => ({ generationConfig }),
  },
  { path: '/v1/completions', base: { prompt: 'Hello' }, fields: completions },
  {
    path: '/v1/embeddings',
    base: { input: 'Hello' },
    fields: embeddings,
    answeredHere: ['encoding_format'],
    model: 'embedder',
  },
]

const same = (field: object) => field

const vector = [0.5, 0.25, 1, 2, 3]
const completion = { id: 'c', choices: [{ index: 0, text: '1', finish_reason: 'stop', logprobs: null }] }

/** What scripted servers answer at their other endpoints. */
function answerOf(path: string) {
  if (path === '/api/embed') return { json: { embeddings: [vector] } }
  if (path === '/infill') return { json: { content: '1', stop: true, stop_type: 'eos' } }
  if (path === '/api/generate') return { json: { response: '1', done: true } }
  if (path.endsWith('/embeddings')) return { json: { data: [{ index: 0, embedding: vector }] } }
  return path.endsWith('/completions') && !path.endsWith('/chat/completions') ? { json: completion } : undefined
}

for (const kind of upstreamKinds) {
  for (const {
    path,
    base,
    fields,
    answeredHere = [],
    beside = {},
    terms = {},
    model = 'scripted',
    place = same,
  } of surfaces) {
    t.test(`${kind}: a field of ${path} reaches the server, is refused, or is in the notes`, async t => {
      const upstream = await scriptedUpstream(t, kind, {
        models: [
          { name: 'scripted', tools: true, reasoning: true, loadedContextTokens: 16_384 },
          { name: 'embedder', embedding: true },
        ],
        // Also the arguments of a forced call, where its schema is all that a server is sent.
        answer: { text: '{"city":"Bern"}' },
        route: request => answerOf(request.path),
      })
      const gateway = await startGateway(t, variablesFor(upstream))
      const asked = async (given: object) => {
        const before = upstream.requests.length
        const reply = await gateway.post(path, { model: `${kind}/${model}`, ...base, ...place(given) })
        const sent = upstream.requests.slice(before).filter(({ method }) => method === 'POST')
        return { reply, sent: JSON.stringify(sent.map(request => [request.path, request.body])) }
      }
      for (const [field, value] of Object.entries(fields) as [string, unknown][]) {
        if (answeredHere.includes(field)) continue
        const without = await asked(beside[field] ?? {})
        const { reply, sent } = await asked({ ...beside[field], [field]: value })
        const notes = decodeURIComponent(String(reply.headers['x-signalbox-notes'] ?? ''))
        const isRefused = reply.status >= 400 && reply.status < 500
        // A field may be nothing without another one, which is then what is refused.
        if (without.reply.status !== 200) t.ok(field in beside && isRefused, without.reply.text)
        else if (reply.status !== 200) t.ok(isRefused, `${field}: ${reply.status} ${reply.text}`)
        else t.ok(notes.includes(terms[field] ?? field) || sent !== without.sent, `${field} was dropped without a word`)
      }
    })
  }
}
