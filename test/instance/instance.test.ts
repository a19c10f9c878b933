import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { claimInstance, readInstance, type ClaimOptions } from '../../src/instance.ts'

const standard: ClaimOptions = { checkActiveProcess: true, removeStale: true }

t.test('of many processes started at the same instant exactly one gets the data directory', async t => {
  const folder = t.testdir()
  const processes = Array.from({ length: 6 }, () => startClaimer(t, folder))
  const said = await Promise.all(processes.map(({ said }) => said))
  t.equal(said.filter(word => word === 'claimed').length, 1)
  const owner = processes[said.indexOf('claimed')]
  t.equal(readInstance(folder)?.pid, owner?.child.pid)
})

t.test('a killed process loses its claim at once, and the next one takes over', async t => {
  const folder = t.testdir()
  const owner = startClaimer(t, folder)
  t.equal(await owner.said, 'claimed')
  t.equal(claimInstance(folder, standard), undefined)
  owner.child.kill('SIGKILL')
  await once(owner.child, 'exit')
  t.equal(readInstance(folder)?.pid, owner.child.pid, 'it could not clean up')
  const claim = claimInstance(folder, standard)
  t.ok(claim)
  claim?.release()
})

t.test('a process that exits cleanly leaves nothing behind', async t => {
  const folder = t.testdir()
  const owner = startClaimer(t, folder)
  t.equal(await owner.said, 'claimed')
  owner.child.stdin.end()
  await once(owner.child, 'exit')
  t.equal(readInstance(folder), undefined)
})

t.test('a lock file whose pid is by now another program’s is stale', t => {
  const folder = t.testdir({ 'instance.json': instanceFile({ pid: process.pid, started: 'long ago' }) })
  const claim = claimInstance(folder, standard)
  t.ok(claim)
  claim?.release()
  t.end()
})

t.test('a lock file of a process that runs is respected even where the file system has no locks', t => {
  const folder = t.testdir()
  const claim = claimInstance(folder, standard)
  claim?.announce({ url: 'http://127.0.0.1:1', token: 'secret', version: '0.0.0' })
  const written = readFileSync(path.join(folder, 'instance.json'), 'utf8')
  claim?.release()
  writeFileSync(path.join(folder, 'instance.json'), written)
  t.equal(claimInstance(folder, standard), undefined)
  t.end()
})

t.test('LOCK_FILE_CHECK_ACTIVE_PROCESS=false respects any lock file', t => {
  const folder = t.testdir({ 'instance.json': instanceFile({ pid: process.pid, started: 'long ago' }) })
  t.equal(claimInstance(folder, { checkActiveProcess: false, removeStale: true }), undefined)
  t.end()
})

t.test('REMOVE_STALE_LOCK_FILES=false names the file to remove', t => {
  const folder = t.testdir({ 'instance.json': instanceFile({ pid: 2 ** 22 + 1, started: 'long ago' }) })
  t.throws(() => claimInstance(folder, { checkActiveProcess: true, removeStale: false }), {
    name: 'ConfigError',
    message: /instance\.json was left by process 4194305, which has ended: remove it/,
  })
  const claim = claimInstance(folder, standard)
  t.ok(claim, 'the failed claim holds no lock')
  claim?.release()
  t.end()
})

t.test('only its owner can read the token', t => {
  const folder = t.testdir()
  const claim = claimInstance(folder, standard)
  claim?.announce({ url: 'http://127.0.0.1:1', token: 'secret', version: '0.0.0' })
  t.equal(statSync(path.join(folder, 'instance.json')).mode & 0o777, 0o600)
  t.match(readInstance(folder), { pid: process.pid, token: 'secret' })
  claim?.release()
  t.end()
})

function instanceFile(known: { pid: number; started: string }): string {
  return JSON.stringify({ url: 'http://127.0.0.1:1', token: 'secret', version: '0.0.0', ...known })
}

function startClaimer(t: Test, folder: string) {
  const script = path.resolve('test/instance/claimer.ts')
  const child = spawn(process.execPath, [script, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  const said = once(createInterface(child.stdout), 'line').then(([word]) => String(word))
  return { child, said }
}
