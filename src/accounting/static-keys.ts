import { hashOf } from './api-key.ts'

/** As much of a name as the ledger keeps: owners are compared with it. */
const maxNameCharacters = 200

/** A key of the settings. */
export interface StaticKey {
  hash: string
  /** As its owner wrote it, or the beginning of the hash. */
  name: string
}

/** The keys of SIGNALBOX_API_KEY or SIGNALBOX_ADMIN_KEY: `key` or `name=key`, separated by commas. */
export function readStaticKeys(list: string | undefined): StaticKey[] {
  return (list?.split(',') ?? []).map(entry => {
    // A key in base64 may end in `=`, and then has no name.
    const [, name, key = entry] = /^([^=]+)=(.*[^=].*)$/.exec(entry) ?? []
    const hash = hashOf(key)
    return { hash, name: (name ?? `key-${hash.slice(0, 8)}`).slice(0, maxNameCharacters) }
  })
}
