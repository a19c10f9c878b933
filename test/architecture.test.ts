import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'

const root = path.resolve(import.meta.dirname, '../src')

/** The house from roof to ground. A file imports from its own room and from the floors below; see docs/architecture.md. */
const floors: readonly (readonly string[])[] = [
  ['cli'],
  ['start.ts'],
  ['proxy', 'mcp', 'dashboard', 'assistant'],
  ['operations'],
  ['core.ts'],
  ['tasks'],
  ['gateway'],
  ['router', 'ledger', 'search', 'bench'],
  ['providers'],
  ['instance.ts', 'watch-settings.ts'],
  ['accounting'],
  ['wire', 'tokens', 'config.ts'],
  ['errors.ts', 'json.ts', 'redact.ts', 'net.ts'],
]

t.test('every file stands in a room of the house', async t => {
  for (const file of sourceFiles()) t.ok(floorOf(file) >= 0, `${file} stands on a floor`)
})

t.test('a file imports only from its own room and from the floors below', async t => {
  for (const file of sourceFiles()) {
    for (const target of importsOf(file)) {
      const sameRoom = roomOf(file) === roomOf(target)
      t.ok(sameRoom || floorOf(target) > floorOf(file), `${file} may import ${target}`)
    }
  }
})

function sourceFiles(folder = root): string[] {
  return readdirSync(folder).flatMap(name => {
    const full = path.join(folder, name)
    if (statSync(full).isDirectory()) return sourceFiles(full)
    return name.endsWith('.ts') ? [path.relative(root, full)] : []
  })
}

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g)].map(match =>
    path.normalize(path.join(path.dirname(file), match[1]!)),
  )
}

function roomOf(file: string): string {
  const rooms = floors.flat().filter(room => file === room || file.startsWith(`${room}/`))
  return rooms.sort((a, b) => b.length - a.length)[0] ?? ''
}

function floorOf(file: string): number {
  return floors.findIndex(rooms => rooms.includes(roomOf(file)))
}
