import type { FastifyInstance } from 'fastify'
import type { Inventory } from '../gateway/inventory.ts'
import type { Slots } from '../gateway/slots.ts'
import type { Ledger } from '../ledger/ledger.ts'

export interface HealthRouteParts {
  inventory: Inventory
  ledger: Ledger
  slotsOf: (provider: string) => Slots
  version: string
}

/** `GET /health`: that the process answers, which servers it sees, and whether its books are sound. */
export function health(app: FastifyInstance, { inventory, ledger, slotsOf, version }: HealthRouteParts): void {
  app.get('/health', () => ({
    status: 'ok',
    version,
    providers: inventory.providers.map(provider => {
      const { state, reason, checkedAt } = provider.health()
      const slots = slotsOf(provider.name)
      return {
        name: provider.name,
        state,
        reason: reason ?? null,
        checked_at: checkedAt === 0 ? null : new Date(checkedAt).toISOString(),
        models: provider.models().length,
        busy: slots.busy(),
        waiting: slots.waiting(),
      }
    }),
    ledger: ledger.status(),
  }))
}
