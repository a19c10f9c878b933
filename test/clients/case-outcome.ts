/** How one case of a client ended. */
export interface CaseOutcome {
  /** What went wrong; undefined: it passed. */
  problem?: string
  /** The form of the requests that the client sent. */
  form?: string[]
}
