import { Gauge, type Registry } from 'prom-client'
import type { Core } from '../core.ts'

/** The parts of the core whose state is shown. */
export type StateParts = Pick<
  Core,
  'inventory' | 'slotsOf' | 'conditionOfProvider' | 'gateway' | 'tasks' | 'ledger' | 'version'
>

/** What is going on at the moment of a scrape: servers, slots, queues, tasks and the ledger. */
export function showState(core: StateParts, registry: Registry): void {
  const registers = [registry]
  const { inventory, slotsOf, conditionOfProvider, gateway, tasks, ledger, version } = core

  const one = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  const perProvider = (name: string, help: string, read: (provider: string) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['provider'],
      registers,
      collect() {
        // A provider removed from the settings must not keep its last value.
        this.reset()
        for (const provider of inventory.providers()) this.set({ provider: provider.name }, read(provider.name))
      },
    })
  const providerNamed = (name: string) => inventory.providers().find(provider => provider.name === name)

  new Gauge({ name: 'signalbox_info', help: 'Always 1.', labelNames: ['version'], registers }).set({ version }, 1)
  one('signalbox_requests_active', 'Requests in progress.', () => gateway.active())
  perProvider('signalbox_provider_up', '1 while the server answers, else 0.', name =>
    Number(providerNamed(name)?.health().state === 'up'),
  )
  perProvider('signalbox_provider_breaker_open', '1 while failures keep requests away from the server, else 0.', name =>
    Number(conditionOfProvider(name).state !== 'ready'),
  )
  perProvider(
    'signalbox_provider_models',
    'Models that the server lists.',
    name => providerNamed(name)?.models().length ?? 0,
  )
  perProvider('signalbox_slots', 'Requests that the server may get at once.', name => slotsOf(name).limits().slots)
  perProvider('signalbox_slots_busy', 'Requests that the server is working on.', name => slotsOf(name).busy())
  perProvider('signalbox_queue_length', 'Requests that wait for a slot of the server.', name => slotsOf(name).waiting())
  const byState = new Gauge({
    name: 'signalbox_tasks',
    help: 'Background tasks and benchmarks, by state.',
    labelNames: ['kind', 'state'],
    registers: [],
    collect() {
      const { waiting, running, benchmarksWaiting, benchmarksRunning } = tasks.active()
      this.set({ kind: 'task', state: 'waiting' }, waiting)
      this.set({ kind: 'task', state: 'running' }, running)
      this.set({ kind: 'benchmark', state: 'waiting' }, benchmarksWaiting)
      this.set({ kind: 'benchmark', state: 'running' }, benchmarksRunning)
    },
  })
  registry.registerMetric(byState)
  one('signalbox_ledger_buffered', 'Requests that are not written to the ledger yet.', () => ledger.status().buffered)
  one(
    'signalbox_ledger_lost',
    'Requests lost since the start: the ledger could not be written.',
    () => ledger.status().lost,
  )
  one('signalbox_ledger_writable', '1 while the ledger can be written, else 0.', () =>
    Number(ledger.status().failure === undefined),
  )
}
