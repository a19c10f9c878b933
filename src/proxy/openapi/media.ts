import { z } from 'zod'
import { mediaEndpoints } from '../../wire/media.ts'
import { OpenAiErrorResponse } from './responses.ts'
import { eventStream, type RouteDescription } from './route-description.ts'

/** What is passed on to a server as it is: OpenAI's own documents say what it holds. */
export const mediaRoutes: readonly RouteDescription[] = mediaEndpoints.map(({ name, path }) => ({
  method: 'post',
  path: `/v1${path}`,
  operationId: `create_${name.replace('/', '_')}`,
  tag: 'Pass-through',
  summary: 'Passed on as it is to an OpenAI-compatible server that has a model for it; 501 where none has.',
  body: z.looseObject({ model: z.string().optional().describe('By default one whose name says that it is for this.') }),
  bodyTypes: ['application/json', 'multipart/form-data'],
  response: z.unknown(),
  also: [eventStream, 'application/octet-stream'],
  error: OpenAiErrorResponse,
}))
