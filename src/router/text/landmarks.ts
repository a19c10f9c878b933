import { styleCount } from './style.ts'

/** Typical ways of writing, and what figures of style are measured in. */
export interface Landmarks {
  center: Float64Array
  scale: Float64Array
  /** For each landmark `styleCount` figures, in deviations times `landmarkSteps`. */
  places: Int8Array
}

/** Landmarks as they are stored. */
export interface PackedLandmarks {
  center: number[]
  scale: number[]
  /** base64 of `Landmarks.places`. */
  places: string
}

/** Reads stored landmarks. */
export function unpackLandmarks({ center, scale, places }: PackedLandmarks): Landmarks {
  return {
    center: Float64Array.from(center),
    scale: Float64Array.from(scale),
    places: new Int8Array(Buffer.from(places, 'base64')),
  }
}

/** Steps of a landmark's figures to one deviation. */
export const landmarkSteps = 30
/** Beyond this number of deviations a figure only says "far away". */
const maxDeviations = 4
/** Likeness of a text to itself: what style weighs against words, whose vectors have length 1. */
const ownLikeness = 0.25

/** Writes figures of style in deviations from what is usual; one that never varied says nothing. */
export function standardize(
  style: Float64Array,
  { center, scale }: Pick<Landmarks, 'center' | 'scale'>,
  into: Float64Array,
): void {
  for (let index = 0; index < styleCount; index++) {
    const spread = scale[index]!
    const deviations = spread < 1e-9 ? 0 : (style[index]! - center[index]!) / spread
    into[index] = Math.max(-maxDeviations, Math.min(maxDeviations, deviations))
  }
}

/**
 * The likeness of a text's style to each landmark's: a Gaussian kernel, `ownLikeness × exp(−squared distance / styleCount)`. Measures
 * one text at a time.
 */
export function createLikeness(landmarks: Landmarks): (style: Float64Array) => Float32Array {
  const places = Float64Array.from(landmarks.places, step => step / landmarkSteps)
  const count = places.length / styleCount
  const squares = Float64Array.from({ length: count }, (_, landmark) => {
    let sum = 0
    for (let index = 0; index < styleCount; index++) sum += places[landmark * styleCount + index]! ** 2
    return sum
  })
  const figures = new Float64Array(styleCount)
  return style => {
    standardize(style, landmarks, figures)
    let own = 0
    for (let index = 0; index < styleCount; index++) own += figures[index]! * figures[index]!
    const likeness = (landmark: number, product: number) =>
      ownLikeness * Math.exp(-(own + squares[landmark]! - 2 * product) / styleCount)
    const result = new Float32Array(count)
    // Four at a time, so that no sum waits for another.
    for (let landmark = 0; landmark < count; landmark += 4) {
      let a = 0
      let b = 0
      let c = 0
      let d = 0
      const from = landmark * styleCount
      for (let index = 0; index < styleCount; index++) {
        const figure = figures[index]!
        const place = from + index
        a += places[place]! * figure
        b += places[place + styleCount]! * figure
        c += places[place + 2 * styleCount]! * figure
        d += places[place + 3 * styleCount]! * figure
      }
      result[landmark] = likeness(landmark, a)
      result[landmark + 1] = likeness(landmark + 1, b)
      result[landmark + 2] = likeness(landmark + 2, c)
      result[landmark + 3] = likeness(landmark + 3, d)
    }
    return result
  }
}
