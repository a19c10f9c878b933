import { fences, withoutReasoning } from './extract.ts'

/** The result of applying a reply's edit: the new text, or why it does not apply. */
export type Patched = { text: string; problem?: never } | { problem: string; text?: never }

/** Applies the search/replace blocks of a reply. The search text must occur exactly once. */
export function applySearchReplace(original: string, reply: string): Patched {
  const blocks = [
    ...withoutReasoning(reply).matchAll(/^<{5,9} ?SEARCH[^\n]*\n([^]*?)^={5,9}[ \t]*\n([^]*?)^>{5,9} ?REPLACE/gm),
  ]
  if (blocks.length === 0) return { problem: 'the reply contains no search/replace block' }
  let text = original
  for (const [, search, replace] of blocks) {
    const found = replaceOnce(text, search!, replace!)
    if (found.problem !== undefined) return found
    text = found.text
  }
  return { text }
}

/** Applies a unified diff. Line numbers and counts are ignored, because models get them wrong; context must match once. */
export function applyDiff(original: string, reply: string): Patched {
  const blocks = fences(reply).filter(({ language }) => ['diff', 'patch', 'udiff', ''].includes(language))
  const diff = blocks.length > 0 ? blocks.map(({ body }) => body).join('\n') : withoutReasoning(reply)
  const [, ...hunks] = `\n${diff}`.split(/\n@@[^\n]*/)
  if (hunks.length === 0) return { problem: 'the reply contains no diff' }
  let text = original
  for (const hunk of hunks) {
    const lines = hunk
      .split('\n')
      .slice(1)
      .filter(line => !/^(?:diff |index |--- |\+\+\+ |\\ )/.test(line))
    while (lines.at(-1)?.trim() === '') lines.pop()
    // An empty context line often arrives without its leading space.
    const side = (sign: '-' | '+') =>
      lines
        .filter(line => line === '' || line.startsWith(' ') || line.startsWith(sign))
        .map(line => `${line.slice(1)}\n`)
        .join('')
    if (lines.some(line => line !== '' && !' +-'.includes(line[0]!)))
      return { problem: 'a line of the diff has no sign in front' }
    const found = replaceOnce(text, side('-'), side('+'))
    if (found.problem !== undefined) return found
    text = found.text
  }
  return { text }
}

/** Number of lines added and removed between two texts: their lengths minus the longest common subsequence. */
export function changedLines(before: string, after: string): number {
  const [a, b] = [before.trimEnd().split('\n'), after.trimEnd().split('\n')]
  let row = Array.from({ length: b.length + 1 }, () => 0)
  for (const line of a) {
    const next = [0]
    for (const [index, other] of b.entries()) {
      next.push(line === other ? row[index]! + 1 : Math.max(row[index + 1]!, next[index]!))
    }
    row = next
  }
  return a.length + b.length - 2 * row[b.length]!
}

function replaceOnce(text: string, search: string, replace: string): Patched {
  if (search.trim() === '') return { problem: 'an edit does not say where it belongs' }
  // Trailing spaces are invisible to a model; everything else must be exact.
  const lines = text.split('\n')
  const wanted = search.replace(/\n$/, '').split('\n')
  const starts = lines.flatMap((_, start) =>
    wanted.every((line, offset) => lines[start + offset]?.trimEnd() === line.trimEnd()) ? [start] : [],
  )
  if (starts.length !== 1) {
    return {
      problem: `${starts.length === 0 ? 'not found' : `found ${starts.length} times`}: ${search.slice(0, 80).trim()}`,
    }
  }
  const replacement = replace === '' ? [] : replace.replace(/\n$/, '').split('\n')
  return { text: lines.toSpliced(starts[0]!, wanted.length, ...replacement).join('\n') }
}
