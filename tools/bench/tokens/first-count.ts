import { createTokenCounter } from '../../../src/tokens/counter.ts'
import { chatText, randomFrom } from './corpus.ts'

/** The one-time costs of a process, measured in a fresh one; prints one JSON object. */
const text = chatText(randomFrom(7), 1_000_000)
const rssBefore = process.memoryUsage.rss()
const counter = createTokenCounter()
const startedAt = performance.now()
counter.countText('Hello')
const loadMs = performance.now() - startedAt
const firstAt = performance.now()
counter.countText(text)
const firstMegabyteMs = performance.now() - firstAt
console.log(JSON.stringify({ loadMs, firstMegabyteMs, rssMb: (process.memoryUsage.rss() - rssBefore) / 1e6 }))
