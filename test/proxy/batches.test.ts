import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import OpenAI, { toFile } from 'openai'
import t, { type Test } from 'tap'
import { failureOf } from '../helpers/failure-of.ts'
import { gate, scriptedUpstream, type Script } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'

const finalStates = ['completed', 'failed', 'expired', 'cancelled']

t.test('a batch answers every request of its file, and tells which failed', async t => {
  const { client, gateway, local } = await setUp(t, {
    answer: ({ body }) => ({ text: `About ${JSON.stringify(body['messages']).match(/thing \d/)?.[0] ?? ''}.` }),
  })
  const lines = [1, 2, 3].map(number => chatLine(`id-${number}`, `thing ${number}`))
  const file = await upload(client, [...lines, { ...chatLine('bad', 'x'), body: { model: 'none', messages: 7 } }])
  t.match(file, { object: 'file', purpose: 'batch', filename: 'input.jsonl', status: 'processed' })
  const created = await client.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata: { nightly: 'yes' },
  })
  t.match(created, { object: 'batch', status: 'validating', metadata: { nightly: 'yes' }, input_file_id: file.id })
  const batch = await ended(client, created.id)
  t.match(batch, { status: 'completed', request_counts: { total: 4, completed: 3, failed: 1 }, errors: null })
  const output = await results(client, batch.output_file_id)
  t.same(output.map(({ custom_id }) => custom_id as string).toSorted(), ['id-1', 'id-2', 'id-3'])
  for (const { custom_id, response, error } of output) {
    t.equal(error, null)
    t.match(response, { status_code: 200, body: { object: 'chat.completion' } })
    t.equal(response.body.choices[0].message.content, `About thing ${String(custom_id).slice(3)}.`)
  }
  t.match(await results(client, batch.error_file_id), [
    { custom_id: 'bad', response: { status_code: 400, body: { error: { param: 'messages' } } } },
  ])
  t.equal(local.chats.length, 3)
  t.match((await gateway.get('/v1/usage')).json.totals, { requests: 3 })
  t.match((await client.batches.list()).data, [{ id: created.id }])
})

t.test('a batch asks Responses, embeddings and completions too', async t => {
  const { client } = await setUp(t, {
    route: ({ path: where }) => {
      if (where === '/v1/embeddings')
        return { json: { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1] }] } }
      return where === '/v1/completions'
        ? { json: { choices: [{ index: 0, text: 'b', finish_reason: 'stop' }] } }
        : undefined
    },
  })
  for (const [endpoint, body, expected] of [
    ['/v1/responses', { model: 'auto', input: 'Hi' }, { object: 'response', status: 'completed' }],
    ['/v1/embeddings', { model: 'llama-cpp/scripted', input: 'a' }, { data: [{ embedding: [1] }] }],
    ['/v1/completions', { model: 'llama-cpp/scripted', prompt: 'a' }, { choices: [{ text: 'b' }] }],
  ] as const) {
    const { id } = await upload(client, [{ custom_id: 'one', method: 'POST', url: endpoint, body }])
    const created = await client.batches.create({ input_file_id: id, endpoint, completion_window: '24h' })
    const batch = await ended(client, created.id)
    t.match(await results(client, batch.output_file_id), [{ response: { body: expected } }], endpoint)
  }
})

t.test('a file with an error in it costs nothing: the batch fails and names the line', async t => {
  const { client, local } = await setUp(t)
  const good = chatLine('one', 'x')
  for (const [lines, message] of [
    [[good, good], /Line 2 .*custom_id: 'one' is there twice/],
    [[good, { ...good, custom_id: 'two', url: '/v1/embeddings' }], /Line 2 .*url: must be \/v1\/chat\/completions/],
    [[{ ...good, method: 'GET' }], /Line 1 .*method/],
    [['{'], /Line 1 .*not valid JSON/],
    [[], /empty/],
  ] as const) {
    const { id } = await upload(client, lines)
    const created = await client.batches.create({
      input_file_id: id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    })
    const batch = await ended(client, created.id)
    t.match(batch, { status: 'failed', errors: { data: [{ code: 'invalid_request', message }] } })
  }
  t.equal(local.chats.length, 0)
})

