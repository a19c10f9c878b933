import { deflateRawSync } from 'node:zlib'
import type { Form } from '../../src/router/text/form.ts'
import type { PackedText } from '../../src/router/text/judge.ts'
import type { Landmarks, PackedLandmarks } from '../../src/router/text/landmarks.ts'
import { figureCount } from '../../src/router/text/reading.ts'
import type { PackedScores, PlainScore } from '../../src/router/text/scores.ts'
import type { Vectorizer } from '../../src/router/text/vector.ts'
import type { Linear } from './ridge.ts'

/** Everything learned about texts, before it is packed. */
export interface TextModel {
  vectorizer: Vectorizer
  kinds: readonly string[]
  /** For each kind, in the order of `kinds`. */
  kindScores: readonly Linear[]
  slopes: readonly Linear[]
  levels: readonly Linear[]
  forms: readonly Form[]
  skills: readonly Linear[]
  plainSlope: Linear
}

/** Eight bits a weight; what rounding takes is below what one answer more or less in training changes. */
export function packText(model: TextModel): PackedText {
  const { shape, center, scale } = model.vectorizer
  return {
    shape,
    center: Array.from(center, rounded),
    scale: Array.from(scale, rounded),
    landmarks: packLandmarks(model.vectorizer.landmarks),
    categories: [...model.kinds],
    skills: model.skills.length,
    scores: packScores([...model.kindScores, ...model.slopes, ...model.levels, ...model.skills], model.vectorizer),
    plainSlope: packPlain(model.plainSlope),
    forms: [...model.forms],
  }
}

function packScores(scores: readonly Linear[], { features, rarity }: Vectorizer): PackedScores {
  const rarityStep = Math.max(largest(rarity), 1e-9) / 255
  const words = scores.map(({ words }) => steps(words))
  const waves = scores.map(({ waves }) => steps(waves))
  const stride = scores.length + 1
  const waveCount = scores[0]?.waves.length ?? 0
  const bytes = new Int8Array(rarity.length * stride + waveCount * scores.length)
  for (const [feature, value] of rarity.entries()) {
    bytes[feature * stride] = Math.round(value / rarityStep)
    for (const [index, { values, step }] of words.entries()) {
      bytes[feature * stride + 1 + index] = Math.round(values[feature]! / step)
    }
  }
  const from = rarity.length * stride
  for (let wave = 0; wave < waveCount; wave++) {
    for (const [index, { values, step }] of waves.entries()) {
      bytes[from + wave * scores.length + index] = Math.round(values[wave]! / step)
    }
  }
  return {
    intercepts: scores.map(({ intercept }) => rounded(intercept)),
    wordSteps: words.map(({ step }) => step),
    waveSteps: waves.map(({ step }) => step),
    features: packFeatures(features),
    weights: deflateRawSync(bytes, { level: 9 }).toString('base64'),
    style: packFloats(scores.flatMap(({ style }) => [...style])),
    rarityStep,
  }
}

function packLandmarks({ center, scale, places }: Landmarks): PackedLandmarks {
  return {
    center: Array.from(center, rounded),
    scale: Array.from(scale, rounded),
    places: Buffer.from(places).toString('base64'),
  }
}

function packFloats(values: readonly number[]): string {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, 4 * index)
  return bytes.toString('base64')
}

/** The distances between ascending numbers, seven bits a byte, lowest first. */
function packFeatures(features: Int32Array): string {
  const bytes: number[] = []
  let before = 0
  for (const bucket of features) {
    let step = bucket - before
    for (; step >= 0x80; step >>>= 7) bytes.push((step & 0x7f) | 0x80)
    bytes.push(step)
    before = bucket
  }
  return deflateRawSync(Buffer.from(bytes), { level: 9 }).toString('base64')
}

function packPlain({ intercept, plain }: Linear): PlainScore {
  return {
    intercept: rounded(intercept),
    weights: Array.from({ length: figureCount }, (_, index) => rounded(plain[index] ?? 0)),
  }
}

function steps(values: Float32Array): { values: Float32Array; step: number } {
  return { values, step: Math.max(largest(values), 1e-9) / 127 }
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5
}
