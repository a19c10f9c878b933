import type { Migration } from './index.ts'

/** The caller's own id of a request, as they sent it in `x-request-id`. */
export const callerRequestIds: Migration = {
  version: 6,
  sql: `
    ALTER TABLE requests ADD COLUMN caller_request_id TEXT;
  `,
}
