import { setTimeout } from 'node:timers/promises'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

const hourMs = 3_600_000

/** A clock that jumps a day ahead and an hour back, before requests and in the middle of one; what went wrong. */
export async function playClockJumps(t: Teardown): Promise<string[]> {
  const problems: string[] = []
  const held = gate()
  const upstream = await scriptedUpstream(t, 'llama-cpp', {
    answer: (_, index) => ({ text: 'Hello.', ...(index === 0 ? { hold: { before: 0, until: held.opened } } : {}) }),
  })
  let offsetMs = 0
  const gateway = await startGateway(t, variablesFor(upstream), [], { now: () => Date.now() + offsetMs })
  const taskIds: string[] = []
  const askAndSubmit = async (when: string) => {
    const { status, text } = await gateway.ask()
    if (status !== 200) problems.push(`${when}: ${status} ${text}`)
    const task = await gateway.post('/api/tasks', { task: 'Say hello.', context_length: 0 })
    if (task.status !== 200) problems.push(`${when}: a task is answered ${task.status} ${task.text}`)
    else taskIds.push(String(task.json.task_id))
  }

  const inProgress = gateway.ask({ stream: true })
  await upstream.untilChats(1)
  for (const [when, jumpMs] of [
    ['a day ahead', 24 * hourMs],
    ['an hour back', -hourMs],
  ] as const) {
    offsetMs += jumpMs
    // The first request has the only slot of the server, so the next ones wait until it ends.
    if (jumpMs < 0) held.open()
    if (jumpMs < 0) await askAndSubmit(when)
  }
  const { status, text } = await inProgress
  if (status !== 200 || !text.includes('Hello.')) problems.push(`the request in progress: ${status} ${text}`)
  offsetMs += 24 * hourMs
  await askAndSubmit('another day ahead')

  for (const id of taskIds) {
    const task = await gateway.get(`/api/tasks/${id}?wait_seconds=10`)
    if (task.json?.status !== 'completed') problems.push(`a task is ${task.text}`)
  }
  await gateway.core.gateway.idle()
  await setTimeout(1)
  const { totals } = (await gateway.get('/v1/usage?period=all')).json
  const expected = 3 + taskIds.length
  if (totals.requests !== expected || totals.errors !== 0) {
    problems.push(`${expected} requests were made, the report says ${JSON.stringify(totals)}`)
  }
  return problems
}
