import type { AuthInfo } from '@modelcontextprotocol/server'
import type { Principal } from '../operations/operation.ts'

/** A principal in the form that the SDK passes to handlers. */
export function authInfoOf(principal: Principal): AuthInfo {
  return { token: '', clientId: principal.name, scopes: [], extra: { principal } }
}

/** The sender of a message; none where the mount does not authenticate. */
export function principalOf(authInfo: AuthInfo | undefined): Principal | undefined {
  return authInfo?.extra?.['principal'] as Principal | undefined
}

/** Identifies the owner of a session: the same text for the same API key with the same access. */
export function ownerOf(authInfo: AuthInfo | undefined): string {
  return JSON.stringify(principalOf(authInfo) ?? null)
}