t.test('cancelling ends the requests in progress and keeps what was answered', async t => {
  const held = gate()
  t.teardown(async () => held.open())
  const { client, local } = await setUp(t, {
    answer: (_request, index) => (index === 0 ? {} : { hold: { before: 'headers', until: held.opened } }),
  })
  const { id } = await upload(
    client,
    [1, 2, 3].map(number => chatLine(`id-${number}`, 'x')),
  )
  const { id: batchId } = await client.batches.create({
    input_file_id: id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  })
  await local.untilChats(2)
  let seen = await client.batches.retrieve(batchId)
  while (seen.request_counts?.completed !== 1) seen = await client.batches.retrieve(batchId)
  t.match(seen, { status: 'in_progress', request_counts: { total: 3, completed: 1 } })
  t.match(await client.batches.cancel(batchId), { status: 'cancelled', request_counts: { completed: 1 } })
  await local.untilHangUps(1)
  const batch = await client.batches.retrieve(batchId)
  t.equal((await results(client, batch.output_file_id)).length, 1)
})

t.test('a batch that restarts interrupt goes on with what is left of it, however often', async t => {
  const held = gate()
  t.teardown(async () => held.open())
  const local = await scriptedUpstream(t, 'llama-cpp', {
    answer: (_request, index) =>
      index === 2 || index === 4 ? { hold: { before: 'headers', until: held.opened } } : {},
  })
  const folder = t.testdir()
  const begin = async () => {
    const gateway = await startGateway(t, { ...variablesFor(local), DATA_DIR: folder })
    return { gateway, client: clientOf(gateway) }
  }
  const first = await begin()
  const { id } = await upload(
    first.client,
    [1, 2, 3, 4].map(number => chatLine(`id-${number}`, 'x')),
  )
  const asked = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const
  const created = await first.client.batches.create(asked)
  await local.untilChats(3)
  await first.gateway.close(0)
  const outputs = readdirSync(path.join(folder, 'files')).filter(name => name.endsWith('.content'))
  const output = outputs
    .map(name => path.join(folder, 'files', name))
    .find(file => /batch_req/.test(readFileSync(file, 'utf8')))
  appendFileSync(output!, '{"id":"batch_req_id-3","custom_id":"id-3","resp')
  const second = await begin()
  await local.untilChats(5)
  await second.gateway.close(0)
  const { client } = await begin()
  const batch = await ended(client, created.id)
  t.match(batch, { status: 'completed', request_counts: { total: 4, completed: 4, failed: 0 } })
  const ids = (await results(client, batch.output_file_id)).map(({ custom_id }) => custom_id as string)
  t.same(ids.toSorted(), ['id-1', 'id-2', 'id-3', 'id-4'], 'each has one answer, also the one whose line was cut off')
})

t.test('files can be listed, read and deleted, and are for batches only', async t => {
  const { client } = await setUp(t)
  const first = await upload(client, [chatLine('one', 'x')])
  const second = await upload(client, [chatLine('two', 'ü')])
  t.same(
    (await client.files.list()).data.map(({ id }) => id),
    [second.id, first.id],
  )
  t.same(
    (await client.files.list({ order: 'asc', limit: 1 })).data.map(({ id }) => id),
    [first.id],
  )
  t.match(await (await client.files.content(second.id)).text(), /"two".*ü/)
  t.match(await client.files.retrieve(second.id), { bytes: Buffer.byteLength(JSON.stringify(chatLine('two', 'ü'))) })
  t.match(await client.files.delete(first.id), { id: first.id, deleted: true })
  t.match(await failureOf(client.files.retrieve(first.id)), { status: 404 })
  const file = await toFile(Buffer.from('x'), 'a.txt')
  t.match(await failureOf(client.files.create({ file, purpose: 'user_data' })), { status: 400, param: 'purpose' })
})

