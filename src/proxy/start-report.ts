import type { Provider } from '../providers/provider.ts'

/** What a newcomer reads after the start: what was found, what was not and why, and how to go on. */
export function startReport(version: string, url: string, providers: readonly Provider[]): string {
  const width = Math.max(...providers.map(({ name }) => name.length), 0)
  const lines = providers.map(provider => {
    const { state, reason } = provider.health()
    const what = state === 'up' ? countOf(provider.models().length) : (reason ?? 'did not answer')
    return `  ${state === 'up' ? '✓' : '–'} ${provider.name.padEnd(width)}  ${provider.url}  ${what}`
  })
  const none = providers.every(provider => provider.models().length === 0)
  return [
    `Signalbox ${version} listens on ${url}`,
    '',
    ...lines,
    '',
    ...(none
      ? [
          'No model yet: start one of these servers, or write OPENROUTER_API_KEY=… into .env. Signalbox notices by itself.',
          '',
        ]
      : []),
    `Base URL for clients: ${url}/v1`,
    'Try it:',
    `  curl ${url}/v1/chat/completions -d '{"model":"auto","messages":[{"role":"user","content":"Say hello."}]}'`,
    '',
  ].join('\n')
}

function countOf(models: number): string {
  return models === 1 ? '1 model' : `${models} models`
}
