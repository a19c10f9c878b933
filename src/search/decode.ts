import { isAscii, isUtf8 } from 'node:buffer'

/** Why a file is left out of the index. */
export type SkipReason =
  'binary' | 'generated' | 'too_large' | 'secret' | 'symlink' | 'unreadable' | 'not_a_file' | 'too_many_files'

/** The text of a file in whatever encoding it is, or why there is none to search. */
export function decode(bytes: Buffer): { text: string } | { skip: SkipReason } {
  const marked = decodeMarked(bytes)
  if (marked !== undefined) return { text: marked }
  if (bytes.subarray(0, sniffedBytes).includes(0)) return { skip: 'binary' }
  return !isUtf8(bytes) && mostlyControl(bytes) ? { skip: 'binary' } : { text: decodeUnmarked(bytes) }
}

/** Some lines of a text that `decode` found to be one. */
export function decodeLines(bytes: Buffer): string {
  return decodeMarked(bytes) ?? decodeUnmarked(bytes)
}

/** Whether a text has two bytes a character, and so newlines in other places than a search for their byte finds. */
export function isWide(bytes: Buffer): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
}

function decodeUnmarked(bytes: Buffer): string {
  return bytes.toString(!isAscii(bytes) && isUtf8(bytes) ? 'utf8' : 'latin1')
}

/** Whether a text was written by a program: by what it says of itself, or by lines no person writes. */
export function isGenerated(path: string, text: string): boolean {
  if (generatedName.test(path)) return true
  if (generatedMark.test(text.slice(0, markWithin))) return true
  return text.length > longLineFrom && text.length / countLines(text) > longLine
}

const sniffedBytes = 8000
const markWithin = 1000
const longLineFrom = 20_000
const longLine = 400

const generatedName =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|cargo\.lock|go\.sum|poetry\.lock|uv\.lock|pdm\.lock|pipfile\.lock|gemfile\.lock|composer\.lock|flake\.lock|podfile\.lock|packages\.lock\.json|mix\.lock|pubspec\.lock)$|\.min\.(?:js|css|mjs)$|\.(?:js|css)\.map$|\.snap$|\.pb\.go$|_pb2(?:_grpc)?\.pyi?$/i
// Only as a comment of its own: a program that writes generated files says these words too.
const generatedMark =
  /^[ \t]*(?:\/\/|#|\*|\/\*|--|<!--|;|"""|%)[^\n]{0,80}(?:@generated\b|\b(?:code |auto-?|automatically |file is |is auto-?)generated\b|\bdo not (?:edit|modify)\b)/im

function decodeMarked(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.toString('utf8', 3)
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2)
  if (bytes[0] !== 0xfe || bytes[1] !== 0xff) return undefined
  const even = Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)))
  return even.swap16().toString('utf16le')
}

function mostlyControl(bytes: Buffer): boolean {
  const head = bytes.subarray(0, sniffedBytes)
  let control = 0
  for (const byte of head) if (byte < 9 || (byte > 13 && byte < 32)) control++
  return control * 20 > head.length
}

function countLines(text: string): number {
  let lines = 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++
  return lines
}
