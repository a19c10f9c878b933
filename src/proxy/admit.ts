import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Call } from '../gateway/call.ts'
import type { RateAdmission } from '../gateway/rate-limits.ts'
import type { Principal } from '../operations/operation.ts'
import { promptTokens } from '../wire/usage.ts'
import type { RouteParts } from './chat-routes.ts'
import { anthropicRateHeaders, openAiRateHeaders } from './rate-headers.ts'

type AdmitParts = Pick<RouteParts, 'accounting' | 'now'>

/** Until a prompt is counted. */
const bytesPerToken = 4

/**
 * Holds an inference request to the limits of its caller's key and tells them what is left, as their protocol does. Throws
 * `rate_limit_exceeded`.
 */
export function admit(
  { principal, headers, url }: FastifyRequest,
  reply: FastifyReply,
  parts: AdmitParts,
): Pick<Call, 'onSettled'> {
  const expectedTokens = Math.ceil(Number(headers['content-length'] ?? 0) / bytesPerToken)
  const admission = admissionOf(principal, expectedTokens, parts)
  if (admission === undefined) return {}
  const isMessages = headers['anthropic-version'] !== undefined || url.includes('/messages')
  void reply.headers(isMessages ? anthropicRateHeaders(admission, parts.now()) : openAiRateHeaders(admission))
  if (admission.refusal !== undefined) throw admission.refusal
  reply.raw.once('close', admission.ended)
  return { onSettled: settledBy(admission) }
}

/**
 * The same for a request that comes as a message of `bytes` bytes on an open connection, whose key may have ended since that was
 * opened: throws `unauthorized` too. `ended` must be called at the end of the request.
 */
export function admitMessage(
  principal: Principal,
  bytes: number,
  parts: AdmitParts,
): Pick<Call, 'onSettled'> & { ended: () => void } {
  const admission = admissionOf(principal, Math.ceil(bytes / bytesPerToken), parts)
  if (admission === undefined) return { ended: () => undefined }
  if (admission.refusal !== undefined) throw admission.refusal
  return { onSettled: settledBy(admission), ended: admission.ended }
}

/** Undefined for a caller without limits. */
function admissionOf(
  { name }: Principal,
  expectedTokens: number,
  { accounting: { apiKeys, rateLimiter } }: AdmitParts,
): RateAdmission | undefined {
  const key = apiKeys.named(name)
  if (key === undefined) return undefined
  apiKeys.requireValid(key)
  const { requestsPerMinute, tokensPerMinute, concurrentRequests } = key
  if ((requestsPerMinute ?? tokensPerMinute ?? concurrentRequests) === null) return undefined
  return rateLimiter.admit(key.name, key, expectedTokens)
}

function settledBy(admission: RateAdmission): NonNullable<Call['onSettled']> {
  return usage => admission.used(promptTokens(usage) + usage.outputTokens)
}
