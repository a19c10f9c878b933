import type { Model } from '../providers/provider.ts'

/** Another name for a model or a preset. */
export interface Alias {
  /** What callers write; `*` stands for any letters. */
  pattern: string
  /** A model's id or a preset; never another alias. */
  target: string
}

/** Names that coding agents insist on. They come last: what the operator says, and a model of that very name, go before. */
export const builtInAliases: readonly Alias[] = ['claude-*', 'gpt-*', 'codex-*', 'gemini-*', 'o1*', 'o3*', 'o4*'].map(
  pattern => ({
    pattern,
    target: 'auto',
  }),
)

/** Claude Code lists only names that begin like this, so every model has a second name that does. */
export const discoveryPrefix = 'claude/'

/** What `name` stands for; the first alias that fits decides. */
export function targetOf(name: string, aliases: readonly Alias[]): string | undefined {
  return aliases.find(({ pattern }) => fits(pattern, name))?.target
}

/**
 * Models that a server offers under `name`, dots and dashes and a closing date aside: `claude-sonnet-4-5-20250929` is the
 * `claude-sonnet-4.5` of a server of its maker's. What an aggregator sells as `anthropic/claude-sonnet-4.5` is not meant: a
 * client that insists on a name must not spend money that its user did not mean to spend.
 */
export function undatedMatches(name: string, models: readonly Model[]): Model[] {
  const wanted = plain(name)
  return models.filter(model => model.tier === 'remote' && plain(model.name) === wanted)
}

/** Whether `pattern`, in which `*` stands for any characters, describes the whole of `name`. */
export function fits(pattern: string, name: string): boolean {
  const parts = pattern.split('*')
  const [first = '', ...rest] = parts
  if (!name.startsWith(first)) return false
  let position = first.length
  for (const [index, part] of rest.entries()) {
    const last = index === rest.length - 1
    const found = last ? name.length - part.length : name.indexOf(part, position)
    if (found < position || !name.startsWith(part, found)) return false
    position = found + part.length
  }
  return rest.length > 0 || name.length === first.length
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[._]/g, '-')
    .replace(/-\d{8}$/, '')
}
