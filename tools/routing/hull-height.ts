import type { Point } from '../../src/router/hull.ts'

/** The mean quality that a hull buys between two costs. */
export function meanHeight(hull: readonly Point[], [from, to]: readonly [number, number]): number {
  const steps = 200
  let total = 0
  for (let step = 0; step <= steps; step++) {
    const cost = from + ((to - from) * step) / steps
    total += heightAt(hull, cost)
  }
  return total / (steps + 1)
}

/** The quality that a hull buys at a cost; 0 below its cheapest point. */
function heightAt(hull: readonly Point[], cost: number): number {
  const right = hull.findIndex(point => point.cost >= cost)
  if (right < 0) return hull.at(-1)!.quality
  if (right === 0) return hull[0]!.cost === cost ? hull[0]!.quality : 0
  const a = hull[right - 1]!
  const b = hull[right]!
  return a.quality + ((b.quality - a.quality) * (cost - a.cost)) / (b.cost - a.cost)
}
