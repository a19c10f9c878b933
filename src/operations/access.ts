import { GatewayError } from '../errors.ts'
import type { Operation, Principal } from './operation.ts'

/** Whose things a principal is shown; undefined: everybody's. */
export function ownerShownTo({ name, admin }: Principal): string | undefined {
  return admin === true ? undefined : name
}

/** Whether a principal may see, change and continue what `owner` made. What they may not is not found, as if it never was. */
export function mayReach(principal: Principal, owner: string): boolean {
  return principal.admin === true || principal.name === owner
}

/** Throws `forbidden`, saying what is missing, where a principal may not call an operation. */
export function requireAccess(
  { name: asker, admin, readOnly }: Principal,
  { name, access, effect }: Pick<Operation<never>, 'name' | 'access' | 'effect'>,
): void {
  if (readOnly === true && effect !== 'read') {
    throw new GatewayError('forbidden', `${name} changes something, and ${asker} may only read.`)
  }
  if (access === 'admin' && admin !== true) {
    throw new GatewayError(
      'forbidden',
      `${name} administers Signalbox itself, and the key of ${asker} is not an admin key. Show a key of SIGNALBOX_ADMIN_KEY; where that setting is missing, add it and restart Signalbox.`,
    )
  }
}
