import { spawn } from 'node:child_process'
import path from 'node:path'
import t from 'tap'
import { openResults } from '../../src/bench/results.ts'
import { sealChildren } from '../bench/sealed-children.ts'

sealChildren()

const url = process.env['LLAMA_SERVER_URL']
const skip = url === undefined ? 'LLAMA_SERVER_URL names no running llama-server with the scripted model' : false
const command = path.resolve(import.meta.dirname, '../../bin/signalbox.js')

t.test('a killed benchmark of a real llama-server resumes and ends with a leaderboard', { skip }, async t => {
  const folder = t.testdir()
  const variables = {
    SIGNALBOX_ROOT: folder,
    LLAMA_CPP_ENDPOINT: url,
    OLLAMA_ENDPOINT: 'off',
    LM_STUDIO_ENDPOINT: 'off',
  }
  const benchmark = (killAfterItems: number) => {
    const args = [command, 'benchmark', '--suite', 'reasoning', '--suite', 'tool-calls', '--report']
    const child = spawn(process.execPath, args, { env: { PATH: process.env['PATH'], ...variables } })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      if (stderr.split('\n').length > killAfterItems) child.kill('SIGKILL')
    })
    return new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve => {
      child.on('close', code => {
        resolve({ code, stdout, stderr })
      })
    })
  }

  t.equal((await benchmark(5)).code, null)
  const store = openResults(path.join(folder, 'benchmark-results', 'benchmarks.db'))
  t.teardown(() => {
    store.close()
  })
  const kept = store.results().map(({ task }) => task)
  t.ok(kept.length >= 5, `${kept.length} items kept`)
  const { code, stdout, stderr } = await benchmark(Infinity)
  t.equal(code, 0, stderr)
  t.match(stderr, new RegExp(`${kept.length} resumed from an earlier run`))
  t.match(stdout, /^1 +llama-cpp\/scripted +\d+ \[/m)
  const tasks = store.results().map(({ task }) => task)
  t.equal(new Set(tasks).size, tasks.length, 'no item is there twice')
  t.same(tasks.slice(0, kept.length), kept)
})
