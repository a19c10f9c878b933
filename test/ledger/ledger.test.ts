import t from 'tap'
import { AttemptRow, RequestRow } from '../../src/ledger/row.ts'
import { recordOf, noon, openTestLedger } from './open-ledger.ts'

t.test('keeps a request that was answered, with its attempt and its decision', async t => {
  const ledger = openTestLedger(t)
  const overrides = [{ fromPromptTokens: 200_000, utc: { from: 16 * 60 + 30, until: 30 }, input: 6 }]
  const price = { input: 3, output: 15, overrides }
  ledger.record(
    recordOf('req-1', {
      keyId: 'laptop',
      session: 'conversation-1',
      stream: true,
      queueMs: 2,
      routeMs: 0.25,
      reason: 'local and warm',
      callerRequestId: 'job-7',
      tags: ['night', 'batch'],
      task: 'task-1',
      reference: { model: 'openrouter/big', costUsd: 0.25 },
      attempts: [
        {
          ...recordOf('any').attempts[0]!,
          costSource: 'listed',
          price,
          priceOrigin: { source: 'listed', at: noon + 0.4 },
        },
      ],
      decision: { candidates: [{ model: 'ollama/qwen3:8b', quality: 0.7 }] },
    }),
  )
  const record = await ledger.request('req-1')
  t.same(record, {
    request: {
      id: 'req-1',
      created_at: noon,
      endpoint: 'chat',
      key_id: 'laptop',
      session: 'conversation-1',
      requested_model: 'auto',
      provider: 'ollama',
      model: 'ollama/qwen3:8b',
      upstream_model: 'qwen3:8b',
      tier: 'local',
      outcome: 'ok',
      failure_code: null,
      status: 200,
      stream: true,
      attempts: 1,
      input_tokens: 10,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      output_tokens: 5,
      reasoning_tokens: 0,
      cache_write_1h_tokens: 0,
      audio_input_tokens: 0,
      image_input_tokens: 0,
      audio_output_tokens: 0,
      image_output_tokens: 0,
      usage_estimated: false,
      partial: false,
      cost_usd: 0,
      energy_usd: 0,
      byok_cost_usd: 0,
      ttft_ms: 80,
      duration_ms: 400,
      queue_ms: 2,
      route_ms: 0.25,
      reason: 'local and warm',
      caller_request_id: 'job-7',
      tags: '["night","batch"]',
      task: 'task-1',
      reference_model: 'openrouter/big',
      reference_cost_usd: 0.25,
    },
    attempts: [
      {
        ordinal: 0,
        provider: 'ollama',
        model: 'ollama/qwen3:8b',
        started_at: noon + 1,
        outcome: 'ok',
        failure_code: null,
        message: null,
        status: 200,
        ttft_ms: 80,
        duration_ms: 399,
        input_tokens: 10,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        output_tokens: 5,
        reasoning_tokens: 0,
        cache_write_1h_tokens: 0,
        audio_input_tokens: 0,
        image_input_tokens: 0,
        audio_output_tokens: 0,
        image_output_tokens: 0,
        usage_estimated: false,
        partial: false,
        cost_usd: 0,
        energy_usd: 0,
        byok_cost_usd: 0,
        generation_id: null,
        cost_source: 'listed',
        price_at: noon,
        price: {
          input: 3,
          output: 15,
          overrides: [{ from_prompt_tokens: 200_000, utc_from: '16:30', utc_until: '00:30', input: 6 }],
        },
      },
    ],
    decision: { candidates: [{ model: 'ollama/qwen3:8b', quality: 0.7 }] },
  })
  t.doesNotThrow(() => RequestRow.parse(record?.request))
  t.doesNotThrow(() => AttemptRow.array().parse(record?.attempts))
})

t.test('keeps a request that failed everywhere, every attempt in order', async t => {
  const ledger = openTestLedger(t)
  const [attempt] = recordOf('any').attempts
  ledger.record(
    recordOf('req-1', {
      outcome: 'error',
      failureCode: 'upstream_unavailable',
      status: 502,
      provider: undefined,
      model: undefined,
      upstreamModel: undefined,
      tier: undefined,
      costUsd: undefined,
      ttftMs: undefined,
      attempts: [
        {
          ...attempt!,
          outcome: 'error',
          failureCode: 'upstream_timeout',
          message: 'no token in 120 s',
          status: undefined,
        },
        { ...attempt!, provider: 'openrouter', outcome: 'error', failureCode: 'upstream_unavailable', status: 503 },
      ],
    }),
  )
  const record = await ledger.request('req-1')
  t.match(record?.request, {
    outcome: 'error',
    failure_code: 'upstream_unavailable',
    status: 502,
    model: null,
    tier: null,
    cost_usd: null,
    attempts: 2,
    key_id: 'anonymous',
  })
  t.match(record?.attempts, [
    { ordinal: 0, failure_code: 'upstream_timeout', message: 'no token in 120 s', status: null },
    { ordinal: 1, provider: 'openrouter', failure_code: 'upstream_unavailable', status: 503 },
  ])
  t.equal(record?.decision, null)
})

