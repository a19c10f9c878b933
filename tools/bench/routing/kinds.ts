import type { Row } from '../../../src/cli/rows.ts'
import { everydayKinds } from '../../../src/router/kinds/model.ts'
import { evaluateKinds } from '../../routing/kinds/evaluate.ts'
import { halves, labelledRequests, type LabelledRequest } from '../../routing/kinds/labelled.ts'

/** How well the shipped router sorts the held-out requests; the confusion matrix has one row for each pair that occurs. */
export function kindRows(): Row[] {
  const { heldOut } = halves(labelledRequests())
  const all = evaluateKinds(heldOut)
  const agents = evaluateKinds(heldOut.filter(isAgents))
  const late = evaluateKinds(heldOut.filter(({ late }) => late === true))
  const foreign = evaluateKinds(heldOut.filter(({ language }) => language !== 'en'))
  return [
    accuracyRow('kinds_accuracy', all),
    { name: 'kinds_macro_f1', value: all.macroF1, unit: 'F1' },
    accuracyRow('agent_kinds_accuracy', agents),
    accuracyRow('kinds_accuracy of requests written after the words were chosen', late),
    accuracyRow('kinds_accuracy in other languages than English', foreign),
    { name: 'kinds_difficulty_accuracy', value: all.difficultyAccuracy, unit: `share of ${all.count}` },
    ...everydayKinds.flatMap(kind =>
      all.confusion
        .filter(entry => entry.kind === kind)
        .sort((a, b) => b.count - a.count)
        .map(({ takenFor, count }) => ({
          name: `kinds ${kind} taken for ${takenFor}`,
          value: count,
          unit: 'requests',
        })),
    ),
  ]
}

/** Requests that agents send of their own accord or with their tools. */
function isAgents({ client }: LabelledRequest): boolean {
  return client !== 'chat-page' && client !== 'assistant-page'
}

function accuracyRow(name: string, { accuracy, count }: { accuracy: number; count: number }): Row {
  return { name, value: accuracy, unit: `share of ${count}`, ...wilson(accuracy, count) }
}

/** Wilson's 95 % interval of a share. */
function wilson(share: number, count: number): { low: number; high: number } {
  const z = 1.96
  const middle = share + z ** 2 / (2 * count)
  const half = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2))
  const scale = 1 + z ** 2 / count
  return { low: (middle - half) / scale, high: (middle + half) / scale }
}
