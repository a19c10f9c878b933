import { requests } from './0001-requests.ts'
import { decisions } from './0002-decisions.ts'
import { tasks } from './0003-tasks.ts'
import { agents } from './0004-agents.ts'
import { evidence } from './0005-evidence.ts'
import { callerRequestIds } from './0006-caller-request-ids.ts'
import { charges } from './0007-charges.ts'
import { prices } from './0008-prices.ts'
import { apiKeys } from './0009-api-keys.ts'
import { budgets } from './0010-budgets.ts'

/** One step of the schema. A released step never changes; a later one corrects it. */
export interface Migration {
  /** Counts up from 1 without gaps; stored as `user_version`. */
  version: number
  sql: string
}

/** In order. To change the schema, write the next file and append it here. */
export const migrations: readonly Migration[] = [
  requests,
  decisions,
  tasks,
  agents,
  evidence,
  callerRequestIds,
  charges,
  prices,
  apiKeys,
  budgets,
]
