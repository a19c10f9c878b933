/** Rank correlation of two lists of the same length; equal values share their rank. */
export function spearman(one: readonly number[], other: readonly number[]): number {
  const [x, y] = [ranks(one), ranks(other)]
  const middle = (one.length - 1) / 2
  const xy = x.reduce((sum, value, index) => sum + (value - middle) * (y[index]! - middle), 0)
  const square = (values: readonly number[]) => values.reduce((sum, value) => sum + (value - middle) ** 2, 0)
  return xy / Math.sqrt(square(x) * square(y))
}

function ranks(values: readonly number[]): number[] {
  return values.map(
    value => (values.filter(other => other < value).length + values.filter(other => other <= value).length - 1) / 2,
  )
}
