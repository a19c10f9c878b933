/** Returns its argument for the first `limit` different ones, and `other` for all that follow. */
export function boundedLabel(limit: number): (value: string) => string {
  const known = new Set<string>()
  return value => {
    if (known.has(value)) return value
    if (known.size >= limit) return 'other'
    known.add(value)
    return value
  }
}
