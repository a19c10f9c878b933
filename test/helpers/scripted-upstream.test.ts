import t from 'tap'
import { gate, scriptedUpstream, upstreamKinds } from './scripted-upstream.ts'

const paths = {
  ollama: '/api/chat',
  'lm-studio': '/v1/chat/completions',
  'llama-cpp': '/v1/chat/completions',
  openrouter: '/api/v1/chat/completions',
  'openai-compatible': '/v1/chat/completions',
}
const ask = (stream: boolean, signal?: AbortSignal): RequestInit => ({
  method: 'POST',
  body: JSON.stringify({ model: 'scripted', messages: [{ role: 'user', content: 'hi' }], stream }),
  ...(signal === undefined ? {} : { signal }),
})

for (const kind of upstreamKinds) {
  t.test(`a scripted ${kind} answers a chat and remembers what it was asked`, async t => {
    const upstream = await scriptedUpstream(t, kind, { answer: [{ text: 'one' }, { text: ['t', 'wo'] }] })
    t.match(await (await fetch(upstream.url + paths[kind], ask(false))).text(), /one/)
    const streamed = await (await fetch(upstream.url + paths[kind], ask(true))).text()
    t.match(streamed, /"t".*"wo"/s)
    t.match(upstream.chats, [{ body: { model: 'scripted' } }, { path: paths[kind] }])
    t.equal(upstream.hangUps, 0, 'a complete answer is not a disconnect')
  })
}

t.test('a scripted upstream counts a client that disconnects', async t => {
  const { opened, open } = gate()
  const upstream = await scriptedUpstream(t, 'ollama', { answer: { hold: { before: 'headers', until: opened } } })
  const leaving = new AbortController()
  const answer = fetch(upstream.url + paths.ollama, ask(true, leaving.signal))
  await upstream.untilChats(1)
  leaving.abort()
  await t.rejects(answer)
  await upstream.untilHangUps(1)
  open()
})

t.test('a scripted upstream that breaks the connection is an error for its reader', async t => {
  const upstream = await scriptedUpstream(t, 'llama-cpp', { answer: { text: ['a', 'b'], breakBefore: 1 } })
  const response = await fetch(upstream.url + paths['llama-cpp'], ask(true))
  await t.rejects(response.text())
})
