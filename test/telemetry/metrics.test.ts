import { readFileSync } from 'node:fs'
import { parser } from '@prometheus-io/lezer-promql'
import t from 'tap'
import { parse as parseYaml } from 'yaml'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'
import { readExposition, valueOf } from './exposition.ts'

async function scrape(gateway: TestGateway) {
  const { status, text, headers } = await gateway.get('/metrics')
  t.equal(status, 200)
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  return readExposition(text)
}

t.test('a scrape counts requests, tokens and cost as the ledger has them', async t => {
  const usage = { promptTokens: 100, outputTokens: 20, cachedTokens: 40, reasoningTokens: 5 }
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'], answer: { usage } })
  const gateway = await startGateway(t, variablesFor(local))
  for (const stream of [true, false, false]) await gateway.ask({ stream })
  const families = await scrape(gateway)
  const answered = { endpoint: 'chat', tier: 'local', outcome: 'ok' }
  t.equal(valueOf(families, 'signalbox_requests_total', answered), 3)
  t.equal(valueOf(families, 'signalbox_attempts_total', { model: 'llama-cpp/small', outcome: 'ok' }), 3)
  const { totals } = (await gateway.get('/v1/usage?period=all')).json
  const counted = (kind: string) => valueOf(families, 'signalbox_tokens_total', { model: 'llama-cpp/small', kind })
  t.equal(counted('output') + counted('reasoning'), totals.output_tokens)
  t.equal(counted('input') + counted('cache_read') + counted('cache_write'), 300)
  t.equal(valueOf(families, 'signalbox_request_duration_seconds_count', { endpoint: 'chat' }), 3)
  t.equal(valueOf(families, 'signalbox_first_token_seconds_count'), 3)
  t.equal(valueOf(families, 'signalbox_overhead_seconds_count'), 3)
  t.equal(valueOf(families, 'signalbox_requests_active'), 0)
  t.equal(valueOf(families, 'signalbox_provider_up', { provider: 'llama-cpp' }), 1)
  t.equal(valueOf(families, 'signalbox_slots', { provider: 'llama-cpp' }), 1)
})

t.test('a failed request counts by its code, and each failed attempt at its model', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: ['small'],
    answer: { error: { status: 500, message: 'broken' } },
  })
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await gateway.ask()
  t.equal(reply.status, 502)
  const families = await scrape(gateway)
  t.equal(valueOf(families, 'signalbox_requests_total', { endpoint: 'chat', outcome: 'error' }), 1)
  t.equal(valueOf(families, 'signalbox_request_failures_total', { code: reply.json.error.code }), 1)
  t.ok(valueOf(families, 'signalbox_attempts_total', { model: 'llama-cpp/small', outcome: 'error' }) >= 1)
})

t.test('a scrape shows what is spent of a budget and what is held, as the budget itself does', async t => {
  const models = [{ name: 'lab/paid', price: { input: 3, output: 15 } }]
  const usage = { promptTokens: 1_000, outputTokens: 100, costUsd: 0.0045 }
  const remote = await scriptedUpstream(t, 'openrouter', { models, answer: { usage } })
  const gateway = await startGateway(t, variablesFor(remote))
  await gateway.post('/admin/set_budget', { name: 'team', limit_usd: 5, period: 'forever' })
  await gateway.post('/admin/set_budget', { name: 'unused', limit_usd: 1, scope: 'tag', subject: 'night' })
  await gateway.ask({ model: 'openrouter/lab/paid' })
  const families = await scrape(gateway)
  t.equal(valueOf(families, 'signalbox_budget_limit_usd', { budget: 'team' }), 5)
  t.equal(valueOf(families, 'signalbox_budget_spent_usd', { budget: 'team' }), 0.0045)
  t.equal(valueOf(families, 'signalbox_budget_held_usd', { budget: 'team' }), 0)
  t.equal(valueOf(families, 'signalbox_budget_spent_usd', { budget: 'unused' }), 0)
  await gateway.post('/admin/delete_budget', { name: 'unused' })
  const [, limit] = [...(await scrape(gateway))].find(([name]) => name === 'signalbox_budget_limit_usd')!
  t.same(
    limit.samples.map(({ labels }) => labels['budget']),
    ['team'],
  )
})

