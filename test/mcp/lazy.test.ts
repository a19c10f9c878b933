import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'

t.test('nothing of MCP loads unless an agent asks', t => {
  const loaded = loadedBy('serve.ts')
  t.ok(loaded.some(name => name.endsWith('mcp/http.ts')))
  t.strictSame(
    loaded.filter(name => name.startsWith('@modelcontextprotocol/')),
    [],
  )
  t.end()
})

t.test('nothing of the core loads before an agent’s handshake is answered', t => {
  const loaded = loadedBy('mcp/serve-agent.ts')
  t.ok(loaded.some(name => name.startsWith('@modelcontextprotocol/')))
  t.strictSame(
    loaded.filter(name =>
      /\/(core|start|attach|providers\/index|proxy\/server)\.ts$|^(fastify|undici|pino)$/.test(name),
    ),
    [],
  )
  t.end()
})

/** What the import of a file of the command line asks to be loaded. */
function loadedBy(file: string): string[] {
  const main = pathToFileURL(path.resolve(import.meta.dirname, '../../src/cli', file)).href
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ resolve: (specifier, context, next) => { loaded.push(specifier); return next(specifier, context) } })
    await import(${JSON.stringify(main)})
    console.log(JSON.stringify(loaded))`
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
  })
  return JSON.parse(output) as string[]
}
