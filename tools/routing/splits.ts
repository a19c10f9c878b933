import { hashText } from '../../src/router/chance.ts'
import { duplicateKeys, normalize, type OutcomeRow } from './outcomes.ts'

/** What to learn from and what to be judged on. */
export interface Split<Row = OutcomeRow> {
  train: readonly Row[]
  test: readonly Row[]
}

const foldCount = 5

/** Five folds by hash, near-duplicates together; every row is judged once. */
export function folds(rows: readonly OutcomeRow[]): Split[] {
  const keys = duplicateKeys(rows)
  return splitBy(rows, row => keys[row]! % foldCount)
}

/** Whole groups left out, another five parts for each `seed`; rows are judged once. */
export function groupFolds({ train, test }: Split, seed: number): Split[] {
  const part = (row: OutcomeRow) => hashText(row.group ?? '', seed) % foldCount
  return Array.from({ length: foldCount }, (_, fold) => ({
    train: train.filter(row => part(row) !== fold),
    test: test.filter(row => part(row) === fold),
  })).filter(split => split.test.length > 0 && split.train.length > 0)
}

/** The first `count` rows by hash of the normalised prompt; the others are the rest. */
export function firstByHash(
  rows: readonly OutcomeRow[],
  count: number,
  seed: number,
): { first: OutcomeRow[]; rest: OutcomeRow[] } {
  const order = rows
    .map(row => ({ row, hash: hashText(row.prompt === undefined ? row.id : normalize(row.prompt), seed) }))
    .sort((a, b) => a.hash - b.hash)
    .map(entry => entry.row)
  return { first: order.slice(0, count), rest: order.slice(count) }
}

function splitBy(rows: readonly OutcomeRow[], foldOf: (row: number) => number): Split[] {
  const parts = Array.from({ length: foldCount }, (): OutcomeRow[] => [])
  for (const [at, row] of rows.entries()) parts[foldOf(at)]!.push(row)
  return parts
    .map((test, fold) => ({ train: parts.filter((_, other) => other !== fold).flat(), test }))
    .filter(split => split.test.length > 0 && split.train.length > 0)
}
