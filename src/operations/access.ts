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

/** Throws `forbidden`, naming what is missing, when a principal may not call an operation. */
export function requireAccess(
  { name: asker, admin, readOnly }: Principal,
  { name, access, effect }: Pick<Operation<never>, 'name' | 'access' | 'effect'>,
): void {
  if (readOnly === true && effect !== 'read') {
    throw new GatewayError('forbidden', `${name} changes data, and ${asker} has read-only access.`)
  }
  if (access === 'admin' && admin !== true) {
    throw new GatewayError(
      'forbidden',
      `${name} requires an admin key, and '${asker}' is not one. Send a key of SIGNALBOX_ADMIN_KEY; if that is not set, set it and restart Signalbox.`,
    )
  }
}
