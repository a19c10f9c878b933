import { nearestNames } from '../spelling.ts'

/** What there is instead of the paths of other APIs, by the path without `/v1`; the longest beginning counts. */
const instead: Readonly<Record<string, string>> = {
  '/assistants': 'Use /v1/responses; it keeps conversations by previous_response_id',
  '/threads': 'Use /v1/responses; it keeps conversations by previous_response_id',
  '/conversations': 'Use /v1/responses with previous_response_id',
  '/realtime': 'There is no audio conversation; /v1/responses takes text over a WebSocket',
  '/vector_stores': 'Code is searched with POST /admin/search',
  '/containers': 'Tools run on the side of the caller',
  '/skills': 'Tools run on the side of the caller',
  '/uploads': 'Send the file in one piece to POST /v1/files',
  '/messages/batches': 'Use /v1/files and /v1/batches',
  '/complete': 'Use POST /v1/messages',
  '/edits': 'Use POST /v1/chat/completions',
  '/engines': 'Use GET /v1/models',
  '/credits': 'Use GET /v1/usage',
  '/key': 'Use GET /v1/usage',
  '/generation': 'Use GET /v1/decisions/{id}',
  '/fine_tuning': 'Models are not trained here',
  '/fine-tunes': 'Models are not trained here',
  '/evals': 'Models are compared with POST /admin/benchmark_task',
  '/videos': 'No provider makes videos here',
  '/organization': 'Use GET /v1/usage',
}

/**
 * A sentence that says what to use instead of an unknown path. `paths` are those that exist, as patterns. Names no path outside
 * the API's.
 */
export function insteadOf(path: string, paths: readonly string[]): string | undefined {
  const bare = path.replace(/^(?:\/v1)+(?=\/)/, '')
  const known = Object.keys(instead)
    .filter(start => bare === start || bare.startsWith(`${start}/`))
    .sort((a, b) => b.length - a.length)[0]
  if (known !== undefined) return `${instead[known]}.`
  const [nearest] = nearestNames(
    `/v1${bare}`,
    paths.filter(each => each.startsWith('/v1/') && !each.startsWith('/v1/v1/')),
    1,
  )
  return nearest === undefined ? undefined : `Did you mean ${nearest.replaceAll(/:(\w+)/g, '{$1}')}?`
}
