/**
 * The globals of generated JavaScript in addition to the language: a silent console, timers, `structuredClone` and the names
 * of CommonJS. Time is virtual: when nothing else is left to do the clock jumps to the next timer, so that code that waits
 * for an hour is tested in a millisecond, deterministically.
 */
export const prelude = `
{
  const RealDate = Date, stringify = JSON.stringify, isArray = Array.isArray, entries = Object.entries
  let now = 1_700_000_000_000, nextId = 1
  const timers = new Map()
  const add = (callback, delay, every, rest) => {
    const id = nextId++
    timers.set(id, { at: now + Math.max(0, Number(delay) || 0), every, run: () => callback(...rest) })
    return id
  }
  globalThis.setTimeout = (callback, delay = 0, ...rest) => add(callback, delay, undefined, rest)
  globalThis.setInterval = (callback, delay = 0, ...rest) => add(callback, delay, Math.max(1, Number(delay) || 1), rest)
  globalThis.setImmediate = (callback, ...rest) => add(callback, 0, undefined, rest)
  globalThis.clearTimeout = globalThis.clearInterval = globalThis.clearImmediate = id => { timers.delete(id) }
  globalThis.queueMicrotask = callback => { Promise.resolve().then(callback) }
  const tick = () => {
    let first
    for (const [id, timer] of timers) if (first === undefined || timer.at < first[1].at) first = [id, timer]
    if (first === undefined) return false
    const [id, timer] = first
    now = Math.max(now, timer.at)
    if (timer.every === undefined) timers.delete(id)
    else timer.at = now + timer.every
    timer.run()
    return true
  }
  globalThis.Date = class Date extends RealDate {
    constructor(...args) { if (args.length === 0) super(now); else super(...args) }
    static now() { return now }
  }
  globalThis.performance = { now: () => now - 1_700_000_000_000 }
  globalThis.structuredClone = function clone(value, seen = new Map()) {
    if (typeof value === 'function') throw new TypeError('a function cannot be cloned')
    if (typeof value !== 'object' || value === null) return value
    if (seen.has(value)) return seen.get(value)
    if (value instanceof RealDate) return new globalThis.Date(value.getTime())
    if (value instanceof RegExp) return new RegExp(value.source, value.flags)
    const copy = isArray(value) ? [] : value instanceof Map ? new Map() : value instanceof Set ? new Set() : {}
    seen.set(value, copy)
    if (value instanceof Map) for (const [k, v] of value) copy.set(clone(k, seen), clone(v, seen))
    else if (value instanceof Set) for (const v of value) copy.add(clone(v, seen))
    else for (const [k, v] of entries(value)) copy[k] = clone(v, seen)
    return copy
  }
  const silent = () => {}
  globalThis.console = { log: silent, info: silent, warn: silent, error: silent, debug: silent, trace: silent, table: silent }
  globalThis.module = { exports: {} }
  globalThis.exports = globalThis.module.exports
  const describe = thrown =>
    thrown instanceof Error ? thrown.name + ': ' + thrown.message : 'Error: ' + String(thrown)
  const then = Promise.prototype.then, apply = Reflect.apply, isOwn = Object.hasOwn
  const encodable = [Object, Array, String, Number, Boolean, BigInt, Promise].map(({ prototype }) => prototype)
  const describeProperty = Object.getOwnPropertyDescriptor, realEval = globalThis.eval, world = globalThis
  globalThis.__kit = {
    tick,
    // Only a direct call of eval sees the module's scope; a replaced function could forge the results.
    isIntact: () => describeProperty(world, 'eval')?.value === realEval,
    settle: value => {
      const state = { __proto__: null, done: false, error: undefined, value: undefined }
      const fulfil = v => { state.value = v; state.done = true }
      const reject = e => { state.error = describe(e); state.done = true }
      if (value instanceof Promise) apply(then, value, [fulfil, reject])
      else fulfil(value)
      return state
    },
    encode: ({ error, value }) => {
      if (error !== undefined) return stringify({ __proto__: null, error })
      try {
        for (const prototype of encodable)
          if (isOwn(prototype, 'toJSON')) throw new TypeError('toJSON was put on a built-in prototype')
        return stringify({ __proto__: null, value })
      } catch (thrown) {
        return stringify({ __proto__: null, error: describe(thrown) })
      }
    },
  }
}
`
