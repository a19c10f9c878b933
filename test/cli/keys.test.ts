import path from 'node:path'
import t from 'tap'
import { startGateway } from '../helpers/start-gateway.ts'
import { signalbox, temporaryRoot } from '../helpers/signalbox.ts'

t.test(
  'keys are created, listed, rotated and revoked without a running Signalbox, which accepts them later',
  async t => {
    const root = temporaryRoot(t)
    const run = (...args: string[]) => signalbox(root, ['keys', ...args]).ended
    const made = await run(
      'create',
      'alice',
      '--owner',
      'Alice',
      '--expires',
      '90d',
      '--models',
      'ollama/*',
      '--rpm',
      '60',
    )
    t.equal(made.code, 0, made.stderr)
    t.match(made.stdout, /^signalbox_[\w-]{43}\n\nThis is the key of alice\. It is not shown again/)
    t.match(await run('create', 'alice'), { code: 1, stderr: /^signalbox: The name 'alice' is or was another key's/ })
    const rotated = await run('rotate', 'alice', '--json')
    const { token } = JSON.parse(rotated.stdout) as { token: string }
    t.notOk(made.stdout.includes(token))
    t.match((await run('list')).stdout, /^alice +Alice +active +inference,read +ollama\/\* +\d{4}-\d\d-\d\d +60$/m)
    const gateway = await startGateway(t, { DATA_DIR: path.join(root, 'data') })
    const status = async () =>
      (await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).status
    t.equal(await status(), 200)
    t.match(await run('revoke', 'alice'), { code: 0, stdout: 'Revoked alice.\n' })
    t.equal(await status(), 401, 'the running Signalbox was told')
  },
)

t.test('a wrong argument of keys is reported on one line, and creates nothing', async t => {
  const root = temporaryRoot(t)
  const cases = [
    [['create', 'b', '--rpm', 'x'], /--rpm .*positive whole number/],
    [['create', 'b', '--expires', 'soon'], /--expires .*90d/],
    [['create', 'b', '--scope', 'everything'], /scopes/],
    [['create', 'b', '--upstream', 'openrouter'], /openrouter=ALICE_OPENROUTER_KEY/],
    [['create', 'two words'], /letters, digits/],
    [['crate'], /unknown command 'crate' .*create/],
    [[], /say which of its commands/],
  ] as const
  for (const [args, expected] of cases) {
    const { code, stderr } = await signalbox(root, ['keys', ...args]).ended
    t.equal(code, 2, args.join(' '))
    t.match(stderr.split('\n').at(-2), expected)
  }
  t.match((await signalbox(root, ['keys', 'list']).ended).stdout, /^No API keys were created here/)
})
