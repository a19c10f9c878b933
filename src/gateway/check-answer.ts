import type { CoreValues } from '../config/core-settings.ts'
import { asGatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import { complaintOf, isBinding, type CascadePlan, type Checked, type CheckedBy } from '../router/cascade.ts'
import type { Decision } from '../router/decide.ts'
import type { Knowledge } from '../router/knowledge.ts'
import { judgeOf, testsOf, verifiers, type Verdict } from '../router/verify.ts'
import { redact } from '../redact.ts'
import type { ChatCompletion, ChatRequest } from '../wire/chat/schema.ts'
import type { Call } from './call.ts'
import { judgeAnswer, type AskJudge } from './judge-answer.ts'
import type { Learner } from './learner.ts'
import type { Slots } from './slots.ts'
import { runTests } from './test-command.ts'

export interface CheckRequest {
  call: Call
  request: ChatRequest
  decision: Decision
  plan: CascadePlan
}

/** One answer to be checked. */
export interface CheckSubject {
  request: CheckRequest
  model: Model
  completion: ChatCompletion
  /** Number of this answer within its request, from 1. */
  ordinal: number
  signal: AbortSignal
}

export interface CheckParts {
  knowledge: () => Knowledge
  /** Sends a judge's request through the pipeline. */
  chat: AskJudge
  /** The test commands that the operator allows, and their time limit; read for every check. */
  settings: () => Pick<CoreValues, 'VERIFY_COMMANDS' | 'VERIFY_COMMAND_TIMEOUT_MS'>
  testSlots: Slots
}

const maxReasonChars = 200

/**
 * Runs the checks of a decision on one answer. Checks that cost something are skipped once the answer has failed; only a
 * judge that is still being evaluated runs even after tests have decided, because that comparison is its evaluation.
 */
export async function checkAll(subject: CheckSubject, parts: CheckParts): Promise<Checked> {
  const { request, model, signal } = subject
  const { evidence, policy } = parts.knowledge()
  const verdicts: CheckedBy[] = []
  const checked = { model: model.id, verdicts }
  for (const verifier of request.plan.checks) {
    const binding = isBinding(verifier, evidence, policy)
    if (isExpensive(verifier) && !mayRun(checked, binding)) continue
    try {
      const verdict = bounded(await verdictOf(verifier, subject, parts))
      verdicts.push({ verifier, verdict, binding })
    } catch (error) {
      if (signal.aborted) throw asGatewayError(signal.reason)
      const problem = redact(asGatewayError(error).message, maxReasonChars)
      verdicts.push({ verifier, verdict: undefined, binding, problem })
    }
  }
  return checked
}

/**
 * Learns from the verdicts: how often this model passes each check and, if tests ran, how good the answer was and whether
 * the judges agreed. Returns whether tests ran.
 */
export function learnFrom({ verdicts }: Checked, model: Model, decision: Decision, learner: Learner): boolean {
  for (const { verifier, verdict } of verdicts) {
    if (verdict !== undefined) learner.checked(model, decision, verifier, verdict.accepted)
  }
  const tests = verdicts.filter(({ verifier, verdict }) => testsOf(verifier) !== undefined && verdict !== undefined)
  if (tests.length === 0) return false
  const passed = tests.every(({ verdict }) => verdict?.accepted === true)
  learner.judged(model, decision.measured.categories, 'tests', passed ? 1 : 0)
  for (const { verifier, verdict } of verdicts) {
    if (judgeOf(verifier) !== undefined && verdict !== undefined)
      learner.compared(verifier, verdict.accepted === passed)
  }
  return true
}

function isExpensive(check: string): boolean {
  return testsOf(check) !== undefined || judgeOf(check) !== undefined
}

function mayRun(checked: Checked, binding: boolean): boolean {
  const complaint = complaintOf(checked)
  return complaint === undefined || (!binding && testsOf(complaint.verifier) !== undefined)
}

async function verdictOf(
  check: string,
  { request: { call, request }, model, completion, ordinal, signal }: CheckSubject,
  { chat, settings, testSlots }: CheckParts,
): Promise<Verdict> {
  const { VERIFY_COMMANDS, VERIFY_COMMAND_TIMEOUT_MS } = settings()
  const command = VERIFY_COMMANDS[testsOf(check) ?? '']
  if (command !== undefined) {
    const text = completion.choices.map(({ message }) => message.content ?? '').join('\n')
    if (text === '') return undefined
    const release = await testSlots.acquire(signal)
    try {
      return await runTests(command, text, VERIFY_COMMAND_TIMEOUT_MS, signal)
    } finally {
      release()
    }
  }
  const judge = judgeOf(check)
  if (judge === undefined) return verifiers.find(({ name }) => name === check)?.check(request, completion)
  // No model judges its own answer.
  if (judge === model.id || judge === model.name) return undefined
  return judgeAnswer(chat, judge, { call, request, ordinal }, completion, signal)
}

/** Reasons quote names of fields and tools, which an answer can make arbitrarily long. */
function bounded(verdict: Verdict): Verdict {
  return verdict?.accepted === false ? { accepted: false, why: verdict.why.slice(0, maxReasonChars) } : verdict
}
