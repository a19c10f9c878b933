import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { readOutcomes } from './routing/outcomes.ts'
import { train } from './routing/train.ts'
import { shippedWeightsFile } from '../src/router/weights.ts'

const usage = 'usage: npm run train:router -- [--data DIR] [--out FILE]   (default --data ../shared/evaluation/routing)'

const values = readArguments()
const folder = path.resolve(values.data)
if (existsSync(folder)) {
  const tables = {
    mmlu: readOutcomes(folder, 'mmlu'),
    gsm8k: readOutcomes(folder, 'gsm8k'),
    local9: readOutcomes(folder, 'local9'),
    coding8: readOutcomes(folder, 'coding8'),
  }
  for (const [name, rows] of Object.entries(tables)) console.error(`${name}: ${rows?.length ?? 'absent'}`)
  const weights = train(tables)
  const text = `${JSON.stringify(weights)}\n`
  const file = path.resolve(values.out ?? shippedWeightsFile)
  writeFileSync(file, text)
  console.log(`${path.relative('.', file)}: ${(text.length / 1024).toFixed(0)} KB`)
  console.log(`kinds of tasks recognized by text: ${weights.text.categories.join(', ')}`)
  console.log('kind of task            usual rate  difficulty  output tokens')
  for (const [category, { rate, difficulty, outputTokens }] of Object.entries(weights.kinds)) {
    console.log(
      `${category.padEnd(22)}  ${rate.toFixed(3).padStart(10)}  ${difficulty.toFixed(2).padStart(10)}  ${outputTokens ?? ''}`,
    )
  }
  console.log('model                             ability')
  for (const [name, { ability }] of Object.entries(weights.models).sort(([, a], [, b]) => b.ability - a.ability)) {
    console.log(`${name.padEnd(32)}  ${ability.toFixed(2).padStart(7)}`)
  }
} else {
  console.error(`skipped: there is no folder ${folder}`)
}

function readArguments() {
  try {
    return parseArgs({
      options: { data: { type: 'string', default: '../shared/evaluation/routing' }, out: { type: 'string' } },
    }).values
  } catch (error) {
    console.error(`${(error as Error).message} ${usage}`)
    return process.exit(2)
  }
}
