/** Numbers in a version in order: `4.5` before `4.10`, `k2` before `k2.5`. */
export function compareVersions(one: string | undefined, other: string | undefined): number {
  const numbers = (version: string | undefined) => (version?.match(/\d+/g) ?? []).map(Number)
  const [left, right] = [numbers(one), numbers(other)]
  if (left.length === 0 || right.length === 0) return 0
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** The first number alone says how far apart versions are: 3.5 of `3.5`, 2 of `k2`; 0 where there is none. */
export function versionNumber(version: string | undefined): number {
  return Number(/\d+(?:\.\d+)?/.exec(version ?? '')?.[0] ?? 0)
}

/** A release that tells the year: `20241022`, `2507`. */
export function dateOf(date: string | undefined): string | undefined {
  if (date?.length === 8) return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
  return date !== undefined && /^2[3-9]\d\d$/.test(date) ? `20${date.slice(0, 2)}-${date.slice(2)}` : undefined
}

/** Years from the start of 2024. */
export function years(released: string): number {
  const [year = 2024, month = 1, day = 1] = released.split('-').map(Number)
  return year - 2024 + (month - 1) / 12 + (day - 1) / 365
}

/** Years from one release to another; none where the other is not known. */
export function yearsApart(when: string, other: string | undefined): number {
  return other === undefined ? 0 : years(when) - years(other)
}
