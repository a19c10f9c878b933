import ipaddr from 'ipaddr.js'

/** Whether a host name or address, with or without brackets, is a loopback address. */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host)
  return bare === 'localhost' || bare.endsWith('.localhost') || rangeOf(bare) === 'loopback'
}

/**
 * Whether a host is on this machine or in its private network: private, link-local and carrier-grade NAT addresses, names
 * under `.local` and `.internal`, and names without a dot.
 */
export function isLocalNetwork(host: string): boolean {
  const bare = bareHost(host)
  const range = rangeOf(bare)
  if (range !== undefined) return localRanges.has(range)
  return isLoopback(bare) || !bare.includes('.') || bare.endsWith('.local') || bare.endsWith('.internal')
}

const localRanges: ReadonlySet<string> = new Set([
  'loopback',
  'unspecified',
  'private',
  'uniqueLocal',
  'linkLocal',
  'carrierGradeNat',
])

/** A host name or address as it is written in a URL: an IPv6 address in brackets. */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${bareHost(host)}]` : host
}

function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
}

/** The range of an address; undefined for a name. IPv4-mapped IPv6 addresses count as IPv4. */
function rangeOf(bare: string): string | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(bare) && !ipaddr.IPv6.isValid(bare)) return undefined
  return ipaddr.process(bare).range()
}
