import type { FastifyInstance } from 'fastify'

/** Which methods each registered path has. */
export interface RouteTable {
  /** Methods of the route that a request path falls under, HEAD and OPTIONS left out; empty for an unknown path. */
  methodsOf(path: string): string[]
  /** Every pattern with its methods. */
  entries(): ReadonlyMap<string, ReadonlySet<string>>
}

/** Collects what is registered from now on, scopes included but WebSockets left out; call it before the first route. */
export function collectRoutes(app: FastifyInstance): RouteTable {
  const table = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.webSocket === true) return
    const methods = table.get(url) ?? new Set<string>()
    table.set(url, methods)
    for (const each of [method].flat()) if (each !== 'HEAD' && each !== 'OPTIONS') methods.add(each)
  })
  return {
    entries: () => table,
    methodsOf(path) {
      const steps = stepsOf(path)
      const found = [...table].filter(([pattern]) => matches(stepsOf(pattern), steps))
      return [...new Set(found.flatMap(([, methods]) => [...methods]))].sort()
    },
  }
}

function stepsOf(path: string): string[] {
  return path.split('/').filter(step => step !== '')
}

function matches(pattern: readonly string[], steps: readonly string[]): boolean {
  const open = pattern.at(-1) === '*'
  const fixed = open ? pattern.slice(0, -1) : pattern
  if (open ? steps.length <= fixed.length : steps.length !== fixed.length) return false
  return fixed.every((step, index) => step.startsWith(':') || step === steps[index])
}
