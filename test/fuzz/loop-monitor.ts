/**
 * Loaded with `--import` into a served process: measures the longest time for which its event loop was held, and answers
 * each message from the parent with it.
 */
let before = { time: performance.now(), cpuUs: cpuUs() }
let worst = { elapsedMs: 0, cpuMs: 0 }

/** Of the main thread alone: what a busy machine keeps from it does not count, nor does the work of other threads. */
function cpuUs(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

setInterval(() => {
  const now = { time: performance.now(), cpuUs: cpuUs() }
  worst = {
    elapsedMs: Math.max(worst.elapsedMs, now.time - before.time),
    cpuMs: Math.max(worst.cpuMs, (now.cpuUs - before.cpuUs) / 1000),
  }
  before = now
}, 1).unref()

process.on('message', () => {
  process.send?.(worst)
  worst = { elapsedMs: 0, cpuMs: 0 }
})
process.on('disconnect', () => process.exit())
process.channel?.unref()
