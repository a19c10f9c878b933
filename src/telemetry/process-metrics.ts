import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

const loopResolutionMs = 20

/**
 * The process itself, under the names that dashboards for Node expect. The client library's own collection can't be ended.
 * The event loop is watched from the first scrape on: watching wakes the processor fifty times a second.
 */
export function watchProcess(registry: Registry): () => void {
  // They belong to this registry alone.
  const registers: Registry[] = []
  let delay: ReturnType<typeof monitorEventLoopDelay> | undefined

  registry.registerMetric(
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'Processor time used, in seconds.',
      registers,
      collect() {
        const { user, system } = process.cpuUsage()
        this.reset()
        this.inc((user + system) / 1e6)
      },
    }),
  )
  registry.registerMetric(
    new Gauge({
      name: 'process_start_time_seconds',
      help: 'When the process started, in seconds since the epoch.',
      registers,
      collect() {
        this.set(Math.round(performance.timeOrigin / 1000))
      },
    }),
  )
  const memory = {
    process_resident_memory_bytes: ['Memory that is resident.', ({ rss }: NodeJS.MemoryUsage) => rss],
    nodejs_heap_size_used_bytes: ['JavaScript heap in use.', ({ heapUsed }: NodeJS.MemoryUsage) => heapUsed],
    nodejs_heap_size_total_bytes: ['JavaScript heap reserved.', ({ heapTotal }: NodeJS.MemoryUsage) => heapTotal],
    nodejs_external_memory_bytes: [
      'Memory of buffers and native code.',
      ({ external }: NodeJS.MemoryUsage) => external,
    ],
  } as const
  for (const [name, [help, read]] of Object.entries(memory)) {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read(process.memoryUsage()))
        },
      }),
    )
  }
  registry.registerMetric(
    new Gauge({
      name: 'nodejs_eventloop_lag_seconds',
      help: 'How late the event loop ran since the last scrape, by quantile; 1 is the maximum.',
      labelNames: ['quantile'],
      registers,
      collect() {
        if (delay === undefined) {
          delay = monitorEventLoopDelay({ resolution: loopResolutionMs })
          delay.enable()
        }
        for (const quantile of [0.5, 0.99, 1]) {
          // Without a sample the histogram has no percentile.
          const late = delay.count === 0 ? 0 : delay.percentile(100 * quantile) / 1e6 - loopResolutionMs
          this.set({ quantile }, Math.max(0, late) / 1000)
        }
        delay.reset()
      },
    }),
  )
  return () => delay?.disable()
}
