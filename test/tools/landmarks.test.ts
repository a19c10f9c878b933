import fc from 'fast-check'
import t from 'tap'
import { seededRandom } from '../../src/router/chance.ts'
import { createLikeness } from '../../src/router/text/landmarks.ts'
import { readText } from '../../src/router/text/reading.ts'
import { styleCount } from '../../src/router/text/style.ts'
import { clusterCenters } from '../../tools/routing/cluster.ts'
import { fitVectorizer, whiteningOf } from '../../tools/routing/vectorizer.ts'

const shape = { buckets: 1024, waves: 4, sharpness: 1, smoothWeight: 0.25, landmarks: 8 }
const words =
  'the of a which were patients measured slowly because nation basis running asked however cells it our'.split(' ')

function sampleText(random: () => number): string {
  const sentence = () =>
    Array.from({ length: 6 + 10 * random() }, () => words[Math.floor(random() ** 2 * words.length)]).join(' ')
  return `${sentence()}, ${sentence()}?\nA. ${sentence()}\nB. ${sentence()}`
}

const random = seededRandom(3)
const readings = Array.from({ length: 200 }, () => readText(sampleText(random)))
const { landmarks } = fitVectorizer(readings, shape)

t.test('figures of style are numbers within bounds, for any text', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), text => {
      const { style } = readText(text)
      return style.length === styleCount && style.every(figure => figure >= 0 && figure <= 500)
    }),
    { seed: 11 },
  )
  t.pass('200 texts or more')
})

t.test('how a text is written shows, whatever it is about', async t => {
  const style = (text: string) => [...readText(text).style]
  t.strictSame(
    style('The cat of the old man was seen by a dog in Rome.'),
    style('The fox of the bad cop was sold by a hen in Oslo.'),
  )
  t.notSame(style('The cat was seen.'), style('Cats are seeing it.'))
})

t.test('coordinates of likenesses have the inner products of the kernel, and weights can be turned back', async t => {
  const likeness = createLikeness(landmarks)
  const { forward, back } = whiteningOf(landmarks)
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * b[index]!, 0)
  for (const { style } of readings.slice(0, 50)) {
    const raw = likeness(style)
    const coordinates = forward(raw)
    t.ok(dot(coordinates, coordinates) <= 0.25 + 1e-3, 'no more than the likeness to itself')
    const weights = Float32Array.from(raw, () => random() - 0.5)
    t.ok(Math.abs(dot(weights, coordinates) - dot(back(weights), raw)) < 1e-3)
  }
})

t.test('clusters of points that lie in heaps have their centers in the heaps, each time the same', async t => {
  const heaps = [0, 10, 20]
  const points = Array.from({ length: 90 }, (_, index) => Float64Array.of(heaps[index % 3]! + random(), random()))
  const centers = clusterCenters(points, 3, seededRandom(5))
  const places = centers.map(center => Math.round((center[0]! - 0.5) / 10)).sort((a, b) => a - b)
  t.strictSame(places, [0, 1, 2])
  t.strictSame(clusterCenters(points, 3, seededRandom(5)), centers)
})
