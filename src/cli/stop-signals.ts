const signals = ['SIGINT', 'SIGTERM'] as const

/** Calls `stop` at the first SIGINT or SIGTERM. The second one ends the process at once, as by default. */
export function onStopSignal(stop: () => void): void {
  const first = (): void => {
    for (const signal of signals) process.off(signal, first)
    stop()
  }
  for (const signal of signals) process.on(signal, first)
}
