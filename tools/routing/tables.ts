import { hashText } from '../../src/router/chance.ts'
import type { TrainingTables } from './labelled-rows.ts'
import { duplicateKeys, normalize, readOutcomes, type OutcomeRow } from './outcomes.ts'

export const tableNames = ['mmlu', 'gsm8k', 'local9', 'coding8'] as const
export type TableName = (typeof tableNames)[number]

/** The tables of one folder; absent ones are left out. */
export type Tables = Partial<Record<TableName, readonly OutcomeRow[]>>

/** What to learn from and what to be judged on, near-duplicates of the first left out of the second. */
export interface TableSplit {
  train: Tables & TrainingTables
  test: Tables
}

const foldCount = 5

export function readTables(folder: string): Tables {
  return Object.fromEntries(
    tableNames.flatMap(name => {
      const rows = readOutcomes(folder, name)
      return rows === undefined ? [] : [[name, rows]]
    }),
  )
}

/** Five folds by hash over all tables at once, near-duplicates together, whichever table they are in. */
export function foldsOf(tables: Tables): TableSplit[] {
  const keys = keysOf(tables)
  const part = (keep: (key: number) => boolean) => mapTables(tables, rows => rows.filter(row => keep(keys.get(row)!)))
  return Array.from({ length: foldCount }, (_, fold) => ({
    train: part(key => key % foldCount !== fold),
    test: part(key => key % foldCount === fold),
  })).filter(({ train, test }) => Object.values(train).flat().length > 0 && Object.values(test).flat().length > 0)
}

/** `test` without the near-duplicates of rows of `train`. */
export function splitOf(train: Tables, test: Tables): TableSplit {
  const all = mapNames(name => [...(train[name] ?? []), ...(test[name] ?? [])])
  const keys = keysOf(all)
  const seen = new Set(Object.values(train).flatMap(rows => rows.map(row => keys.get(row)!)))
  return { train, test: mapTables(test, rows => rows.filter(row => !seen.has(keys.get(row)!))) }
}

/** The first `count` rows by hash of the normalized prompt; the others are the rest. */
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

/** Whole groups left out, another five parts for each `seed`; rows are judged once. */
export function groupFolds(train: readonly OutcomeRow[], test: readonly OutcomeRow[], seed: number) {
  const part = (row: OutcomeRow) => hashText(row.group ?? '', seed) % foldCount
  return Array.from({ length: foldCount }, (_, fold) => ({
    train: train.filter(row => part(row) !== fold),
    test: test.filter(row => part(row) === fold),
  })).filter(split => split.test.length > 0 && split.train.length > 0)
}

function keysOf(tables: Tables): Map<OutcomeRow, number> {
  const rows = Object.values(tables).flat()
  const keys = duplicateKeys(rows)
  return new Map(rows.map((row, index) => [row, keys[index]!]))
}

function mapTables(tables: Tables, change: (rows: readonly OutcomeRow[]) => OutcomeRow[]): Tables {
  return mapNames(name => (tables[name] === undefined ? undefined : change(tables[name])))
}

function mapNames(rowsOf: (name: TableName) => OutcomeRow[] | undefined): Tables {
  return Object.fromEntries(
    tableNames.flatMap(name => {
      const rows = rowsOf(name)
      return rows === undefined ? [] : [[name, rows]]
    }),
  )
}
