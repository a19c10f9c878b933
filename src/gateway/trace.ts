import type { AttemptRecord, RequestRecord } from '../ledger/record.ts'
import type { Model } from '../providers/provider.ts'
import type { Call } from './call.ts'

/** The trace of one request. */
export interface RequestTrace {
  attempt: (model: Model) => AttemptTrace
  end: (record: RequestRecord) => void
}

/** The trace of one attempt. */
export interface AttemptTrace {
  /** The `traceparent` header that its request is sent with (https://www.w3.org/TR/trace-context). */
  traceParent: string
  end: (record: AttemptRecord) => void
}

/** Begins the trace of a request that was received as `call` and asks for `model`. */
export type StartTrace = (call: Call, model: string) => RequestTrace
