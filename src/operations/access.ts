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

function refusalOf({ name: asker, admin, readOnly }: Principal, { name, access, effect }: Called): string | undefined {
  if (readOnly === true && effect !== 'read') return `${name} changes data, and ${asker} has read-only access.`
  if (access !== 'admin' || admin === true) return undefined
  return `${name} requires an admin key, and '${asker}' is not one. Send a key of SIGNALBOX_ADMIN_KEY; if that is not set, set it and restart Signalbox.`
}
