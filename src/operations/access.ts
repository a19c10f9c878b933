import type { Scope } from '../accounting/api-key.ts'
import { GatewayError } from '../errors.ts'
import type { Operation, Principal } from './operation.ts'

/** The owner whose data a principal is shown; undefined: of all owners. */
export function ownerShownTo({ name, admin }: Principal): string | undefined {
  return admin === true ? undefined : name
}

/** Whether a principal may see, change and continue what `owner` created. For anybody else it must look as if it did not exist. */
export function mayReach(principal: Principal, owner: string): boolean {
  return principal.admin === true || principal.name === owner
}

/** Throws `forbidden` where the principal's key lacks a scope. */
export function requireScope(principal: Principal, scope: Exclude<Scope, 'admin'>): void {
  if (hasScope(principal, scope)) return
  throw new GatewayError('forbidden', missingScope(principal, scope))
}

function hasScope({ admin, scopes }: Principal, scope: Scope): boolean {
  return admin === true || scopes === undefined || scopes.includes(scope)
}

function missingScope({ name }: Principal, scope: Scope): string {
  return `The API key '${name}' lacks the scope '${scope}'; ask an administrator for a key that has it.`
}

type Called = Pick<Operation<never>, 'name' | 'access' | 'effect'>

/** Whether a principal may call an operation. */
export function mayCall(principal: Principal, operation: Called): boolean {
  return refusalOf(principal, operation) === undefined
}

/** Throws `forbidden`, naming what is missing, when a principal may not call an operation. */
export function requireAccess(principal: Principal, operation: Called): void {
  const refusal = refusalOf(principal, operation)
  if (refusal !== undefined) throw new GatewayError('forbidden', refusal)
}

function refusalOf(principal: Principal, { name, access, effect }: Called): string | undefined {
  const { name: asker, admin, readOnly } = principal
  if (readOnly === true && effect !== 'read') return `${name} changes data, and ${asker} has read-only access.`
  if (access !== 'admin') {
    const scope = effect === 'read' ? 'read' : 'inference'
    return hasScope(principal, scope) ? undefined : missingScope(principal, scope)
  }
  if (admin === true) return undefined
  return `${name} requires an admin key, and '${asker}' is not one. Send a key of SIGNALBOX_ADMIN_KEY; if that is not set, set it and restart Signalbox.`
}
