import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type CallToolResult,
  type ClientCapabilities,
  type InputRequest,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

type State = RequestStateCodec<{ round: number }>

/** The fixtures that ask their client for something before they answer. */
export function registerRounds(server: McpServer, state: State): void {
  const askName = (context: ServerContext) => {
    const answer = acceptedContent(context.mcpReq.inputResponses, 'user_name', z.object({ name: z.string() }))
    if (answer === undefined)
      return inputRequired({ inputRequests: { user_name: askFor('What is your name?', 'name') } })
    return text(`Hello, ${answer.name}!`)
  }
  for (const name of ['test_input_required_result_elicitation', 'test_streaming_elicitation']) {
    server.registerTool(name, { description: 'Asks for a name.' }, askName)
  }

  server.registerTool('test_input_required_result_sampling', { description: 'Asks a model.' }, context => {
    const answer = inputResponse(context.mcpReq.inputResponses, 'capital_question')
    if (answer.kind !== 'sampling') {
      return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?', 100) } })
    }
    return text(JSON.stringify(answer.result.content))
  })

  server.registerTool('test_input_required_result_list_roots', { description: 'Asks for roots.' }, context => {
    const answer = inputResponse(context.mcpReq.inputResponses, 'client_roots')
    if (answer.kind !== 'roots') {
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
    }
    return text(answer.roots.map(root => root.uri).join(', '))
  })

  const confirm = async (responses: Record<string, unknown> | undefined, current: unknown) => {
    const answer = acceptedContent(responses, 'confirm', z.object({ ok: z.boolean() }))
    if (answer !== undefined && current !== undefined) return text('state-ok')
    return inputRequired({
      inputRequests: {
        confirm: inputRequired.elicit({ message: 'Please confirm', requestedSchema: z.object({ ok: z.boolean() }) }),
      },
      requestState: await state.mint({ round: 1 }),
    })
  }
  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state']) {
    server.registerTool(name, { description: 'Keeps state with its client.' }, context =>
      confirm(context.mcpReq.inputResponses, context.mcpReq.requestState()),
    )
  }

  server.registerTool(
    'test_input_required_result_multiple_inputs',
    { description: 'Asks for three.' },
    async context => {
      const responses = context.mcpReq.inputResponses
      const kinds = ['user_name', 'greeting', 'client_roots'].map(key => inputResponse(responses, key).kind)
      if (kinds.includes('missing')) {
        return inputRequired({
          inputRequests: {
            user_name: askFor('What is your name?', 'name'),
            greeting: sample('Generate a greeting', 50),
            client_roots: inputRequired.listRoots(),
          },
          requestState: await state.mint({ round: 1 }),
        })
      }
      return text(`Got ${kinds.join(', ')}.`)
    },
  )

  server.registerTool('test_input_required_result_multi_round', { description: 'Asks twice.' }, async context => {
    const responses = context.mcpReq.inputResponses
    const round = context.mcpReq.requestState<{ round: number }>()?.round ?? 0
    const name = acceptedContent(responses, 'step1', z.object({ name: z.string() }))
    const color = acceptedContent(responses, 'step2', z.object({ color: z.string() }))
    if (round === 2 && color !== undefined) return text(`The color is ${color.color}.`)
    if (round >= 1 && name !== undefined) {
      return inputRequired({
        inputRequests: { step2: askFor('Step 2: What is your favorite color?', 'color') },
        requestState: await state.mint({ round: 2 }),
      })
    }
    return inputRequired({
      inputRequests: { step1: askFor('Step 1: What is your name?', 'name') },
      requestState: await state.mint({ round: 1 }),
    })
  })

  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks what can be asked.' },
    context => {
      const capabilities = (context.mcpReq.envelope as Record<string, ClientCapabilities | undefined>)[
        CLIENT_CAPABILITIES_META_KEY
      ]
      return inputRequired({
        inputRequests: {
          ...(capabilities?.sampling !== undefined && { question: sample('What is the capital of France?', 100) }),
          ...(capabilities?.elicitation !== undefined && { user_name: askFor('What is your name?', 'name') }),
        },
        requestState: 'no more than a mark',
      })
    },
  )

  server.registerTool('test_missing_capability', { description: 'Needs a model of its client.' }, () =>
    inputRequired({ inputRequests: { question: sample('What is the capital of France?', 100) } }),
  )

  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks for its context.' }, context => {
    const answer = acceptedContent(context.mcpReq.inputResponses, 'user_context', z.object({ context: z.string() }))
    if (answer === undefined) {
      return inputRequired({
        inputRequests: { user_context: askFor('What context should the prompt use?', 'context') },
      })
    }
    return { messages: [{ role: 'user', content: { type: 'text', text: `Context: ${answer.context}` } }] }
  })
}

function askFor(message: string, field: string): InputRequest {
  return inputRequired.elicit({ message, requestedSchema: z.object({ [field]: z.string() }) })
}

function sample(question: string, maxTokens: number): InputRequest {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens,
  })
}

function text(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] }
}
