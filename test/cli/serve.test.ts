import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import path from 'node:path'
import t from 'tap'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange } from '../helpers/start-gateway.ts'
import { nowhere, signalbox, temporaryRoot } from '../helpers/signalbox.ts'

t.test('--port, --host and --data-dir win over the environment', async t => {
  const root = temporaryRoot(t)
  const folder = path.join(root, 'elsewhere')
  const args = ['serve', '--port', '0', '--host', '127.0.0.1', '--data-dir', folder]
  const { child, output, printed, ended } = signalbox(root, args, { ...nowhere, PORT: '1', HOST: '0.0.0.0' })
  t.teardown(() => child.kill('SIGKILL'))
  await printed('curl ')
  t.match(output.stdout, /listens on http:\/\/127\.0\.0\.1:\d+\n/)
  t.ok(existsSync(path.join(folder, 'ledger.db')))
  t.notOk(existsSync(path.join(root, 'data')))
  child.kill('SIGTERM')
  t.equal((await ended).code, 0)
})

t.test('an invalid option is reported like its setting, and options without a command mean serve', async t => {
  const { code, stderr } = await signalbox(temporaryRoot(t), ['--port', 'many'], nowhere).ended
  t.equal(code, 2)
  t.match(stderr, /^signalbox: PORT: [^\n]+\n$/)
})

t.test('a data directory that cannot be used is one line that names DATA_DIR, and nothing hangs', async t => {
  const root = temporaryRoot(t, { file: '' })
  for (const folder of ['/proc/nope', '/proc', '/dev/null', path.join(root, 'file', 'x')]) {
    const { code, stderr } = await signalbox(root, ['--port', '0', '--data-dir', folder], nowhere).ended
    t.equal(code, 2, folder)
    t.match(stderr, /^signalbox: DATA_DIR: [^\n]+ cannot be used \([^)]+\); set it to a folder [^\n]+\n$/)
    t.ok(stderr.includes(folder))
  }
})

t.test('HOST may be written in brackets, as in a URL', { skip: !(await hasIpv6()) && 'no IPv6 here' }, async t => {
  const { child, output, printed } = signalbox(temporaryRoot(t), [], { ...nowhere, PORT: '0', HOST: '[::1]' })
  t.teardown(() => child.kill('SIGKILL'))
  await printed('curl ')
  const url = /listens on (http:\/\/\[::1\]:\d+)\n/.exec(output.stdout)?.[1]
  t.equal((await exchange(`${url}/health`, { method: 'GET' })).status, 200)
})

t.test('Ctrl-C says what it waits for, and a second one ends at once', async t => {
  const held = gate()
  const local = await scriptedUpstream(t, 'llama-cpp', {
    answer: { text: ['a', 'b'], hold: { before: 1, until: held.opened } },
  })
  const { child, output, printed, ended } = signalbox(temporaryRoot(t), ['serve', '--port', '0'], {
    ...nowhere,
    LLAMA_CPP_ENDPOINT: local.url,
  })
  t.teardown(() => child.kill('SIGKILL'))
  await printed('curl ')
  const url = /curl (\S+)/.exec(output.stdout)![1]!
  const body = JSON.stringify({ model: 'auto', stream: true, messages: [{ role: 'user', content: 'Hello.' }] })
  const asked = exchange(url, { method: 'POST', body }).catch(() => undefined)
  await local.untilChats(1)
  child.kill('SIGINT')
  await printed('Ctrl-C again')
  t.match(output.stderr, /^Stopping: waiting up to 10 s for 1 request\. Press Ctrl-C again to end now\.\n$/)
  child.kill('SIGINT')
  t.equal((await ended).signal, 'SIGINT')
  await asked
  held.open()
})

t.test('Ctrl-C without running requests ends silently', async t => {
  const { child, printed, ended } = signalbox(temporaryRoot(t), ['serve', '--port', '0'], nowhere)
  t.teardown(() => child.kill('SIGKILL'))
  await printed('curl ')
  child.kill('SIGINT')
  t.match(await ended, { code: 0, stderr: '' })
})

async function hasIpv6(): Promise<boolean> {
  const server = createServer()
  server.listen(0, '::1')
  const listens = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ]).catch(() => false)
  server.close()
  return listens
}
