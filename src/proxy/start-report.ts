import type { Provider } from '../providers/provider.ts'

/**
 * The first-run report after the start: which servers were found, which were not and why, what `names` stand for, and what to
 * do next.
 */
export function startReport(
  version: string,
  url: string,
  providers: readonly Provider[],
  names: readonly string[],
): string {
  const width = Math.max(...providers.map(({ name }) => name.length), 0)
  const lines = providers.map(provider => {
    const { state, reason } = provider.health()
    const what = state === 'up' ? countOf(provider.models().length) : (reason ?? 'no answer')
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
          'No models yet: start one of these servers, or set OPENROUTER_API_KEY in .env. Signalbox detects either without a restart.',
          '',
        ]
      : []),
    ...(names.length === 0 ? [] : ['Names:', ...names.map(line => `  ${line}`), '']),
    `Base URL for clients: ${url}/v1`,
    'Try it:',
    `  curl ${url}/v1/chat/completions -d '{"model":"auto","messages":[{"role":"user","content":"Say hello."}]}'`,
    '',
  ].join('\n')
}

function countOf(models: number): string {
  return models === 1 ? '1 model' : `${models} models`
}
