import t from 'tap'
import { confirmModelCode } from '../../../src/cli/benchmark/trust.ts'

const bare = { network: undefined, user: undefined, limits: undefined, launcher: [] } as const
const whole = { ...bare, network: 'network namespace' } as const
const foreign = ['openrouter/some-model']

t.test('code of remote models needs confirmation if the system offers no second isolation layer', async t => {
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
  t.match(asked, /cannot isolate the code.*WebAssembly/s)
})

t.test('no confirmation is needed for local models, with the flag, or with full isolation', async t => {
  const ask = () => Promise.reject(new Error('somebody was asked'))
  await t.resolves(confirmModelCode({ foreign: [], trusted: false, walls: bare, ask }))
  await t.resolves(confirmModelCode({ foreign, trusted: true, walls: bare, ask }))
  await t.resolves(confirmModelCode({ foreign, trusted: false, walls: whole, ask }))
})
