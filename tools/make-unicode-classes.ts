import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { Tiktoken } from 'tiktoken/lite'
import { CodePointClass, type ClassRun, packRuns } from '../src/tokens/unicode.ts'

/**
 * The class of every code point in tiktoken's own regular expressions, found with tiktoken itself: an encoder whose pattern
 * is one class and whose vocabulary is the 256 bytes returns exactly the characters in that class. V8 uses another version of
 * Unicode, which changes with Node.
 */
export function askTiktoken(): ClassRun[] {
  const classes = new Uint8Array(0x110000)
  const everything = allCodePoints()
  for (const [pattern, codePointClass] of patterns) {
    const encoder = new Tiktoken(bytesAsRanks(), {}, pattern)
    const matched = new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      Uint8Array.from(encoder.encode_ordinary(everything)),
    )
    for (const character of matched) classes[character.codePointAt(0)!] = codePointClass
    encoder.free()
  }
  return runsOf(classes)
}

const patterns: readonly (readonly [string, number])[] = [
  ['\\p{Lu}|\\p{Lt}', CodePointClass.upper],
  ['\\p{Ll}', CodePointClass.lower],
  ['\\p{Lm}|\\p{Lo}', CodePointClass.caseless],
  ['\\p{M}', CodePointClass.mark],
  ['\\p{N}', CodePointClass.number],
  ['\\s', CodePointClass.space],
]

function allCodePoints(): string {
  const parts: string[] = []
  for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
    if (codePoint < 0xd800 || codePoint > 0xdfff) parts.push(String.fromCodePoint(codePoint))
  }
  return parts.join('')
}

function bytesAsRanks(): string {
  const tokens = Array.from({ length: 256 }, (_, byte) => Buffer.of(byte).toString('base64'))
  return `! 0 ${tokens.join(' ')}`
}

function runsOf(classes: Uint8Array): ClassRun[] {
  const runs: ClassRun[] = []
  let start = 0
  for (let codePoint = 1; codePoint <= classes.length; codePoint++) {
    if (classes[codePoint] === classes[start]) continue
    runs.push({ length: codePoint - start, codePointClass: classes[start]! })
    start = codePoint
  }
  return runs
}

if (import.meta.main) {
  const file = path.resolve(import.meta.dirname, '../src/tokens/unicode-classes.json')
  writeFileSync(file, `${JSON.stringify(packRuns(askTiktoken()))}\n`)
  console.error(`wrote ${file}; format it with prettier`)
}
