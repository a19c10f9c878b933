import packed from './unicode-classes.json' with { type: 'json' }

/** The character classes used by the pre-tokenizers' patterns. Titlecase counts as upper; modifier letters as caseless. */
export const CodePointClass = { other: 0, upper: 1, lower: 2, caseless: 3, mark: 4, number: 5, space: 6 } as const

/** This many consecutive code points share a class. */
export interface ClassRun {
  length: number
  codePointClass: number
}

/** Runs as the numbers in `unicode-classes.json`: the length above three bits of class. */
export function packRuns(runs: readonly ClassRun[]): number[] {
  return runs.map(run => (run.length << classBits) | run.codePointClass)
}

const classBits = 3
const classMask = 7

/** One `CodePointClass` a code point, 0 to 0x10FFFF, as tiktoken's regular expressions see it. */
export const codePointClasses: Readonly<Uint8Array> = unpack(packed)

function unpack(runs: readonly number[]): Uint8Array {
  const classes = new Uint8Array(0x110000)
  let codePoint = 0
  for (const run of runs) {
    const length = run >> classBits
    if ((run & classMask) !== 0) classes.fill(run & classMask, codePoint, codePoint + length)
    codePoint += length
  }
  return classes
}