t.test('keeps a request whose caller disconnected before any model was called', async t => {
  const ledger = openTestLedger(t)
  ledger.record(recordOf('req-1', { outcome: 'cancelled', failureCode: 'client_closed', status: 499, attempts: [] }))
  t.match(await ledger.request('req-1'), {
    request: { outcome: 'cancelled', failure_code: 'client_closed', status: 499, attempts: 0 },
    attempts: [],
  })
})

t.test('finds nothing for a request that was never recorded', async t => {
  t.equal(await openTestLedger(t).request('no-such-request'), undefined)
})

t.test('lists the newest requests first, up to the limit', async t => {
  const ledger = openTestLedger(t)
  for (const age of [3, 1, 2]) ledger.record(recordOf(`${age} s old`, { createdAt: noon - age * 1_000 }))
  t.same(
    (await ledger.recent(2)).map(row => row.id),
    ['1 s old', '2 s old'],
  )
})

t.test('writes pending records after a moment', async t => {
  const ledger = openTestLedger(t, { flushMs: 1 })
  ledger.record(recordOf('req-1'))
  t.match(ledger.status(), { buffered: 1, written: 0 })
  while (ledger.status().buffered > 0) await new Promise(resolve => setTimeout(resolve, 1))
  t.match(ledger.status(), { buffered: 0, written: 1 })
})

t.test('writes at once when the buffer is full', async t => {
  const ledger = openTestLedger(t, { flushMs: 60_000, maxBuffered: 3 })
  for (const id of ['a', 'b', 'c', 'd']) ledger.record(recordOf(id))
  t.match(ledger.status(), { buffered: 1, written: 3, lost: 0 })
})

t.test('closing writes pending records', async t => {
  const first = openTestLedger(t, { flushMs: 60_000 })
  first.record(recordOf('req-1'))
  await first.close()
  await t.resolves(first.close(), 'closing twice is allowed')
  const second = openTestLedger(t, { file: first.file })
  t.equal((await second.recent(10)).length, 1)
})

t.test('redacts credentials in messages and truncates long ones', async t => {
  const ledger = openTestLedger(t)
  const [attempt] = recordOf('any').attempts
  const message = `401 for Authorization: Bearer abcdefghijklmnop and key=0123456789. ${'x'.repeat(100_000)}`
  ledger.record(
    recordOf('req-1', {
      requestedModel: 'm'.repeat(10_000),
      reason: 'r'.repeat(10_000),
      attempts: [{ ...attempt!, outcome: 'error', message }],
    }),
  )
  const record = await ledger.request('req-1')
  const stored = record?.attempts[0]?.message ?? ''
  t.notMatch(stored, /abcdefgh|01234567/)
  t.match(stored, /^401 for /)
  t.equal(stored.length, 500)
  t.equal(record?.request.reason?.length, 200)
  t.equal(record?.request.requested_model.length, 200)
})

t.test('streams the decisions of a period with their outcomes, oldest first', async t => {
  const ledger = openTestLedger(t)
  for (let index = 0; index < 130; index += 1) {
    // Threes share a millisecond, so that a page of the stream ends between two of one time.
    ledger.record(recordOf(`req-${index}`, { createdAt: noon + Math.floor(index / 3), decision: { index } }))
  }
  ledger.record(recordOf('undecided', { createdAt: noon + 5 }))
  const seen: unknown[] = []
  ledger.notes.rate({ requestId: 'req-7', score: 0.25, ratedAt: noon, ratedBy: 'somebody' })
  for await (const { request, decision, rating } of ledger.decisions({ fromMs: noon + 1, toMs: noon + 40 })) {
    t.equal(request.id, `req-${(decision as { index: number }).index}`)
    t.equal(rating, request.id === 'req-7' ? 0.25 : null)
    seen.push((decision as { index: number }).index)
  }
  t.same(
    seen,
    Array.from({ length: 117 }, (_, index) => index + 3),
  )
})

t.test('deletes old requests with their attempts and decisions', async t => {
  const ledger = openTestLedger(t)
  for (let index = 0; index < 1_200; index += 1) {
    ledger.record(recordOf(`old-${index}`, { createdAt: noon - 1 - index, decision: { index } }))
  }
  ledger.record(recordOf('new', { decision: { index: -1 } }))
  t.equal(await ledger.prune(noon), 1_200)
  t.equal(await ledger.prune(noon), 0)
  t.same(
    (await ledger.recent(10)).map(row => row.id),
    ['new'],
  )
  const left: unknown[] = []
  for await (const { decision } of ledger.decisions({ fromMs: 0, toMs: noon + 1 })) left.push(decision)
  t.same(left, [{ index: -1 }])
  t.equal((await ledger.request('new'))?.attempts.length, 1)
})

t.test('stops deleting when aborted', async t => {
  const ledger = openTestLedger(t)
  ledger.record(recordOf('old', { createdAt: 1 }))
  await t.rejects(ledger.prune(noon, AbortSignal.abort(new Error('enough'))), /enough/)
  t.equal((await ledger.recent(10)).length, 1)
})
