import { writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { seededRandom } from '../../src/router/chance.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'

/*
 * A llama-server that answers within some tens of milliseconds. Prints its URL, and ends with its parent.
 * Arguments: a seed.
 */
const random = seededRandom(Number(process.argv[2] ?? '1'))
const upstream = await scriptedUpstream({ teardown: () => undefined }, 'llama-cpp', {
  models: [{ name: 'crash', contextTokens: 32_768 }],
  answer: () => ({
    text: ['Once ', 'upon ', 'a ', 'time.'],
    hold: { before: random() < 0.5 ? 'headers' : 2, until: setTimeout(5 + 60 * random()) },
  }),
})
writeSync(1, `${upstream.url}\n`)
process.stdin.resume()
process.stdin.once('end', () => process.exit(0))
