const rounds = 10

/**
 * Centers of `count` clusters of points: k-means (Lloyd 1982) from seeds chosen by squared distance (Arthur and Vassilvitskii
 * 2007). Where there are fewer points than clusters, centers repeat.
 */
export function clusterCenters(points: readonly Float64Array[], count: number, random: () => number): Float64Array[] {
  const centers = seedsOf(points, count, random)
  for (let round = 0; round < rounds; round++) {
    const sums = centers.map(center => new Float64Array(center.length))
    const members = new Float64Array(count)
    for (const point of points) {
      const nearest = nearestOf(point, centers)
      members[nearest]!++
      const sum = sums[nearest]!
      for (let index = 0; index < point.length; index++) sum[index]! += point[index]!
    }
    for (const [place, sum] of sums.entries()) {
      if (members[place]! > 0) centers[place] = sum.map(value => value / members[place]!)
    }
  }
  return centers
}

function seedsOf(points: readonly Float64Array[], count: number, random: () => number): Float64Array[] {
  const seeds = [points[Math.floor(random() * points.length)]!]
  const nearest = Float64Array.from(points, point => squaredDistance(point, seeds[0]!))
  while (seeds.length < count) {
    let left = random() * nearest.reduce((sum, value) => sum + value, 0)
    let place = 0
    while (place < points.length - 1 && (left -= nearest[place]!) > 0) place++
    const seed = points[place]!
    seeds.push(seed)
    for (const [index, point] of points.entries()) {
      nearest[index] = Math.min(nearest[index]!, squaredDistance(point, seed))
    }
  }
  return seeds
}

function nearestOf(point: Float64Array, centers: readonly Float64Array[]): number {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (const [place, center] of centers.entries()) {
    const distance = squaredDistance(point, center, least)
    if (distance < least) {
      least = distance
      best = place
    }
  }
  return best
}

/** Stops counting beyond `enough`. */
function squaredDistance(one: Float64Array, other: Float64Array, enough = Number.POSITIVE_INFINITY): number {
  let sum = 0
  for (let index = 0; index < one.length && sum < enough; index++) sum += (one[index]! - other[index]!) ** 2
  return sum
}
