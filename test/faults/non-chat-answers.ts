import { defaultUsage } from '../helpers/upstream-script.ts'

/** An answer of a server before any fault: for a stream its events, otherwise one part. */
export interface WholeAnswer {
  contentType: string
  parts: readonly string[]
}

const usage = {
  prompt_tokens: defaultUsage.promptTokens,
  completion_tokens: defaultUsage.outputTokens,
  total_tokens: defaultUsage.promptTokens + defaultUsage.outputTokens,
}
const words = ['Once ', 'upon ', 'a ', 'time.']
const vectors = [
  [0.25, -0.5, 1],
  [0.5, 0.25, -1],
]

/** What a server of any kind answers at the path of an endpoint that is not chat; undefined at every other path. */
export function nonChatAnswer(pathname: string, model: string, streams: boolean): WholeAnswer | undefined {
  const write = Object.entries(answers).find(([path]) => pathname.endsWith(path))?.[1]
  return write?.(model, streams)
}

const answers: Readonly<Record<string, (model: string, streams: boolean) => WholeAnswer>> = {
  '/v1/embeddings': model =>
    json({
      object: 'list',
      model,
      data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
      usage: { prompt_tokens: usage.prompt_tokens, total_tokens: usage.prompt_tokens },
    }),
  '/api/embed': model => json({ model, embeddings: vectors, prompt_eval_count: usage.prompt_tokens }),
  '/v1/rerank': model =>
    json({
      model,
      results: [
        { index: 1, relevance_score: 0.9 },
        { index: 0, relevance_score: 0.1 },
      ],
      usage: { prompt_tokens: usage.prompt_tokens, total_tokens: usage.prompt_tokens },
    }),
  '/v1/completions': (model, streams) => {
    const choice = (text: string, reason: string | null) => ({
      id: 'cmpl-1',
      object: 'text_completion',
      model,
      choices: [{ index: 0, text, finish_reason: reason }],
    })
    if (!streams) return json({ ...choice(words.join(''), 'stop'), usage })
    const frames = [
      ...words.map(word => choice(word, null)),
      choice('', 'stop'),
      { ...choice('', null), choices: [], usage },
    ]
    return {
      contentType: 'text/event-stream',
      parts: [...frames.map(frame => `data: ${JSON.stringify(frame)}\n\n`), 'data: [DONE]\n\n'],
    }
  },
  '/api/generate': (model, streams) => {
    const end = { done: true, done_reason: 'stop', prompt_eval_count: 12, eval_count: 4 }
    if (!streams) return json({ model, response: words.join(''), ...end })
    const lines = [...words.map(response => ({ model, response, done: false })), { model, response: '', ...end }]
    return { contentType: 'application/x-ndjson', parts: lines.map(line => `${JSON.stringify(line)}\n`) }
  },
}

function json(body: object): WholeAnswer {
  return { contentType: 'application/json', parts: [JSON.stringify(body)] }
}
