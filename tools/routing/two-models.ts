/**
 * Metrics of a router between a strong and a weak model: which share of the gap it recovers when it sends the share `c` of
 * prompts with the highest score to the strong one. PGR(c) = (q(c) - q_weak) / (q_strong - q_weak).
 */
export interface TwoModelMetrics {
  /** Area under PGR over c in 0..1; 0.5 for a router that knows nothing. */
  apgr: number
  /** The smallest share, in percent, that recovers half of the gap. */
  cpt50: number
  cpt80: number
}

/** Row numbers from the highest score to the lowest; equal scores keep the rows' order. */
export function rankRows(scores: Float64Array): Int32Array {
  const order = Int32Array.from(scores.keys())
  return order.sort((a, b) => scores[b]! - scores[a]! || a - b)
}

/** `gaps` are strong minus weak scores; `weights` count a row several times, for the bootstrap. */
export function twoModelMetrics(order: Int32Array, gaps: Float64Array, weights?: Uint8Array): TwoModelMetrics {
  let total = 0
  let rows = 0
  for (let row = 0; row < gaps.length; row++) {
    const weight = weights === undefined ? 1 : weights[row]!
    total += weight * gaps[row]!
    rows += weight
  }
  let sent = 0
  let gained = 0
  let area = 0
  let cpt50: number | undefined
  let cpt80: number | undefined
  for (const row of order) {
    const gap = gaps[row]!
    for (let copies = weights === undefined ? 1 : weights[row]!; copies > 0; copies--) {
      area += gained + gap / 2
      gained += gap
      sent++
      if (cpt50 === undefined && gained >= total * 0.5) cpt50 = (100 * sent) / rows
      if (cpt80 === undefined && gained >= total * 0.8) cpt80 = (100 * sent) / rows
    }
  }
  return { apgr: area / rows / total, cpt50: cpt50 ?? 100, cpt80: cpt80 ?? 100 }
}
