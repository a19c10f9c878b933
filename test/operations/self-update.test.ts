import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { checkForUpdate, updateCheckout } from '../../src/operations/self-update.ts'

const { signal } = new AbortController()

t.test('an outdated checkout is reported, updated and built', async t => {
  const { checkout, publish } = startRepository(t)
  t.match(await checkForUpdate(checkout, signal), { checked: true, update_available: false })
  publish('echo two > built.txt')
  t.match(await checkForUpdate(checkout, signal), { checked: true, update_available: true, why: null })
  const { from, to } = await updateCheckout(checkout, signal)
  t.not(from, to)
  t.equal(readFileSync(path.join(checkout, 'built.txt'), 'utf8').trim(), 'two')
  t.match(await checkForUpdate(checkout, signal), { update_available: false, current: to })
})

t.test('a version that cannot be built is rolled back', async t => {
  const { checkout, publish } = startRepository(t)
  const before = (await checkForUpdate(checkout, signal)).current
  publish('exit 1')
  await t.rejects(updateCheckout(checkout, signal), { message: /was restored, because building .* failed/ })
  t.equal((await checkForUpdate(checkout, signal)).current, before)
  t.ok(existsSync(path.join(checkout, 'built.txt')), 'and built again')
})

t.test('a checkout with local changes or a diverged history is left unchanged', async t => {
  const { checkout, publish } = startRepository(t)
  publish('echo two > built.txt')
  writeFileSync(path.join(checkout, 'package.json'), '{}')
  await t.rejects(updateCheckout(checkout, signal), { code: 'conflict', message: /has local changes: M package\.json/ })
  git(checkout, 'commit', '-am', 'mine')
  await t.rejects(updateCheckout(checkout, signal), { code: 'conflict', message: /No fast-forward is possible/ })
})

t.test('a failed update check is reported without an error', async t => {
  t.match(await checkForUpdate(t.testdir(), signal), { checked: false, why: /not a git checkout/ })
  const { checkout } = startRepository(t)
  git(checkout, 'remote', 'set-url', 'origin', path.join(checkout, 'nowhere'))
  t.match(await checkForUpdate(checkout, signal), {
    checked: false,
    current: String,
    why: /^The update check failed: /,
  })
  await t.rejects(updateCheckout(path.join(checkout, '..'), signal), { code: 'unsupported' })
})

/** A published project, whose build is one shell line, and a checkout of it. */
function startRepository(t: Test) {
  const root = t.testdir({ author: {} })
  const author = path.join(root, 'author')
  const checkout = path.join(root, 'checkout')
  const write = (build: string) => {
    writeFileSync(
      path.join(author, 'package.json'),
      JSON.stringify({ name: 'p', version: '1.0.0', scripts: { build } }),
    )
  }
  const lock = { name: 'p', version: '1.0.0', lockfileVersion: 3, packages: { '': { name: 'p', version: '1.0.0' } } }
  git(author, 'init', '--initial-branch=main')
  write('echo one > built.txt')
  writeFileSync(path.join(author, 'package-lock.json'), JSON.stringify(lock))
  git(author, 'add', '-A')
  git(author, 'commit', '-m', 'one')
  git(root, 'clone', author, checkout)
  return {
    checkout,
    publish: (build: string) => {
      write(build)
      git(author, 'commit', '-am', 'two')
    },
  }
}

function git(folder: string, ...args: string[]): void {
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false']
  execFileSync('git', [...who, ...args], { cwd: folder, stdio: 'pipe' })
}
