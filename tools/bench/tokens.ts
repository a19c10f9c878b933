import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { get_encoding } from 'tiktoken'
import { createTokenCounter, type TokenCounter } from '../../src/tokens/counter.ts'
import { goalRow, type Row } from '../../src/cli/rows.ts'
import { runInRounds } from './rounds.ts'
import { chatText, hardTexts, oddText, type Random, randomFrom } from './tokens/corpus.ts'

/**
 * Token counting compared with tiktoken: whether the counts agree, the time for a conversation with and without the cache,
 * and how long the hardest megabyte blocks the event loop. Every timed text is new to the counter.
 */
function run(rounds: number): Row[] {
  const times = [...conversation(rounds), ...hardest(rounds), ...estimates(rounds), ...firstCount(rounds)]
  // Last, because a process that counts in only one encoding is faster, and Signalbox does.
  return [...agreement(), ...times]
}

/** Texts whose exact count differs from tiktoken's, over both encodings. */
function agreement(): Row[] {
  let compared = 0
  let mismatches = 0
  for (const encoding of ['o200k_base', 'cl100k_base'] as const) {
    const counter = createTokenCounter({ encoding })
    const oracle = get_encoding(encoding)
    const random = randomFrom(1)
    const compare = (text: string) => {
      const count = counter.countText(text)
      compared++
      if (count.exact && count.tokens === oracle.encode_ordinary(text).length) return
      mismatches++
      process.stderr.write(`${encoding} differs on ${JSON.stringify(text.slice(0, 80))}\n`)
    }
    for (let n = 0; n < 3000; n++) compare(oddText(random, Math.floor(random() * 300)))
    for (let n = 0; n < 500; n++) compare(chatText(random, Math.floor(random() * 8000)))
    for (const make of Object.values(hardTexts)) for (const length of [1, 2, 50, 1000]) compare(make(random, length))
    counter.close()
    oracle.free()
  }
  return [
    goalRow({ name: 'mismatches', value: mismatches, unit: 'texts' }, 'at_most', 0),
    { name: 'texts_compared', value: compared, unit: 'texts' },
  ]
}

/** 100 KB of chat in 50 messages: one of them new, all of them new, and the same text in one piece for tiktoken. */
function conversation(rounds: number): Row[] {
  const counter = createTokenCounter()
  const oracle = get_encoding('o200k_base')
  const random = randomFrom(2)
  const newMessageMs: number[] = []
  const coldMs: number[] = []
  const tiktokenMs: number[] = []
  const message = () => ({ role: 'user', content: chatText(random, 2000) })
  for (let round = 0; round < rounds * 10; round++) {
    const messages = Array.from({ length: 50 }, message)
    const text = messages.map(({ content }) => content).join('\n')
    coldMs.push(timed(() => counter.countMessages(arrived(messages))))
    tiktokenMs.push(timed(() => oracle.encode_ordinary(text)))
    for (let turn = 0; turn < 5; turn++) {
      const nextTurn = arrived([
        ...messages.slice(turn + 1),
        ...Array.from({ length: turn }, () => message()),
        message(),
      ])
      // The messages of earlier turns are known; the last is not.
      counter.countMessages(arrived(nextTurn.slice(0, -1)))
      newMessageMs.push(timed(() => counter.countMessages(nextTurn)))
    }
  }
  counter.close()
  oracle.free()
  return [
    goalRow({ name: 'count_100kb_new_message_ms', ...spread(newMessageMs), unit: 'ms' }, 'at_most', 0.2),
    { name: 'count_100kb_cold_ms', ...spread(coldMs), unit: 'ms' },
    { name: 'tiktoken_100kb_ms', ...spread(tiktokenMs), unit: 'ms' },
  ]
}

