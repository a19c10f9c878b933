import type { Operation } from '../operations/operation.ts'

export interface Monitoring {
  /** Extra data in `_meta` beside a tool's result, where clients may read it and no schema is affected. */
  metaFor(operation: Operation<never>): Record<string, unknown> | undefined
}

const reminderIntervalMs = 30 * 60_000

/** Tells agents where work can be monitored: with every tool that starts some, and otherwise at most every half hour. */
export function createMonitoring({ url, now }: { url: () => string; now: () => number }): Monitoring {
  let remindedAt = -Infinity

  return {
    metaFor({ effect }) {
      const meta = {
        ...(effect === 'spend' && { monitoring: monitoringOf(url()) }),
        ...(now() - remindedAt >= reminderIntervalMs && { _server_reminder: reminderOf(url(), now()) }),
      }
      if ('_server_reminder' in meta) remindedAt = now()
      return Object.keys(meta).length === 0 ? undefined : meta
    },
  }
}

function monitoringOf(url: string) {
  return {
    websocketUrl: `${url.replace(/^http/, 'ws')}/ws`,
    activeJobsUri: 'locallama://jobs/active',
    jobProgressUriTemplate: 'locallama://jobs/progress/{jobId}',
    note: 'Connect to websocketUrl for live updates, or use MCP resources.',
  }
}

function reminderOf(monitoringUrl: string, lastCheckedAt: number) {
  return {
    schemaVersion: 1,
    kind: 'monitoring-reminder',
    status: 'reachable',
    scope: 'server-local',
    message: 'Tasks, queue and costs can be monitored in a browser on the machine that runs Signalbox.',
    monitoringUrl,
    lastCheckedAt,
  }
}
