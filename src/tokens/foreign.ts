import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type * as Lite from 'tiktoken/lite'
import { lastBorder } from './border.ts'
import type { Encoding } from './encoding.ts'

/** The encodings that tiktoken counts itself. */
export type ForeignEncoding = 'gpt2' | 'r50k_base' | 'p50k_base' | 'p50k_edit'

/**
 * tiktoken behind a guard. It takes quadratic time on a long run without spaces, so it is only ever given chunks of a
 * length at which that does not matter; a text that cannot be cut so is not counted further. Special tokens are text.
 */
export function openForeignEncoding(name: ForeignEncoding): Encoding {
  let engine: Lite.Tiktoken | undefined

  return {
    count(text, maxWork) {
      engine ??= startEngine(name)
      let tokens = 0
      let read = 0
      let work = textWork
      while (read < text.length) {
        const end = text.length - read <= longestChunk ? text.length : lastBorder(text, read, read + longestChunk)
        const chunkWork = (end - read) * unitWork
        if (end === read || work + chunkWork > maxWork) break
        tokens += engine.encode_ordinary(text.slice(read, end)).length
        work += chunkWork
        read = end
      }
      return { tokens, read, work }
    },
    loadSlice() {
      engine ??= startEngine(name)
      return true
    },
    close() {
      engine?.free()
      engine = undefined
    },
  }
}

/** Loaded only when such an encoding is used: it compiles WebAssembly. */
function startEngine(name: ForeignEncoding): Lite.Tiktoken {
  const require = createRequire(import.meta.url)
  const lite = require('tiktoken/lite') as typeof Lite
  const encoding = JSON.parse(readFileSync(require.resolve(`tiktoken/encoders/${name}.json`), 'utf8')) as {
    bpe_ranks: string
    special_tokens: Record<string, number>
    pat_str: string
  }
  return new lite.Tiktoken(encoding.bpe_ranks, encoding.special_tokens, encoding.pat_str)
}

/** UTF-16 units; tiktoken takes about a millisecond for one piece of this length. */
const longestChunk = 1024
/** In an encoding's units of work; see `Encoding`. */
const textWork = 3000
const unitWork = 250
