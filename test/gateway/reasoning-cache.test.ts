import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]

for (const stream of [false, true]) {
  t.test(
    `thoughts before a tool call come back to the model although the client dropped them, stream: ${stream}`,
    async t => {
      const local = await scriptedUpstream(t, 'llama-cpp', {
        answer: {
          reasoning: ['I look ', 'first.'],
          toolCalls: [{ name: 'look', arguments: { at: 'it' }, id: 'call_7' }],
        },
      })
      const gateway = await startGateway(t, variablesFor(local))
      await gateway.ask({ tools, stream })
      const called = (written: string) => ({
        tools,
        messages: [
          { role: 'user', content: 'Hello?' },
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'call_7', type: 'function', function: { name: 'look', arguments: written } }],
          },
          { role: 'tool', tool_call_id: 'call_7', content: 'seen' },
        ],
      })
      await gateway.ask(called('{ "at": "it" }'))
      await gateway.ask(called('{"at":"something else"}'))
      const thoughts = local.chats.map(({ body }) => (body['messages'] as { reasoning_content?: string }[])[1])
      t.equal(thoughts[1]?.reasoning_content, 'I look first.', 'however the arguments are spaced')
      t.equal(thoughts[2]?.reasoning_content, undefined, 'but not to another call that has the same id')
    },
  )
}
