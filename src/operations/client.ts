import type { z } from 'zod'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { OperationOutputs } from './index.ts'
import { requireAccess } from './access.ts'
import type { OperationCall, Operation, Principal } from './operation.ts'

/** Calls operations by name: the same inputs, results and `GatewayError`s wherever they run. */
export interface Client {
  /**
   * Throws `not_found` for an unknown name, `invalid_request` for invalid input, `forbidden` for a caller without access,
   * and whatever the operation throws.
   */
  call(name: string, input?: unknown, options?: Partial<OperationCall>): Promise<Record<string, unknown>>
}

/** Calls an operation; what Signalbox's own operations answer is known by their names. */
export interface TypedCall {
  <Name extends keyof OperationOutputs>(operation: Name, input?: unknown): Promise<OperationOutputs[Name]>
  (operation: string, input?: unknown): Promise<Record<string, unknown>>
}

/** The calls of `client` with typed answers: each operation checks its own by the schema that its type is made from. */
export function typedCall(client: Client, options?: Partial<OperationCall>): TypedCall {
  return (operation: string, input?: unknown) => client.call(operation, input, options)
}

/** Code of this process, and other processes of the same user. */
export const localPrincipal: Principal = { name: 'local', admin: true }

/** Runs operations in this process. Unexpected errors go to `onUnexpected`, since the caller gets no details. */
export function inProcessClient<Context>(
  operations: readonly Operation<Context>[],
  context: Context,
  onUnexpected?: (error: unknown, operation: string) => void,
): Client {
  const byName = new Map(operations.map(operation => [operation.name, operation]))

  return {
    async call(name, input = {}, { signal = new AbortController().signal, progress = ignore, principal } = {}) {
      const operation = byName.get(name)
      if (operation === undefined) throw new GatewayError('not_found', `Unknown operation: ${name}.`)
      const caller = principal ?? localPrincipal
      requireAccess(caller, operation)
      const parsed = operation.input.safeParse(input)
      if (!parsed.success) throw invalidInput(name, parsed.error)
      try {
        signal.throwIfAborted()
        const result = await operation.run(context, parsed.data, { signal, progress, principal: caller })
        return asJson(operation.output.parse(result))
      } catch (error) {
        if (signal.aborted) throw new GatewayError('client_closed', `${name} was cancelled by its caller.`)
        const failure = asGatewayError(error)
        if (failure.code === 'internal') onUnexpected?.(error, name)
        throw failure
      }
    },
  }
}

/**
 * A copy that holds what JSON would carry: no caller can change the core's state through it or see more than a caller
 * over HTTP.
 */
function asJson(output: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(output)) as Record<string, unknown>
}

function invalidInput(name: string, error: z.ZodError): GatewayError {
  const issue = error.issues[0]
  const unknownKeys = issue?.code === 'unrecognized_keys' ? issue.keys : []
  const field = [...(issue?.path ?? []), ...unknownKeys.slice(0, 1)].join('.')
  const problem = issue?.message ?? 'is not valid'
  return new GatewayError('invalid_request', `${name}: ${field === '' ? '' : `${field}: `}${problem}`, {
    ...(field !== '' && { param: field }),
  })
}

function ignore(): void {}
