const maxDepth = 12
/** Fields whose values are part of the form. */
const told = ['type', 'role', 'method', 'model', 'tool_choice', 'stream', 'store', 'wire_api', 'format', 'effort']

/**
 * The form of a request as sorted lines: its path, the names of its headers, and every field of its body with its type. What
 * differs from call to call – texts, ids, numbers – is not in it.
 */
export function formOf(request: { method: string; url: string; headers: string[]; body: unknown }): string[] {
  const url = request.url.replace(/\?.*$/, '')
  const where = `${request.method} ${url}`
  const lines = new Set<string>([where])
  for (const header of request.headers) lines.add(`${where} header ${header.toLowerCase()}`)
  walk(request.body, '', 0, line => lines.add(`${where} body${line}`))
  return [...lines].sort()
}

/** What two forms differ in, as lines of a diff. */
export function diffOfForms(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...before.filter(line => !after.includes(line)).map(line => `- ${line}`),
    ...after.filter(line => !before.includes(line)).map(line => `+ ${line}`),
  ]
}

function walk(value: unknown, place: string, depth: number, add: (line: string) => void): void {
  if (depth > maxDepth) return
  if (Array.isArray(value)) {
    for (const item of value) walk(item, `${place}[]`, depth + 1, add)
    return
  }
  if (typeof value !== 'object' || value === null) {
    const name = /\.(\w+)$/.exec(place)?.[1] ?? ''
    const isTold =
      told.includes(name) && (typeof value === 'boolean' || (typeof value === 'string' && value.length < 60))
    add(`${place} ${isTold ? JSON.stringify(value) : value === null ? 'null' : typeof value}`)
    return
  }
  for (const [name, part] of Object.entries(value)) {
    // The schemas of tools are the agent's own business and fill pages.
    if (['parameters', 'input_schema', 'parametersJsonSchema', 'arguments', 'args', 'input_examples'].includes(name)) {
      add(`${place}.${name}`)
    } else walk(part, `${place}.${name}`, depth + 1, add)
  }
}
