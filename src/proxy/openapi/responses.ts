import { z } from 'zod'
import { UsageReport } from '../../ledger/usage.ts'
import { OrganizationPage } from '../organization-usage.ts'

/** What the inference endpoints answer, as far as clients rely on it; servers may add fields, which are passed on. */

const usage = z.looseObject({
  prompt_tokens: z.int().optional(),
  completion_tokens: z.int().optional(),
  total_tokens: z.int().optional(),
})

export const ChatCompletionResponse = z
  .looseObject({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.int(),
    model: z.string(),
    choices: z.array(
      z.looseObject({
        index: z.int(),
        message: z.looseObject({
          role: z.string(),
          content: z.string().nullable(),
          tool_calls: z
            .array(
              z.looseObject({
                id: z.string(),
                type: z.literal('function'),
                function: z.looseObject({ name: z.string(), arguments: z.string() }),
              }),
            )
            .optional(),
        }),
        finish_reason: z.string().nullable(),
      }),
    ),
    usage: usage.nullish(),
  })
  .meta({ id: 'ChatCompletionResponse' })

export const MessagesResponse = z
  .looseObject({
    id: z.string(),
    type: z.literal('message'),
    role: z.literal('assistant'),
    model: z.string(),
    content: z.array(z.looseObject({ type: z.string() })),
    stop_reason: z.string().nullable(),
    usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }),
  })
  .meta({ id: 'MessagesResponse' })

export const ResponsesResponse = z
  .looseObject({
    id: z.string(),
    object: z.literal('response'),
    created_at: z.number(),
    status: z.string(),
    model: z.string(),
    output: z.array(z.looseObject({ type: z.string() })),
    usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int(), total_tokens: z.int() }).nullish(),
  })
  .meta({ id: 'ResponsesResponse' })

const items = z.array(z.looseObject({ type: z.string() }))

export const CompactionResponse = z
  .looseObject({
    id: z.string(),
    object: z.literal('response.compaction'),
    created_at: z.number(),
    output: items.describe('What the user wrote, and one item that stands for the rest.'),
  })
  .meta({ id: 'CompactionResponse' })

export const InputItemsResponse = z
  .object({
    object: z.literal('list'),
    data: items,
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'InputItemsResponse' })

export const InputTokensResponse = z
  .object({ object: z.literal('response.input_tokens'), input_tokens: z.int() })
  .meta({ id: 'InputTokensResponse' })

export const EmbeddingsResponse = z
  .looseObject({
    object: z.literal('list'),
    data: z.array(
      z.looseObject({
        index: z.int(),
        embedding: z.union([z.array(z.number()), z.string()]).describe('Numbers, or base64 of 32-bit floats.'),
      }),
    ),
    model: z.string(),
  })
  .meta({ id: 'EmbeddingsResponse' })

export const CompletionsResponse = z
  .looseObject({ choices: z.array(z.looseObject({ text: z.string() })), usage: usage.nullish() })
  .meta({ id: 'CompletionsResponse' })

export const RerankResponse = z
  .looseObject({ results: z.array(z.looseObject({ index: z.int(), relevance_score: z.number() })) })
  .meta({ id: 'RerankResponse' })

export const InfillResponse = z.looseObject({ content: z.string() }).meta({ id: 'InfillResponse' })

export const TokenCount = z.object({ input_tokens: z.int() }).meta({ id: 'TokenCount' })

export const DeletedResponse = z
  .object({ id: z.string(), object: z.literal('response'), deleted: z.literal(true) })
  .meta({ id: 'DeletedResponse' })

const ModelItem = z.looseObject({ id: z.string() })

export const ModelResponse = ModelItem.meta({
  id: 'ModelResponse',
  description: 'OpenAI’s form; Anthropic’s for callers that send `anthropic-version`.',
})

export const ModelListResponse = z.looseObject({ data: z.array(ModelItem) }).meta({ id: 'ModelListResponse' })

/** `POST /v1/route`: the decision that a request would get now. */
export const RouteResponse = z
  .looseObject({
    summary: z.string(),
    chosen: z.string().optional(),
    reason: z.string(),
    candidates: z.array(
      z.looseObject({
        model: z.string(),
        quality: z.number().min(0).max(1).describe('Predicted probability of a good answer.'),
        cost_usd: z.number().nullable().describe('Expected cost; null where the price is not known.'),
        seconds: z.number(),
      }),
    ),
    excluded: z.array(z.looseObject({ model: z.string(), reason: z.string() })),
  })
  .meta({ id: 'RouteResponse' })

export const DecisionResponse = z
  .looseObject({
    request_id: z.string(),
    caller_request_id: z.string().nullable().describe('The `x-request-id` of the request, where it had one.'),
    model: z.string().nullable(),
    outcome: z.string(),
    decision: z.looseObject({}),
  })
  .meta({ id: 'DecisionResponse' })

export const UsageResponse = UsageReport.meta({ id: 'UsageResponse' })

export const OrganizationPageResponse = OrganizationPage.meta({ id: 'OrganizationPageResponse' })

export const AccountResponse = z.looseObject({ data: z.looseObject({}) }).meta({ id: 'AccountResponse' })

export const HealthResponse = z
  .looseObject({ status: z.string(), version: z.string().optional().describe('With an API key only.') })
  .meta({ id: 'HealthResponse' })

export const RootResponse = z
  .looseObject({ name: z.literal('signalbox'), version: z.string() })
  .meta({ id: 'RootResponse' })

export const OpenAiErrorResponse = z
  .looseObject({
    error: z.looseObject({
      message: z.string(),
      type: z.string(),
      code: z.string(),
      param: z.string().nullable(),
    }),
  })
  .meta({ id: 'OpenAiErrorResponse' })

export const MessagesErrorResponse = z
  .looseObject({ type: z.literal('error'), error: z.looseObject({ type: z.string(), message: z.string() }) })
  .meta({ id: 'MessagesErrorResponse' })
