import { existsSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { clients } from './client-list.ts'
import { clientsFolder } from './install.ts'
import { faultOf } from './known-faults.ts'
import { changes, failures, renderTables, type ClientReport } from './report.ts'
import { diffOfForms, formOf } from './wire-form.ts'

// Half an hour of real agents is nothing that a run of all tests should start because they happen to be installed.
const isWanted = process.env['CLIENTS_DIR'] !== undefined
const minuteMs = 60_000
t.setTimeout(clients.length * 20 * minuteMs)

for (const client of clients) {
  const folder = path.join(clientsFolder(), client.id)
  const isThere = existsSync(path.join(folder, 'node_modules', client.packages[0]!))
  const absent = !isWanted ? 'CLIENTS_DIR is not set' : isThere ? undefined : 'npm run clients installs it'
  for (const { name, skip, run } of client.cases) {
    const fault = faultOf(client.id, name)
    t.test(`${client.name}: ${name}`, { skip: absent ?? skip ?? fault ?? false }, async t => {
      const { problem } = await run(t, folder)
      t.equal(problem, undefined)
    })
  }
}

t.test('the form of a request holds what a client always sends, and nothing that differs from call to call', t => {
  const request = (text: string, role: string) => ({
    method: 'POST',
    url: '/v1/messages?beta=true',
    headers: ['X-Api-Key', 'content-type'],
    body: { model: 'auto', max_tokens: text.length, messages: [{ role, content: [{ type: 'text', text }] }] },
  })
  t.same(formOf(request('One.', 'user')), formOf(request('Another one.', 'user')))
  t.same(formOf(request('One.', 'user')), [
    'POST /v1/messages',
    'POST /v1/messages body.max_tokens number',
    'POST /v1/messages body.messages[].content[].text string',
    'POST /v1/messages body.messages[].content[].type "text"',
    'POST /v1/messages body.messages[].role "user"',
    'POST /v1/messages body.model "auto"',
    'POST /v1/messages header content-type',
    'POST /v1/messages header x-api-key',
  ])
  t.same(diffOfForms(formOf(request('One.', 'user')), formOf(request('One.', 'system'))), [
    '- POST /v1/messages body.messages[].role "user"',
    '+ POST /v1/messages body.messages[].role "system"',
  ])
  t.end()
})

t.test('a run is compared with the last one, and a fault of the client itself is named and not counted', t => {
  const grok: ClientReport = {
    id: 'agent-grok-cli',
    version: '1.0.0',
    problems: { 'tool call': '', compaction: 'it went on; it said: no' },
    skipped: { 'llama-server': 'LLAMA_SERVER_URL is not set' },
    form: ['POST /v1/messages'],
  }
  const before = { date: '2026-11-01', clients: [grok] }
  t.same(failures(before), [])
  t.same(changes(before, before), [])
  const after = {
    date: '2026-11-28',
    clients: [{ ...grok, version: '1.1.0', problems: { 'tool call': 'no; it said: x' }, form: ['POST /v2/messages'] }],
  }
  t.same(failures(after), ['agent-grok-cli: tool call: no; it said: x'])
  t.same(changes(before, after), [
    'agent-grok-cli 1.0.0 → 1.1.0',
    '  tool call: fails now',
    '  - POST /v1/messages',
    '  + POST /v2/messages',
  ])
  const tables = renderTables(before)
  t.match(tables, /\| grok-cli 1\.0\.0 \| chat completions \| yes \| – \| – \| no \(1\) \| – \|/)
  t.match(tables, /1\. grok-cli, compaction: its own fault/)
  t.match(renderTables(after), /1\. grok-cli, tool call: no\./)
  t.end()
})
