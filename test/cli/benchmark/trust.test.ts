import t from 'tap'
import { confirmModelCode } from '../../../src/cli/benchmark/trust.ts'

const bare = { network: undefined, user: undefined, limits: undefined, launcher: [] } as const
const whole = { ...bare, network: 'network namespace' } as const
const foreign = ['openrouter/some-model']

t.test('code of other people’s models needs a yes where the system offers no second wall', async t => {
  await t.rejects(confirmModelCode({ foreign, trusted: false, walls: bare, ask: undefined }), {
    code: 'invalid_request',
    message: /openrouter\/some-model.*--trust-model-code/,
  })
  for (const no of ['', 'n', 'nay'])
    await t.rejects(confirmModelCode({ foreign, trusted: false, walls: bare, ask: () => Promise.resolve(no) }), no)
  let asked = ''
  await confirmModelCode({
    foreign,
    trusted: false,
    walls: bare,
    ask: question => {
      asked = question
      return Promise.resolve('y')
    },
  })
  t.match(asked, /no wall around the network.*WebAssembly/)
})

t.test('nobody is asked about models of their own, with the flag, or where the second wall is whole', async t => {
  const ask = () => Promise.reject(new Error('somebody was asked'))
  await t.resolves(confirmModelCode({ foreign: [], trusted: false, walls: bare, ask }))
  await t.resolves(confirmModelCode({ foreign, trusted: true, walls: bare, ask }))
  await t.resolves(confirmModelCode({ foreign, trusted: false, walls: whole, ask }))
})
