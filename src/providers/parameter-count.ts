/** Parses a parameter count in billions as servers write it: `7.6B` is 7.6 and `270M` is 0.27. */
export function billions(text: string | null | undefined): number | undefined {
  const found = /^([\d.]+)\s*([BM])/i.exec(text ?? '')
  if (found === null) return undefined
  const number = Number(found[1])
  return found[2]!.toUpperCase() === 'M' ? number / 1000 : number
}
