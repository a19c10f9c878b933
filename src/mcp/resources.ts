import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
  UriTemplate,
  type McpServer,
  type ReadResourceResult,
  type ServerContext,
  type Variables,
} from '@modelcontextprotocol/server'
import { asGatewayError } from '../errors.ts'
import { typedCall, type Client, type TypedCall } from '../operations/client.ts'
import type { Principal } from '../operations/operation.ts'

/** Something to read at a URI, or, when the URI has `{variables}`, at every URI of that form. Its content is JSON. */
export interface ResourceDefinition {
  uri: string
  name: string
  description: string
  /** The resource is listed only while this backend exists. */
  needs?: string
  read: (ask: TypedCall, variables: Record<string, string>) => Promise<unknown>
  /** Completions for each variable, by prefix. */
  complete?: Record<string, (ask: TypedCall) => Promise<string[]>>
}

export interface ResourceParts {
  resources: readonly ResourceDefinition[]
  client: Client
  backends: () => ReadonlySet<string>
}

const mimeType = 'application/json'
const completionLimit = 100

/** Registers resources and templates. The returned function lists and hides them when their backends come or go. */
export function registerResources(
  server: McpServer,
  { resources, client, backends }: ResourceParts,
  principal: Principal | undefined,
): () => void {
  const asker = principal === undefined ? {} : { principal }
  const askerIn = ({ mcpReq }: ServerContext) => typedCall(client, { ...asker, signal: mcpReq.signal })
  const registered = resources.map(definition => {
    const { uri, name, description, needs } = definition
    const config = { description, mimeType }
    const resource = uri.includes('{')
      ? server.registerResource(
          name,
          templateOf(definition, typedCall(client, asker)),
          config,
          (at, variables, context) => read(definition, { at, variables: asStrings(variables), ask: askerIn(context) }),
        )
      : server.registerResource(name, uri, config, (at, context) =>
          read(definition, { at, variables: {}, ask: askerIn(context) }),
        )
    return { resource, needs }
  })
  const refresh = () => {
    const present = backends()
    for (const { resource, needs } of registered) {
      const wanted = needs === undefined || present.has(needs)
      if (wanted !== resource.enabled) resource.update({ enabled: wanted })
    }
  }
  refresh()
  return refresh
}

interface Reading {
  at: URL
  variables: Record<string, string>
  ask: TypedCall
}

async function read({ read }: ResourceDefinition, { at, variables, ask }: Reading): Promise<ReadResourceResult> {
  try {
    const content = await read(ask, variables)
    return { contents: [{ uri: at.href, mimeType, text: JSON.stringify(content) }] }
  } catch (thrown) {
    const { code, message } = asGatewayError(thrown)
    if (code === 'not_found' || code === 'model_not_found') throw new ResourceNotFoundError(at.href, message)
    throw new ProtocolError(ProtocolErrorCode.InternalError, message, { code })
  }
}

function templateOf({ uri, complete = {} }: ResourceDefinition, ask: TypedCall): ResourceTemplate {
  const completions = Object.entries(complete).map(([variable, values]) => [
    variable,
    async (typed: string) => (await values(ask)).filter(value => value.startsWith(typed)).slice(0, completionLimit),
  ])
  return new ResourceTemplate(new LastVariableTemplate(uri), {
    list: undefined,
    complete: Object.fromEntries(completions) as Record<string, (typed: string) => Promise<string[]>>,
  })
}

/** A variable at the end takes the rest of the URI, because model names contain slashes that few clients encode. */
class LastVariableTemplate extends UriTemplate {
  override match(uri: string): Variables | null {
    const [, before, variable] = /^([^{]*)\{(\w+)\}$/.exec(this.toString()) ?? []
    if (before === undefined || variable === undefined) return super.match(uri)
    const value = uri.slice(before.length)
    return uri.startsWith(before) && value !== '' ? { [variable]: decode(value) } : null
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function asStrings(variables: Variables): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)]))
}
