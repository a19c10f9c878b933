import ipaddr from 'ipaddr.js'

/** Whether a host name or address, with or without brackets, means this machine. */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host)
  return bare === 'localhost' || bare.endsWith('.localhost') || rangeOf(bare) === 'loopback'
}

/**
 * Whether a host is on this machine or in its private network: private and link-local addresses, shared ones of carriers,
 * names under `.local` and `.internal`, and names without any dot.
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

function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
}

/** What kind of address it is; undefined for a name. IPv4 addresses inside IPv6 ones count as what they are. */
function rangeOf(bare: string): string | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(bare) && !ipaddr.IPv6.isValid(bare)) return undefined
  return ipaddr.process(bare).range()
}
