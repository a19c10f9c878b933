import { requests } from './0001-requests.ts'
import { decisions } from './0002-decisions.ts'
import { tasks } from './0003-tasks.ts'
import { agents } from './0004-agents.ts'
import { evidence } from './0005-evidence.ts'

/** One step of the schema. A released step never changes; what it got wrong, a later one mends. */
export interface Migration {
  /** Counts up from 1 without a gap; stored as `user_version`. */
  version: number
  sql: string
}

/** In order. To change the schema, write the next file and put its name at the end. */
export const migrations: readonly Migration[] = [requests, decisions, tasks, agents, evidence]
