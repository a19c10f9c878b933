/**
 * Names of span attributes. Those of `gen_ai` and `mcp` follow OpenTelemetry's semantic conventions, none of which is stable yet:
 * whatever changes there changes here alone.
 */
export const attributes = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestedModel: 'gen_ai.request.model',
  model: 'gen_ai.response.model',
  stream: 'gen_ai.request.stream',
  firstChunkSeconds: 'gen_ai.response.time_to_first_chunk',
  responseId: 'gen_ai.response.id',
  /** All of the prompt, cached or not. */
  inputTokens: 'gen_ai.usage.input_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  tool: 'gen_ai.tool.name',
  mcpMethod: 'mcp.method.name',
  errorType: 'error.type',
  status: 'http.response.status_code',
  requestId: 'signalbox.request.id',
  endpoint: 'signalbox.endpoint',
  tier: 'signalbox.tier',
  reason: 'signalbox.reason',
  attempts: 'signalbox.attempts',
  costUsd: 'signalbox.cost_usd',
  queueSeconds: 'signalbox.queue_seconds',
  routeSeconds: 'signalbox.route_seconds',
} as const

/** The conventions' word for what an endpoint does. */
export function operationOf(endpoint: string): string {
  if (endpoint === 'embeddings') return 'embeddings'
  if (endpoint === 'completions' || endpoint === 'infill') return 'text_completion'
  return endpoint === 'rerank' ? 'rerank' : 'chat'
}
