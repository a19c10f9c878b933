import { request as send } from 'undici'
import { modelsOf, type QualityModel, type Question } from '../../routing/product.ts'
import type { OutcomeRow } from '../../routing/outcomes.ts'

/** Prompts asked at once: enough to keep the instance busy, few enough not to be turned away. */
const parallel = 8

interface Explained {
  candidates: { model: string; quality: number }[]
}

/**
 * What a running instance predicts for each prompt of `rows` and each of `names`, asked through `POST /v1/route`. Throws
 * where the instance does not answer, or offers no model of such a name.
 */
export async function askServed(
  url: string,
  rows: readonly OutcomeRow[],
  names: readonly string[],
): Promise<QualityModel> {
  const answers = new Map<string, number[]>()
  const left = [...new Set(rows.map(row => row.prompt!))]
  const ask = async () => {
    for (let prompt = left.pop(); prompt !== undefined; prompt = left.pop()) {
      answers.set(prompt, await qualitiesOf(url, prompt, names))
    }
  }
  await Promise.all(Array.from({ length: parallel }, ask))
  return {
    qualities: ({ text }: Question, models) => models.map(({ name }) => answers.get(text!)![names.indexOf(name)]!),
  }
}

/** The largest difference between two predictions for the same prompt and model. */
export function largestDifference(rows: readonly OutcomeRow[], one: QualityModel, other: QualityModel): number {
  const models = modelsOf(Object.keys(rows[0]?.outcomes ?? {}))
  let largest = 0
  for (const { prompt } of rows) {
    const [a, b] = [one.qualities({ text: prompt }, models), other.qualities({ text: prompt }, models)]
    for (const [index, quality] of a.entries()) largest = Math.max(largest, Math.abs(quality - b[index]!))
  }
  return largest
}

async function qualitiesOf(url: string, prompt: string, names: readonly string[]): Promise<number[]> {
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: prompt }] })
  const answer = await send(new URL('/v1/route', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${text.slice(0, 300)}`)
  const { candidates } = JSON.parse(text) as Explained
  return names.map(name => {
    const candidate = candidates.find(({ model }) => model === name || model.endsWith(`/${name}`))
    if (candidate === undefined) throw new Error(`${url} offers no model called '${name}'; serve it under that name.`)
    return candidate.quality
  })
}
