import path from 'node:path'
import { Client as NewClient, StreamableHTTPClientTransport as NewHttp } from '@modelcontextprotocol/client'
import { StdioClientTransport as NewStdio } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { Test } from 'tap'

export interface Tool {
  name: string
  inputSchema: object
  outputSchema?: object | undefined
  annotations?: object | undefined
}

export interface ToolResult {
  content: { type: string; text?: string }[]
  structuredContent?: unknown
  isError?: boolean
  _meta?: Record<string, unknown>
}

export interface CallOptions {
  signal?: AbortSignal
  onprogress?: (progress: { progress: number }) => void
}

/** What every revision's client can do. */
export interface Agent {
  /** The revision it negotiated. */
  revision: string | undefined
  listTools: () => Promise<Tool[]>
  callTool: (name: string, input?: Record<string, unknown>, options?: CallOptions) => Promise<ToolResult>
  listResources: () => Promise<string[]>
  listTemplates: () => Promise<string[]>
  /** The text of a resource. */
  readText(uri: string): Promise<string>
  read: (uri: string) => Promise<unknown>
  complete: (template: string, variable: string, typed: string) => Promise<string[]>
  listPrompts: () => Promise<string[]>
  getPrompt: (name: string, values: Record<string, string>) => Promise<string>
  /** Listens; the returned promise settles at the first notification that the tools changed. */
  watchTools: () => Promise<{ changed: Promise<void> }>
  /** Subscribes; the returned promise settles at the first notification that the resource changed. */
  watchResource: (uri: string) => Promise<{ changed: Promise<void> }>
}

export interface AgentTargets {
  /** Of the MCP endpoint. */
  url: string
  /** A script that speaks MCP over stdio, and what it is started with. */
  stdio: { script: string; args?: string[]; env?: Record<string, string> }
  token?: string
}

/** Every revision in use, over the transports that its agents use. */
export const agentKinds = [
  {
    name: 'the old client over stdio',
    revision: '2025-11-25',
    connect: (t: Test, targets: AgentTargets) => connectOld(t, new OldStdio(childOf(targets))),
  },
  {
    name: 'the old client over HTTP',
    revision: '2025-11-25',
    connect: (t: Test, targets: AgentTargets) => connectOld(t, new OldHttp(new URL(targets.url), withToken(targets))),
  },
  {
    name: 'the new client over stdio',
    revision: '2026-07-28',
    connect: (t: Test, targets: AgentTargets) => connectNew(t, new NewStdio(childOf(targets))),
  },
  {
    name: 'the new client over HTTP',
    revision: '2026-07-28',
    connect: (t: Test, targets: AgentTargets) => connectNew(t, new NewHttp(new URL(targets.url), withToken(targets))),
  },
  {
    name: 'a client of 2025-06-18 over HTTP',
    revision: '2025-06-18',
    connect: (t: Test, targets: AgentTargets) =>
      connectNew(t, new NewHttp(new URL(targets.url), withToken(targets)), '2025-06-18'),
  },
]

function childOf({ stdio }: AgentTargets) {
  return {
    command: process.execPath,
    args: [path.resolve(stdio.script), ...(stdio.args ?? [])],
    env: { PATH: process.env['PATH'] ?? '', ...stdio.env },
  }
}

function withToken({ token }: AgentTargets) {
  return { requestInit: { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } } }
}

async function connectOld(t: Test, transport: OldStdio | OldHttp): Promise<Agent> {
  const client = new OldClient({ name: 'old', version: '1.0.0' })
  await client.connect(transport)
  t.teardown(() => client.close())
  return {
    revision: client.getServerVersion() === undefined ? undefined : '2025-11-25',
    listTools: async () => (await client.listTools()).tools,
    callTool: async (name, input, options) =>
      (await client.callTool({ name, arguments: input ?? {} }, undefined, options)) as ToolResult,
    listResources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    listTemplates: async () => (await client.listResourceTemplates()).resourceTemplates.map(item => item.uriTemplate),
    readText: async uri => textOf((await client.readResource({ uri })).contents),
    read: async uri => JSON.parse(textOf((await client.readResource({ uri })).contents)) as unknown,
    complete: async (uri, variable, value) => {
      const ref = { type: 'ref/resource' as const, uri }
      return (await client.complete({ ref, argument: { name: variable, value } })).completion.values
    },
    listPrompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    getPrompt: async (name, values) => promptText((await client.getPrompt({ name, arguments: values })).messages),
    watchTools: async () => {
      const changed = Promise.withResolvers<void>()
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
        changed.resolve()
      })
      return Promise.resolve({ changed: changed.promise })
    },
    watchResource: async uri => {
      const changed = Promise.withResolvers<void>()
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
        if (params.uri === uri) changed.resolve()
      })
      await client.subscribeResource({ uri })
      return { changed: changed.promise }
    },
  }
}

async function connectNew(t: Test, transport: NewStdio | NewHttp, legacy?: string): Promise<Agent> {
  const client = new NewClient(
    { name: 'new', version: '1.0.0' },
    legacy === undefined
      ? { versionNegotiation: { mode: { pin: '2026-07-28' } } }
      : { supportedProtocolVersions: [legacy] },
  )
  await client.connect(transport)
  t.teardown(() => client.close())
  return {
    revision: client.getNegotiatedProtocolVersion(),
    listTools: async () => (await client.listTools()).tools,
    callTool: async (name, input, options) => await client.callTool({ name, arguments: input ?? {} }, options),
    listResources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    listTemplates: async () => (await client.listResourceTemplates()).resourceTemplates.map(item => item.uriTemplate),
    readText: async uri => textOf((await client.readResource({ uri })).contents),
    read: async uri => JSON.parse(textOf((await client.readResource({ uri })).contents)) as unknown,
    complete: async (uri, variable, value) => {
      const ref = { type: 'ref/resource' as const, uri }
      return (await client.complete({ ref, argument: { name: variable, value } })).completion.values
    },
    listPrompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    getPrompt: async (name, values) => promptText((await client.getPrompt({ name, arguments: values })).messages),
    watchTools: async () => {
      const changed = Promise.withResolvers<void>()
      client.setNotificationHandler('notifications/tools/list_changed', () => {
        changed.resolve()
      })
      if (legacy === undefined) await client.listen({ toolsListChanged: true, resourcesListChanged: true })
      return { changed: changed.promise }
    },
    watchResource: async uri => {
      const changed = Promise.withResolvers<void>()
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
        if (params.uri === uri) changed.resolve()
      })
      if (legacy === undefined) await client.listen({ resourceSubscriptions: [uri] })
      else await client.subscribeResource({ uri })
      return { changed: changed.promise }
    },
  }
}

function textOf(contents: readonly object[]): string {
  const [first] = contents as { text: string }[]
  return first?.text ?? 'null'
}

function promptText([first]: readonly { content: object }[]): string {
  return (first as { content: { text: string } }).content.text
}
