import { Registry } from 'prom-client'
import type { Core } from '../core.ts'
import { showBudgets, type BudgetParts } from './budget-metrics.ts'
import { watchProcess } from './process-metrics.ts'
import { countRequests } from './request-metrics.ts'
import { showState, type StateParts } from './state-metrics.ts'

/** The metrics of one running Signalbox. */
export interface Metrics {
  /** The content type of what `render` returns. */
  readonly contentType: string
  /** All of them in Prometheus' text format. */
  render: () => Promise<string>
  close: () => void
}

export function createMetrics(core: StateParts & BudgetParts & Pick<Core, 'requests'>): Metrics {
  const registry = new Registry()
  const unwatchProcess = watchProcess(registry)
  showState(core, registry)
  showBudgets(core, registry)
  const unwatchRequests = core.requests.watch(countRequests(registry))
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    close() {
      unwatchRequests()
      unwatchProcess()
      registry.clear()
    },
  }
}