/** The longest time for a megabyte of each hard kind, as one text or as a request; `high` is the slowest single call. */
function hardest(rounds: number): Row[] {
  const counter = createTokenCounter()
  const random = randomFrom(3)
  const times = Object.fromEntries(Object.keys(hardCalls).map(name => [name, [] as number[]]))
  const cpuMs = Object.fromEntries(Object.keys(hardCalls).map(name => [name, 0]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, prepare] of Object.entries(hardCalls)) {
      const call = prepare(random)
      const before = process.threadCpuUsage()
      const ms = timed(() => call(counter))
      const { user, system } = process.threadCpuUsage(before)
      // The first round runs code that is not compiled yet; `first_1mb_ms` measures that.
      if (round === 0) continue
      times[name]!.push(ms)
      cpuMs[name]! += (user + system) / 1000 / rounds
    }
  }
  counter.close()
  const medians = Object.entries(times).map(([name, ms]) => ({ name, ms: median(ms) }))
  medians.sort((one, other) => other.ms - one.ms)
  for (const { name, ms } of medians) process.stderr.write(`1 MB of ${name}: ${ms.toFixed(2)} ms\n`)
  const slowest = { value: medians[0]!.ms, high: Math.max(...Object.values(times).flat()) }
  return [
    goalRow({ name: 'worst_1mb_ms', ...slowest, unit: 'ms' }, 'at_most', 20),
    // Some systems report a thread's time in steps of 4 ms, so this is a mean; it excludes the time of other programs.
    { name: 'worst_1mb_cpu_ms', value: Math.max(...Object.values(cpuMs)), unit: 'ms' },
  ]
}

type Call = (counter: TokenCounter) => unknown

const hardCalls: Readonly<Record<string, (random: Random) => Call>> = {
  ...Object.fromEntries(
    Object.entries(hardTexts).map(([name, make]) => [
      name,
      (random: Random): Call => {
        const text = make(random, 1_000_000)
        return counter => counter.countText(text)
      },
    ]),
  ),
  'a thousand messages': random => {
    const messages = arrived(Array.from({ length: 1000 }, () => ({ role: 'user', content: chatText(random, 1000) })))
    return counter => counter.countMessages(messages)
  },
  'short messages': random => {
    const messages = arrived(Array.from({ length: 20_000 }, () => ({ role: 'user', content: chatText(random, 20) })))
    return counter => counter.countMessages(messages)
  },
  tools: random => {
    const tools = arrived(
      Array.from({ length: 500 }, () => ({ function: { name: 'x', description: oddText(random, 1500) } })),
    )
    return counter => counter.countMessages([], tools)
  },
}

/** The error of the estimate of a megabyte of chat, and its stated error bound; fractions. */
function estimates(rounds: number): Row[] {
  const oracle = get_encoding('o200k_base')
  const counter = createTokenCounter()
  const random = randomFrom(4)
  const off: number[] = []
  const stated: number[] = []
  for (let round = 0; round < rounds; round++) {
    const text = chatText(random, 1_000_000)
    const { tokens, error } = counter.countText(text)
    off.push(Math.abs(tokens / oracle.encode_ordinary(text).length - 1))
    stated.push(error)
  }
  counter.close()
  oracle.free()
  return [
    { name: 'estimate_1mb_off', ...spread(off), unit: 'fraction' },
    { name: 'estimate_1mb_stated', ...spread(stated), unit: 'fraction' },
  ]
}

/** The costs of a fresh process: loading the vocabulary, its memory, and a first megabyte before code is compiled. */
function firstCount(rounds: number): Row[] {
  const script = path.join(import.meta.dirname, 'tokens', `first-count${path.extname(import.meta.filename)}`)
  const runs = Array.from({ length: rounds }, () => {
    const printed = execFileSync(process.execPath, [script], { encoding: 'utf8' })
    return JSON.parse(printed) as { loadMs: number; firstMegabyteMs: number; rssMb: number }
  })
  return [
    { name: 'load_ms', ...spread(runs.map(each => each.loadMs)), unit: 'ms' },
    { name: 'load_rss_mb', ...spread(runs.map(each => each.rssMb)), unit: 'MB' },
    { name: 'first_1mb_ms', ...spread(runs.map(each => each.firstMegabyteMs)), unit: 'ms' },
  ]
}

/** A copy as from a parsed body: no string has been hashed or flattened before. */
function arrived<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

function timed(work: () => unknown): number {
  const startedAt = performance.now()
  work()
  return performance.now() - startedAt
}

function spread(values: readonly number[]): { value: number; low: number; high: number } {
  return { value: median(values), low: Math.min(...values), high: Math.max(...values) }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1]!
}

await runInRounds('bench:tokens', 5, run)
