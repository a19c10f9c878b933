import type { Model } from '../providers/provider.ts'
import { builtInAliases, type Alias } from './aliases.ts'
import type { Policy } from './policy.ts'
import { select } from './select.ts'

/** What names that callers write stand for with these models, and what the router may spend; one line each, for people. */
export function nameReport(
  models: readonly Model[],
  aliases: readonly Alias[],
  { defaultLocalModel, freeOnly }: Pick<Policy, 'defaultLocalModel' | 'freeOnly'>,
): string[] {
  if (models.length === 0) return []
  const patterns = builtInAliases.map(({ pattern }) => pattern).join(', ')
  return [
    spending(models, freeOnly),
    ...aliases.map(({ pattern, target }) => `${pattern}: ${meaning(target, models)}`),
    `${patterns}: auto, unless a server offers a model of that very name`,
    ...(defaultLocalModel === undefined ? [] : [`DEFAULT_LOCAL_MODEL: ${localMeaning(defaultLocalModel, models)}`]),
  ]
}

function spending(models: readonly Model[], freeOnly: boolean): string {
  const local = models.filter(({ tier }) => tier === 'local').length
  const free = models.filter(({ tier, free }) => tier === 'remote' && free).length
  const paid = models.length - local - free
  const counts = `auto: ${local} local, ${free} free and ${paid} paid models`
  if (paid === 0) return counts
  if (freeOnly) return `${counts}; paid ones are not used (OPENROUTER_FREE_ONLY)`
  return `${counts}; OPENROUTER_FREE_ONLY=true keeps it from spending money`
}

function meaning(target: string, models: readonly Model[]): string {
  try {
    const [group] = select([target], models, [])
    if (group?.preset !== undefined) return target
    return group?.models.map(({ id }) => id).join(' or ') ?? target
  } catch {
    return `${target}, which no server offers`
  }
}

function localMeaning(name: string, models: readonly Model[]): string {
  const found = models.filter(model => model.tier === 'local' && (model.id === name || model.name === name))
  return found.length === 0 ? `${name}, which no local server offers` : found.map(({ id }) => id).join(' or ')
}
