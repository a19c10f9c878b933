/**
 * Extracts the answer from a reply that may also contain reasoning, prose around a fence, or a second fence with a
 * usage example. Judges nothing; what is missing is `undefined`.
 */

/** The reply without its reasoning, closed or not. */
export function withoutReasoning(reply: string): string {
  return reply
    .replace(/<(think|thinking|reasoning)>[^]*?<\/\1>/g, '')
    .replace(/^[^]*<\/think(?:ing)?>/, '')
    .trim()
}

interface Fence {
  language: string
  body: string
}

/** The fenced blocks of a reply. An unclosed fence (a truncated answer) runs to the end. */
export function fences(reply: string): Fence[] {
  return [
    ...withoutReasoning(reply).matchAll(
      /^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*\n([^]*?)(?:^[ \t]*\1[ \t]*$|(?![^]))/gm,
    ),
  ].map(([, , language, body]) => ({ language: language!.toLowerCase(), body: body!.replace(/\n$/, '') }))
}

/**
 * The code of a reply: of its fences in one of the languages (or none) the last that matches `defines`, else all of
 * them together; without fences the reply itself.
 */
export function codeFrom(reply: string, languages: readonly string[], defines?: RegExp): string {
  const all = fences(reply)
  if (all.length === 0) return withoutReasoning(reply)
  const preferred = all.filter(({ language }) => languages.includes(language))
  const blocks = (preferred.length > 0 ? preferred : all.filter(({ language }) => language === '')).map(
    ({ body }) => body,
  )
  if (blocks.length === 0) return ''
  return (defines && blocks.findLast(block => defines.test(block))) ?? blocks.join('\n\n')
}

/** One line of code (a regular expression, a command): the only fence or inline code, else the only line. */
export function lineFrom(reply: string): string {
  const [fence] = fences(reply)
  if (fence !== undefined) return fence.body.replace(/^\$ /, '').trim()
  const bare = withoutReasoning(reply)
  const inline = [...bare.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)]
  if (inline.length > 0 && (inline.length === 1 || bare.startsWith('`'))) return inline[0]![1]!.trim()
  return bare.replace(/^\$ /, '')
}

/** The JSON value of a reply: all of it, a fence, or the first complete object or array in prose. */
export function jsonFrom(reply: string): unknown {
  const bare = withoutReasoning(reply)
  const blocks = fences(reply).filter(({ language }) => ['json', 'jsonc', ''].includes(language))
  for (const candidate of [bare, ...blocks.map(({ body }) => body), ...embedded(bare)]) {
    try {
      return JSON.parse(candidate) as unknown
    } catch {
      // The next way of reading it may succeed; none is `undefined`.
    }
  }
  return undefined
}

function embedded(text: string): string[] {
  const start = text.search(/[{[]/)
  if (start < 0) return []
  let depth = 0
  let quoted = false
  for (let position = start; position < text.length; position++) {
    const letter = text[position]!
    if (quoted) {
      if (letter === '\\') position++
      else if (letter === '"') quoted = false
    } else if (letter === '"') quoted = true
    else if (letter === '{' || letter === '[') depth++
    else if ((letter === '}' || letter === ']') && --depth === 0) return [text.slice(start, position + 1)]
  }
  return []
}

/**
 * The final answer after a derivation: what follows the last `Answer:` (also bold, also `\boxed{}`), without markup. A
 * reply of a single short line is its own answer.
 */
export function answerFrom(reply: string): string | undefined {
  const bare = withoutReasoning(reply)
  const boxed = [...bare.matchAll(/\\boxed\{([^{}]*)\}/g)].at(-1)?.[1]
  const preferred = [...bare.matchAll(/\banswer\b\s*(?:is|:|=)\s*\**:?\**\s*([^\n]+)/gi)].at(-1)?.[1]
  const only = bare.split('\n').length === 1 && bare.length <= 40 ? bare : undefined
  return (preferred ?? boxed ?? only)
    ?.replace(/\\boxed\{([^{}]*)\}/, '$1')
    .replace(/\\(?:text|mathrm)\{([^{}]*)\}/g, '$1')
    .replace(/[*`$"]|\\[()[\]]/g, '')
    .replace(/[.\s]+$/, '')
    .trim()
}
