import { readFileSync } from 'node:fs'
import path from 'node:path'

/** What public results say of one model. */
export interface KnownModel {
  /** Log odds of success at a benchmark of difficulty 0, on the table's own scale. */
  ability: number
  /** Its standard error. */
  sd: number
  /** Results behind it. */
  results: number
  /** YYYY-MM or YYYY-MM-DD. */
  released?: string
  /** Billions of parameters. */
  sizeB?: number
  /** USD per million output tokens, as listed. */
  price?: number
  /** By kind of work: log odds by which it is better at it than its ability says; only what is beyond doubt. */
  kinds?: Record<string, number>
  /** Keys of `sources`. */
  sources: string[]
}

/** A guess from what is known of a model: `intercept + size × log2(B / 8) + date × years since 2024 + price × log2(USD)`. */
export interface AttributeGuess {
  intercept: number
  size: number
  date: number
  price: number
  /** Standard deviation of what it misses, measured on families it was not fitted on. */
  sd: number
}

/** What `npm run make:abilities` makes of public results. */
export interface AbilityTable {
  version: number
  sources: Record<string, { name: string; url: string; license: string; date: string }>
  /** By canonical name, with `@` and the release where a name was released more than once. */
  models: Record<string, KnownModel>
  /** By the attributes that are known, joined by `+`: `size+date`, `price`, and `` for none. */
  guesses: Record<string, AttributeGuess>
  /** How members of one family differ: per doubling of size, per year, and the variance that each step adds. */
  siblings: {
    perDoubling: number
    perYear: number
    variance: { any: number; perDoubling: number; perYear: number; perWord: number }
  }
  /** Log odds by which thinking, or thinking less or more than usual, moves a model. */
  effort: { thinking: number; none: number; low: number; high: number }
}

/** Tables of another version were made for other code and are not used. */
export const abilityTableVersion = 1

export const shippedAbilitiesFile = path.join(import.meta.dirname, 'abilities.json')

/** Reads the shipped table. It is part of the program: that it cannot be read is a broken installation, and thrown. */
export function loadAbilityTable(file: string = shippedAbilitiesFile): AbilityTable {
  const table = JSON.parse(readFileSync(file, 'utf8')) as AbilityTable
  if (table.version !== abilityTableVersion) {
    throw new Error(
      `${file} has version ${table.version}, but ${abilityTableVersion} is needed; run \`npm run make:abilities\`.`,
    )
  }
  return table
}
