/** What a policy costs and what it achieves. */
export interface Point {
  /** USD */
  cost: number
  /** Mean score, 0..1. */
  quality: number
}

/** The non-decreasing convex hull: the best quality that mixing `points` buys for each cost, cheapest first. */
export function upperHull(points: readonly Point[]): Point[] {
  const hull: Point[] = []
  for (const point of [...points].sort((a, b) => a.cost - b.cost || b.quality - a.quality)) {
    if (hull.length > 0 && point.quality <= hull.at(-1)!.quality) continue
    while (hull.length >= 2 && slope(hull.at(-2)!, point) >= slope(hull.at(-2)!, hull.at(-1)!)) hull.pop()
    hull.push(point)
  }
  return hull
}

/** The least cost at which `hull` reaches `quality`; infinite when it never does. */
export function interpolateHull(hull: readonly Point[], quality: number): number {
  const right = hull.findIndex(point => point.quality >= quality)
  if (right < 0) return Infinity
  if (right === 0) return hull[0]!.cost
  const a = hull[right - 1]!
  const b = hull[right]!
  return a.cost + ((b.cost - a.cost) * (quality - a.quality)) / (b.quality - a.quality)
}

function slope(from: Point, to: Point): number {
  return (to.quality - from.quality) / (to.cost - from.cost)
}
