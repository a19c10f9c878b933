/** `printf`'s directives `%s %d %i %f %x %c %%` with flags, width and precision; the format repeats for more arguments. */
export function formatted(format: string, args: readonly (string | number)[]): string {
  let output = ''
  const left = [...args]
  do {
    output += format.replace(
      /%([-+0 ]*)(\d*)(?:\.(\d+))?([sdifxcgue%])/g,
      (_, flags: string, width: string, precision: string | undefined, kind: string) => {
        if (kind === '%') return '%'
        const value = left.shift() ?? ''
        let text = String(value)
        if (kind === 's' && precision !== undefined) text = text.slice(0, Number(precision))
        else if (kind === 'd' || kind === 'i' || kind === 'u') text = String(Math.trunc(Number(value) || 0))
        else if (kind === 'f') text = (Number(value) || 0).toFixed(Number(precision ?? 6))
        else if (kind === 'x') text = Math.trunc(Number(value) || 0).toString(16)
        else if (kind === 'c') text = text.slice(0, 1)
        if (flags.includes('+') && kind !== 's' && Number(value) >= 0) text = `+${text}`
        const length = Math.min(Number(width || 0), 1_000)
        if (flags.includes('-')) return text.padEnd(length)
        return flags.includes('0') && kind !== 's' ? text.padStart(length, '0') : text.padStart(length)
      },
    )
  } while (left.length > 0 && left.length < args.length)
  return output
}
