import type { Weights } from '../../../src/router/weights.ts'
import type { OutcomeRow } from '../../routing/outcomes.ts'
import { productOf, type Product } from '../../routing/product.ts'
import { firstByHash, groupFolds, splitOf, type TableName, type TableSplit, type Tables } from '../../routing/tables.ts'
import { train } from '../../routing/train.ts'
import type { Trial } from '../../routing/two-model-gates.ts'

/** One part of the tables, and the product trained on the rest of all of them, as `train:router` does. */
export interface TrainedSplit extends TableSplit {
  weights: Weights
  product: Product
}

/** Trains the product once for each split. */
export function trainSplits(splits: readonly TableSplit[]): TrainedSplit[] {
  return splits.map(split => {
    const weights = train(split.train)
    return { ...split, weights, product: productOf(weights) }
  })
}

/** The trials of one table. */
export function trialsOf(splits: readonly TrainedSplit[], name: TableName): Trial[] {
  return splits.flatMap(({ train, test, product }) => {
    const rows = test[name] ?? []
    return rows.length === 0 ? [] : [{ train: train[name] ?? [], test: rows, product }]
  })
}

/** Trained on the first 1,500 rows of mmlu by hash and nothing else, and judged on `test` or, without one, on the others. */
export function fewLabels(mmlu: readonly OutcomeRow[], test: readonly OutcomeRow[] | undefined, seed: number): Trial[] {
  const { first, rest } = firstByHash(mmlu, 1500, seed)
  return [trial(first, test ?? rest)]
}

/** Trained on some subjects of mmlu and nothing else, judged on the others. */
export function unseenSubjects(mmlu: readonly OutcomeRow[], test: readonly OutcomeRow[], seed: number): Trial[] {
  return groupFolds(mmlu, test, seed).map(part => trial(part.train, part.test))
}

/** Trained on mmlu and nothing else, judged on prompts of another kind. */
export function noLabels(mmlu: readonly OutcomeRow[], gsm8k: readonly OutcomeRow[]): Trial[] {
  const split = splitOf({ mmlu }, { gsm8k })
  return [{ train: mmlu, test: split.test.gsm8k ?? [], product: productOf(train({ mmlu })) }]
}

function trial(rows: readonly OutcomeRow[], others: readonly OutcomeRow[]): Trial {
  const { test }: { test: Tables } = splitOf({ mmlu: rows }, { mmlu: others })
  return { train: rows, test: test.mmlu ?? [], product: productOf(train({ mmlu: rows })) }
}