t.test('what one key uploaded and asked is not there for another', async t => {
  const { gateway } = await setUp(t, {}, { SIGNALBOX_API_KEY: 'alice=a-key,bob=b-key' })
  const [alice, bob] = ['a-key', 'b-key'].map(
    apiKey => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 }),
  )
  const file = await upload(alice!, [chatLine('one', 'My secret.')])
  const asked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const
  const created = await alice!.batches.create(asked)
  const batch = await ended(alice!, created.id)
  t.same((await bob!.files.list()).data, [])
  t.same((await bob!.batches.list()).data, [])
  const attempts: (() => Promise<unknown>)[] = [
    () => bob!.files.retrieve(file.id),
    () => bob!.files.content(file.id),
    () => bob!.files.content(batch.output_file_id!),
    () => bob!.files.delete(file.id),
    () => bob!.batches.create(asked),
    () => bob!.batches.retrieve(batch.id),
    () => bob!.batches.cancel(batch.id),
  ]
  for (const attempt of attempts) t.match(await failureOf(attempt()), { status: 404 })
  t.equal((await alice!.files.list()).data.length, 3)
})

t.test('what is no upload or no batch is a 400 that names what is wrong', async t => {
  const { client, gateway } = await setUp(t)
  const { id } = await upload(client, [chatLine('one', 'x')])
  const batch = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' }
  for (const [where, body, expected] of [
    ['/v1/files', {}, { message: /form/ }],
    ['/v1/batches', { ...batch, endpoint: '/v1/images/generations' }, { param: 'endpoint' }],
    ['/v1/batches', { ...batch, completion_window: '1h' }, { param: 'completion_window' }],
    ['/v1/batches', { ...batch, metadata: { a: 1 } }, { param: 'metadata.a' }],
  ] as const) {
    const reply = await exchange(gateway.url + where, { method: 'POST', body: JSON.stringify(body) })
    t.equal(reply.status, 400, JSON.stringify(body))
    t.match(reply.json.error, expected)
  }
  t.match(await failureOf(client.batches.create({ ...batch, input_file_id: 'file_none' } as never)), { status: 404 })
})

t.test('a file that does not fit into the space for files is refused, and smaller ones are not', async t => {
  const { client } = await setUp(t, {}, { FILE_STORAGE_MB: '1' })
  const large = await toFile(Buffer.alloc(1_100_000, 'x'), 'large.jsonl')
  t.match(await failureOf(client.files.create({ file: large, purpose: 'batch' })), {
    status: 413,
    code: 'storage_full',
  })
  t.ok((await upload(client, [chatLine('one', 'x')])).id)
})

function chatLine(id: string, text: string) {
  const body = { model: 'auto', messages: [{ role: 'user', content: text }] }
  return { custom_id: id, method: 'POST', url: '/v1/chat/completions', body }
}

async function upload(client: OpenAI, lines: readonly (object | string)[]) {
  const text = lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  return client.files.create({ file: await toFile(Buffer.from(text), 'input.jsonl'), purpose: 'batch' })
}

async function ended(client: OpenAI, id: string) {
  for (;;) {
    const batch = await client.batches.retrieve(id)
    if (finalStates.includes(batch.status)) return batch
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

// eslint-disable-next-line typescript/no-explicit-any
async function results(client: OpenAI, fileId: string | null | undefined): Promise<any[]> {
  const text = await (await client.files.content(fileId!)).text()
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as unknown)
}

async function setUp(t: Test, script: Script = {}, variables: Record<string, string> = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp', script)
  const gateway = await startGateway(t, { ...variablesFor(local), ...variables })
  return { local, gateway, client: clientOf(gateway) }
}

function clientOf({ url }: { url: string }): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
}
