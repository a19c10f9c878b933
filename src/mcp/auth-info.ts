import type { AuthInfo } from '@modelcontextprotocol/server'
import type { Principal } from '../operations/operation.ts'

/** A principal in the form in which the SDK hands it to what it calls. */
export function authInfoOf(principal: Principal): AuthInfo {
  return { token: '', clientId: principal.name, scopes: [], extra: { principal } }
}

/** Who sent a message; none where the mount asks nobody. */
export function principalOf(authInfo: AuthInfo | undefined): Principal | undefined {
  return authInfo?.extra?.['principal'] as Principal | undefined
}

/** Whose a session is; the same text for the same key with the same rights. */
export function ownerOf(authInfo: AuthInfo | undefined): string {
  return JSON.stringify(principalOf(authInfo) ?? null)
}
