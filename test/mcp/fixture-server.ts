import { setTimeout as delay } from 'node:timers/promises'
import {
  completable,
  createRequestStateCodec,
  McpServer,
  ResourceTemplate,
  type McpServerFactory,
  type ServerContext,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { registerRounds } from './fixture-rounds.ts'

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const silence = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA='

/** The tools, resources and prompts that the public conformance suite asks a server for. */
export function fixtureServer(bus: ServerEventBus): McpServerFactory {
  const state = createRequestStateCodec<{ round: number }>({ key: 'a key that is only used in this test.' })

  return () => {
    const server = new McpServer(
      { name: 'fixture', version: '1.0.0' },
      {
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { subscribe: true, listChanged: true },
          completions: {},
          logging: {},
        },
        requestState: { verify: (minted, context) => state.verify(minted, context) },
      },
    )
    registerContentTools(server)
    registerClientTools(server)
    registerTriggers(server, bus)
    registerResources(server)
    registerPrompts(server)
    registerRounds(server, state)
    return server
  }
}

function registerContentTools(server: McpServer): void {
  const image = { type: 'image' as const, data: pixel, mimeType: 'image/png' }
  server.registerTool('test_simple_text', { description: 'Answers with text.' }, () => ({
    content: [{ type: 'text', text: 'This is a simple text response for testing.' }],
  }))
  server.registerTool('test_image_content', { description: 'Answers with an image.' }, () => ({ content: [image] }))
  server.registerTool('test_audio_content', { description: 'Answers with audio.' }, () => ({
    content: [{ type: 'audio', data: silence, mimeType: 'audio/wav' }],
  }))
  server.registerTool('test_embedded_resource', { description: 'Answers with a resource.' }, () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }))
  server.registerTool('test_multiple_content_types', { description: 'Answers with several kinds.' }, () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  }))
  server.registerTool('test_error_handling', { description: 'Always fails.' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
}

function registerClientTools(server: McpServer): void {
  server.registerTool('test_tool_with_logging', { description: 'Logs while it works.' }, async context => {
    await context.mcpReq.log('info', 'Tool execution started')
    await delay(50)
    await context.mcpReq.log('info', 'Tool processing data')
    await delay(50)
    await context.mcpReq.log('info', 'Tool execution completed')
    return { content: [{ type: 'text', text: 'Logged three times.' }] }
  })
  server.registerTool('test_logging_tool', { description: 'Logs once.' }, async context => {
    await context.mcpReq.log('info', 'Logged')
    return { content: [{ type: 'text', text: 'Logged once.' }] }
  })
  server.registerTool('test_tool_with_progress', { description: 'Tells how far it is.' }, async context => {
    for (const progress of [0, 50, 100]) {
      await tellProgress(context, progress)
      if (progress < 100) await delay(50)
    }
    return { content: [{ type: 'text', text: 'Done.' }] }
  })
  server.registerTool(
    'test_sampling',
    { description: 'Asks the client’s model.', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, context) => {
      const answer = await context.mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      })
      return { content: [{ type: 'text', text: `LLM response: ${JSON.stringify(answer.content)}` }] }
    },
  )
  const elicit = async (context: ServerContext, message: string, properties: object, required: string[] = []) => {
    const { action, content } = await context.mcpReq.elicitInput({
      message,
      requestedSchema: { type: 'object', properties: properties as Record<string, { type: 'string' }>, required },
    })
    return `action=${action}, content=${JSON.stringify(content ?? {})}`
  }
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user.', inputSchema: z.object({ message: z.string() }) },
    async ({ message }, context) => {
      const answer = await elicit(
        context,
        message,
        {
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        },
        ['username', 'email'],
      )
      return { content: [{ type: 'text', text: `User response: ${answer}` }] }
    },
  )
  server.registerTool('test_elicitation_sep1034_defaults', { description: 'Asks with defaults.' }, async context => {
    const answer = await elicit(context, 'Please review these defaults.', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    })
    return { content: [{ type: 'text', text: `Elicitation completed: ${answer}` }] }
  })
  server.registerTool('test_elicitation_sep1330_enums', { description: 'Asks with choices.' }, async context => {
    const plain = ['option1', 'option2', 'option3']
    const titled = ['First', 'Second', 'Third'].map((title, index) => ({ const: `value${String(index + 1)}`, title }))
    const answer = await elicit(context, 'Please choose.', {
      untitledSingle: { type: 'string', enum: plain },
      titledSingle: { type: 'string', oneOf: titled },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: plain } },
      titledMulti: { type: 'array', items: { anyOf: titled } },
    })
    return { content: [{ type: 'text', text: `Elicitation completed: ${answer}` }] }
  })
}

async function tellProgress(context: ServerContext, progress: number): Promise<void> {
  const progressToken = context.mcpReq._meta?.progressToken
  if (progressToken === undefined) return
  await context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
}

function registerTriggers(server: McpServer, bus: ServerEventBus): void {
  server.registerTool('test_trigger_tool_change', { description: 'Says that the tools changed.' }, () => {
    bus.publish({ kind: 'tools_list_changed' })
    return { content: [{ type: 'text', text: 'Said.' }] }
  })
  server.registerTool('test_trigger_prompt_change', { description: 'Says that the prompts changed.' }, () => {
    bus.publish({ kind: 'prompts_list_changed' })
    return { content: [{ type: 'text', text: 'Said.' }] }
  })
}

function registerResources(server: McpServer): void {
  const text = { description: 'A text.', mimeType: 'text/plain' }
  server.registerResource('static-text', 'test://static-text', text, uri => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
  }))
  const binary = { description: 'A picture.', mimeType: 'image/png' }
  server.registerResource('static-binary', 'test://static-binary', binary, uri => ({
    contents: [{ uri: uri.href, mimeType: 'image/png', blob: pixel }],
  }))
  server.registerResource('watched-resource', 'test://watched-resource', text, uri => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'Watch me.' }],
  }))
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })
  const json = { description: 'Data by id.', mimeType: 'application/json' }
  server.registerResource('template', template, json, (uri, { id }) => ({
    contents: [
      {
        uri: uri.href,
        mimeType: 'application/json',
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
      },
    ],
  }))
  const watched = new Set<string>()
  server.server.setRequestHandler('resources/subscribe', ({ params }) => {
    watched.add(params.uri)
    return {}
  })
  server.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    watched.delete(params.uri)
    return {}
  })
}

function registerPrompts(server: McpServer): void {
  const user = (content: { type: 'text'; text: string }) => ({ role: 'user' as const, content })
  server.registerPrompt('test_simple_prompt', { description: 'Simple.' }, () => ({
    messages: [user({ type: 'text', text: 'This is a simple prompt for testing.' })],
  }))
  const words = ['paris', 'park', 'party']
  const word = completable(z.string(), value => words.filter(word => word.startsWith(value)))
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'With arguments.', argsSchema: z.object({ arg1: word, arg2: z.string() }) },
    ({ arg1, arg2 }) => ({
      messages: [user({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` })],
    }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource.', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
          },
        },
        user({ type: 'text', text: 'Please process the embedded resource above.' }),
      ],
    }),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'With an image.' }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: pixel, mimeType: 'image/png' } },
      user({ type: 'text', text: 'Please analyze the image above.' }),
    ],
  }))
}
