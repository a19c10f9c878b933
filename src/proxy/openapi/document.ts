import { z } from 'zod'
import { createDocument } from 'zod-openapi'
import type { Operation } from '../../operations/operation.ts'
import { inferenceRoutes } from './inference.ts'
import { OpenAiErrorResponse } from './responses.ts'
import type { RouteDescription } from './route-description.ts'

export interface DocumentParts {
  version: string
  operations: readonly Operation<never>[]
}

/** The OpenAPI 3.1 document of every HTTP route, made from the schemas that check the requests. */
export function openApiDocument({ version, operations }: DocumentParts): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of [...inferenceRoutes, ...operations.flatMap(routesOf)]) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationObject(route) }
  }
  return createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'Signalbox',
        version,
        description:
          'A local-first model router. Paths under /v1 are also served without the prefix, below /openai (with Azure’s /deployments/{model}) and below /api/v1. MCP is served at /mcp (Streamable HTTP), Responses also over a WebSocket at /v1/responses, and live changes at /ws (WebSocket).',
      },
      servers: [{ url: '/' }],
      security: [{}, { bearer: [] }, { apiKey: [] }, { googleApiKey: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
          googleApiKey: { type: 'apiKey', in: 'header', name: 'x-goog-api-key' },
        },
      },
      paths,
    },
    { allowEmptySchema: { unknown: true } },
  )
}

function operationObject(route: RouteDescription) {
  const {
    operationId,
    tag,
    summary,
    body,
    bodyTypes = ['application/json'],
    query,
    params,
    headers,
    response,
    also,
    error,
  } = route
  const requestParams = {
    ...(query !== undefined && { query }),
    ...(params !== undefined && { path: params }),
    ...(headers !== undefined && { header: headers }),
  }
  const refusal = {
    description: 'The request was rejected or failed.',
    content: { 'application/json': { schema: error } },
  }
  return {
    operationId,
    tags: [tag],
    summary,
    ...(Object.keys(requestParams).length > 0 && { requestParams }),
    ...(body !== undefined && {
      requestBody: { content: Object.fromEntries(bodyTypes.map(type => [type, { schema: body }])) },
    }),
    responses: {
      200: {
        description: 'The answer.',
        content: {
          ...(response !== undefined && { 'application/json': { schema: response } }),
          ...Object.fromEntries((also ?? []).map(type => [type, { schema: { type: 'string' } }])),
        },
      },
      default: refusal,
    },
  }
}

/** `POST /admin/<name>` of an operation, and its own path where it has one. */
function routesOf({ name, summary, http, input, output }: Operation<never>): RouteDescription[] {
  const described = { summary, response: output, also: ['text/event-stream'], error: OpenAiErrorResponse }
  const admin: RouteDescription = {
    ...described,
    method: 'post',
    path: `/admin/${name}`,
    operationId: `admin_${name}`,
    tag: 'Administration',
    body: input,
  }
  if (http === undefined) return [admin]
  const names = [...http.path.matchAll(/:(\w+)/g)].map(match => match[1]!)
  const fields = Object.entries(input.shape) as [string, z.ZodType][]
  const inPath = z.object(Object.fromEntries(fields.filter(([key]) => names.includes(key))))
  const rest = z.object(Object.fromEntries(fields.filter(([key]) => !names.includes(key))))
  const hasRest = Object.keys(rest.shape).length > 0
  const own: RouteDescription = {
    ...described,
    method: http.method.toLowerCase() as RouteDescription['method'],
    path: http.path.replaceAll(/:(\w+)/g, '{$1}'),
    operationId: name,
    tag: 'Operations',
    ...(names.length > 0 && { params: inPath.required() }),
    ...(hasRest && (http.method === 'GET' ? { query: rest } : { body: rest })),
  }
  return [admin, own]
}
