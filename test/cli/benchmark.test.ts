import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { openResults } from '../../src/bench/results.ts'
import { scriptedModels } from '../bench/scripted-model.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { sealChildren } from '../bench/sealed-children.ts'

sealChildren()

const command = path.resolve(import.meta.dirname, '../../bin/signalbox.js')

const alone = {
  SIGNALBOX_ROOT: t.testdir(),
  OLLAMA_ENDPOINT: 'off',
  LM_STUDIO_ENDPOINT: 'off',
  LLAMA_CPP_ENDPOINT: 'off',
}

interface How {
  onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
  variables?: Record<string, string>
}

function benchmark(args: readonly string[], { onStderr = () => {}, variables = {} }: How = {}) {
  const child = spawn(process.execPath, [command, 'benchmark', ...args], {
    env: { PATH: process.env.PATH, ...alone, ...variables },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    // A second Ctrl-C would not let it end in order.
    onStderr(stderr, signal => child.killed || child.kill(signal))
  })
  return new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve => {
    child.on('close', code => {
      resolve({ code, stdout, stderr })
    })
  })
}

t.test('bad arguments are one clear line and exit code 2', async t => {
  const folder = t.testdir()
  const server = await scriptedModels(t, { good: () => 'reference' })
  const options = ['--base-url', server.url, '--results', `${folder}/b.db`]
  const wrong = [
    ['--nope'],
    [],
    ['--output'],
    ['--base-url', 'here'],
    ['--suite', 'nope'],
    [...options, '--model', 'other'],
    [...options, '--max-cost', '-1'],
    [...options, '--price', '1'],
    [...options, '--repetitions', '1.5'],
  ]
  for (const { code, stdout, stderr } of await Promise.all(wrong.map(args => benchmark(args)))) {
    t.equal(code, 2, stderr)
    t.match(stderr, /^signalbox: [^\n]+\n$/)
    t.equal(stdout, '')
  }
})

t.test('a killed run resumes and ends with a leaderboard', async t => {
  const folder = t.testdir()
  const server = await scriptedModels(t, { good: () => 'reference', bad: () => 'wrong' })
  const args = [
    '--base-url',
    server.url,
    '--suite',
    'reasoning',
    '--suite',
    'instructions',
    '--results',
    `${folder}/b.db`,
    '--output',
    `${folder}/out`,
    '--comprehensive',
    '--repetitions',
    '1',
  ]
  const killed = await benchmark(args, {
    onStderr: (stderr, kill) => {
      if (stderr.split('\n').length > 8) kill('SIGKILL')
    },
  })
  t.equal(killed.code, null)
  const store = openResults(`${folder}/b.db`)
  const kept = store.results().length
  store.close()
  t.ok(kept >= 7 && kept < 62, `${kept} items kept`)
  const { code, stdout, stderr } = await benchmark(args)
  t.equal(code, 0)
  t.match(stderr, new RegExp(`${62 - kept} items measured, ${kept} resumed from an earlier run`))
  t.match(stdout, /^1 +127\.0\.0\.1:\d+\/good +100 \[/m)
  // At most the item that was under way when the process died was asked for twice; none was stored twice.
  t.equal(new Set(server.asked).size, 62)
  t.ok(server.asked.length <= 63, `${server.asked.length} requests`)
  for (const name of ['leaderboard.json', 'leaderboard.md', 'frontier.svg'])
    t.ok(existsSync(`${folder}/out/${name}`), name)
  t.match(JSON.parse(readFileSync(`${folder}/out/leaderboard.json`, 'utf8')), {
    leaders: [{ model: 'good' }, { model: 'bad' }],
  })
})

t.test(
  'without --base-url the models of Signalbox are measured, through a new instance or the running one',
  async t => {
    const folder = t.testdir()
    const local = await scriptedUpstream(t, 'llama-cpp', { answer: { text: 'Nobody knows.' } })
    const remote = await scriptedUpstream(t, 'openrouter', { models: ['gift:free'] })
    const variables = {
      ...variablesFor(local, remote),
      DATA_DIR: path.join(folder, 'data'),
      BENCHMARK_RESULTS_PATH: path.join(folder, 'results'),
    }
    const args = ['--suite', 'reasoning', '--report']

    const interrupted = await benchmark(args, {
      variables,
      onStderr: (stderr, kill) => {
        if (stderr.split('\n').length > 4) kill('SIGINT')
      },
    })
    t.match(interrupted, { code: 130, stderr: /Ended early: aborted\. Run the same command to continue/ })
    const kept = local.chats.length
    const own = await benchmark(args, { variables })
    t.match(own, { code: 0, stdout: /^1 +llama-cpp\/scripted +0 \[[^]*^router +predicted/m })
    t.match(own.stderr, /^Resuming the run of /)
    t.ok(local.chats.length - kept <= 12, 'nothing but what was missing, and at most the item that was cut off')
    t.ok(existsSync(path.join(folder, 'results', 'leaderboard.md')))

    const gateway = await startGateway(t, variables)
    const before = local.chats.length
    const rows = async () => (await gateway.core.ledger.recent(200)).length
    const rowsBefore = await rows()
    const attached = await benchmark([...args, '--fresh'], { variables })
    t.match(attached, { code: 0, stdout: /^1 +llama-cpp\/scripted +0 \[/m })
    t.equal(local.chats.length - before, 12)
    t.equal((await rows()) - rowsBefore, 12, 'they are in the ledger of the running instance')
    t.equal(remote.chats.length, 0, 'remote models are measured only on request')
  },
)

t.test('drift reports the models that changed', async t => {
  const folder = t.testdir()
  let broken = false
  const server = await scriptedModels(t, { good: () => (broken ? 'wrong' : 'reference') })
  const args = [
    '--base-url',
    server.url,
    '--results',
    `${folder}/b.db`,
    '--suite',
    'reasoning',
    '--suite',
    'instructions',
  ]
  t.equal((await benchmark(args)).code, 0)
  t.match(await benchmark([...args, '--drift']), { code: 0, stdout: /^0 of 3 cells changed/ })
  broken = true
  t.match(await benchmark([...args, '--drift']), {
    code: 0,
    stdout: /reasoning: 100 % before, 0 % now[^]*3 of 3 cells changed/,
  })
})

t.test('paid models are measured only on request', async t => {
  const server = await scriptedModels(t, { free: () => 'reference', paid: () => 'reference' })
  const run = (...args: string[]) =>
    benchmark(['--base-url', server.url, '--results', ':memory:', '--suite', 'reasoning', ...args])
  t.notMatch((await run()).stdout, /paid/)
  t.match((await run('--model', 'paid')).stdout, /paid/)
  t.match(await run('--paid', '--max-cost', '0.01'), { stdout: /free/, stderr: /Ended early: out of money/ })
})
