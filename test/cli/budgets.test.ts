import path from 'node:path'
import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { signalbox, temporaryRoot } from '../helpers/signalbox.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('budgets are set, listed and removed, with and without a running Signalbox', async t => {
  const root = temporaryRoot(t)
  const run = (...args: string[]) => signalbox(root, args).ended
  const set = await run('budgets', 'set', 'team', '--limit', '0.5', '--period', 'forever')
  t.equal(set.code, 0, set.stderr)
  t.match(set.stdout, /^team +all +forever +0\.50 +0\.0000 +0\.0000 +0\.5000$/m)
  t.equal((await run('budgets', 'set', 'each', '--limit', '2', '--scope', 'model', '--soft')).code, 0)

  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/paid', price: { input: 1, output: 2 } }],
    answer: { usage: { promptTokens: 9, outputTokens: 9, costUsd: 0.125 } },
  })
  const gateway = await startGateway(t, { ...variablesFor(remote), DATA_DIR: path.join(root, 'data') })
  t.equal((await gateway.ask({ model: 'openrouter/lab/paid', max_tokens: 9 })).status, 200)
  const { stdout } = await run('budgets', 'list')
  t.match(stdout, /^team +all +forever +0\.50 +0\.1250 +0\.0000 +0\.3750$/m)
  t.match(
    stdout,
    /^each +openrouter\/lab\/paid +\d{4}-\d\d +2\.00 \(soft\) +0\.1250 +0\.0000 +1\.8750 +\d{4}-\d\d-\d\d/m,
  )
  t.match(await run('budgets', 'remove', 'team'), { code: 0, stdout: 'Removed team.\n' })
  t.match(await run('budgets', 'remove', 'team'), { code: 1, stderr: /There is no budget 'team'/ })
  await gateway.close(0)
  t.match(JSON.parse((await run('budgets', 'list', '--json')).stdout), [
    { name: 'each', spending: [{ spent_usd: 0.125 }] },
  ])
})

t.test('a key is created with a budget of its own', async t => {
  const root = temporaryRoot(t)
  const made = await signalbox(root, ['keys', 'create', 'bob', '--budget', '5/day']).ended
  t.equal(made.code, 0, made.stderr)
  t.match((await signalbox(root, ['budgets', 'list']).ended).stdout, /^key:bob +bob +day +5\.00 /m)
})

t.test('a wrong argument of budgets is reported on one line', async t => {
  const root = temporaryRoot(t)
  const cases = [
    [['budgets', 'set', 'team', '--limit', 'much'], /--limit .*amount in USD/],
    [['budgets', 'set', 'team'], /--limit/],
    [['budgets', 'set', 'team', '--limit', '1', '--period', 'year'], /--period .*hour, day/],
    [['budgets', 'set', 'team', '--limit', '1', '--subject', 'alice'], /total has no subject/],
    [['keys', 'create', 'bob', '--budget', '5'], /--budget .*5\/day/],
  ] as const
  for (const [args, expected] of cases) {
    const { code, stderr } = await signalbox(root, args).ended
    t.equal(code, 2, args.join(' '))
    t.match(stderr, expected)
    t.match(stderr, /^[^\n]+\n$/)
  }
})