t.test('every metric keeps the conventions of Prometheus', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  await gateway.ask({ stream: true })
  for (const [name, { type, help, samples }] of await scrape(gateway)) {
    t.match(name, /^(signalbox|process|nodejs)_[a-z_]+$/)
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
    t.match(help, /^[A-Z0-9].*\.$/, name)
    t.notMatch(name, /_(ms|milliseconds|minutes|kb|mb|percent)(_|$)/, 'base units')
    const labelled = samples.map(sample => JSON.stringify([sample.name, sample.labels]))
    t.equal(new Set(labelled).size, labelled.length, `${name} has no series twice`)
  }
})

t.test('the number of series is bounded, whatever callers, models and servers are called', async t => {
  const models = Array.from({ length: 150 }, (_, index) => `model-${index}`)
  const local = await scriptedUpstream(t, 'openai-compatible', { models })
  const gateway = await startGateway(t, variablesFor(local))
  for (const model of models) {
    const headers = { 'x-session-id': `session-${model}`, 'user-agent': `agent-${model}` }
    await gateway.ask({ model: `openai-compatible/${model}`, user: model }, { headers })
  }
  await gateway.ask({ model: 'no-such-model' })
  const families = await scrape(gateway)
  const names = new Set([...families.values()].flatMap(each => each.samples.map(({ labels }) => labels['model'])))
  t.equal(names.size, 102, 'a hundred models, the others, and metrics without a model')
  t.ok(names.has('other'))
  const all = [...families.values()].flatMap(({ samples }) => samples)
  t.ok(all.length < 1_000, `${all.length} series`)
})

t.test('only an administrator may scrape, and METRICS_ENABLED=false leaves nothing to scrape', async t => {
  const keyed = await startGateway(t, {
    SIGNALBOX_API_KEY: 'one=key-one,two=key-two',
    SIGNALBOX_ADMIN_KEY: 'key-admin',
  })
  const ask = (key?: string) =>
    fetch(`${keyed.url}/metrics`, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } })
  t.equal((await ask()).status, 401)
  t.equal((await ask('key-one')).status, 403)
  t.equal((await ask('key-admin')).status, 200)
  const off = await startGateway(t, { METRICS_ENABLED: 'false' })
  t.equal((await off.get('/metrics')).status, 404)
})

const operating = new URL('../../docs/operating/', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, operating), 'utf8')

interface Panel {
  title: string
  targets?: { expr: string }[]
  panels?: Panel[]
}

function queriesOf(panels: readonly Panel[]): [string, string][] {
  return panels.flatMap(({ title, targets = [], panels: inner = [] }) => [
    ...targets.map(({ expr }): [string, string] => [title, expr]),
    ...queriesOf(inner),
  ])
}

t.test('the queries of the dashboard and of the alert rules are valid and name metrics that exist', async t => {
  const gateway = await startGateway(t)
  const names = new Set([...(await scrape(gateway))].flatMap(([name, { type }]) => withSuffixes(name, type)))
  const dashboard = JSON.parse(read('grafana-dashboard.json')) as { panels: Panel[] }
  const rules = parseYaml(read('alerts.yaml')) as { groups: { rules: { alert: string; expr: string }[] }[] }
  const queries = [
    ...queriesOf(dashboard.panels),
    ...rules.groups.flatMap(group => group.rules.map(({ alert, expr }): [string, string] => [alert, expr])),
  ]
  t.ok(queries.length > 20)
  for (const [title, written] of queries) {
    // Grafana puts a duration in its place.
    const query = written.replaceAll('$__rate_interval', '5m')
    const used: string[] = []
    parser.parse(query).iterate({
      enter(node) {
        t.notOk(node.type.isError, `${title}: ${query}`)
        if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') {
          used.push(query.slice(node.from, node.to))
        }
      },
    })
    t.ok(used.length > 0, `${title} reads a metric`)
    for (const name of used) t.ok(names.has(name), `${title}: ${name}`)
  }
})

function withSuffixes(name: string, type: string): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
}
