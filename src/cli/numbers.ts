import { InvalidArgumentError } from 'commander'

/** An option's number above 0. */
export function positive(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value > 0) || !Number.isFinite(value))
    throw new InvalidArgumentError('Expected a number above 0.')
  return value
}

/** An option's whole number above 0. */
export function positiveInteger(text: string): number {
  const value = positive(text)
  if (!Number.isInteger(value)) throw new InvalidArgumentError('Expected a whole number above 0.')
  return value
}
