import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'

t.test('nothing of MCP loads unless an agent asks', async t => {
  const main = pathToFileURL(path.resolve(import.meta.dirname, '../../src/cli/serve.ts')).href
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
  const loaded = JSON.parse(output) as string[]
  t.ok(loaded.some(name => name.endsWith('mcp/http.ts')))
  t.strictSame(
    loaded.filter(name => name.startsWith('@modelcontextprotocol/')),
    [],
  )
})
