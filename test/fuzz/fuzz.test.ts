import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pino from 'pino'
import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { fuzzKey, playFuzz } from './play.ts'

const requests = 10_000

t.test('whatever callers send, nothing fails that was not foreseen, and nothing hangs', async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-fuzz-'))
  t.teardown(async () => rmSync(folder, { recursive: true, force: true }))
  const upstream = await scriptedUpstream(t, 'openai-compatible', { answer: { text: ['Yes.'] } })
  const logged: string[] = []
  const log = pino({ level: 'error' }, { write: line => logged.push(line) })
  const gateway = await startGateway(
    t,
    { ...variablesFor(upstream), CODE_SEARCH_ROOTS: folder, SIGNALBOX_API_KEY: fuzzKey },
    [],
    { log },
  )
  const told: string[] = []
  const findings = await playFuzz(gateway.url, { from: 1, count: requests }, finding => told.push(finding))
  t.same(told, [])
  t.same(logged, [], 'nothing is logged as an unexpected failure')
  t.ok(findings.requests >= requests)
  t.ok(findings.accepted > requests / 5, `${findings.accepted} were accepted`)
  await gateway.core.gateway.idle()
  const slots = gateway.core.slotsOf('openai-compatible')
  t.equal(slots.busy() + slots.waiting(), 0)
  t.notOk('polluted' in {}, 'no object inherits what a body contained')
})
