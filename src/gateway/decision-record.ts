import type { Decision } from '../router/decide.ts'

const mostRanked = 10
const mostDropped = 20

/** What is kept of a decision: who was in question, who was not and why. No word of the prompt. */
export function decisionRecord({ asked, measured, ranked, dropped, reason }: Decision) {
  return {
    asked,
    reason,
    measured,
    ranked: ranked.slice(0, mostRanked).map(model => model.id),
    rankedCount: ranked.length,
    dropped: dropped.slice(0, mostDropped).map(({ model, drop }) => ({ model: model.id, ...drop })),
    droppedCount: dropped.length,
  }
}
