import { stem } from './stem.ts'

/**
 * The search terms of one identifier: the stems of its parts, then, if it has several, all of it joined.
 * `HTTPServer_v2` gives `http server v 2 httpserverv2`, so that `http_server_v2` and `HttpServerV2` are equal.
 */
export function wordsOf(identifier: string): string[] {
  const parts = partsOf(identifier)
  const words = parts.map(stem)
  if (parts.length > 1) words.push(parts.join('').slice(0, maxWordLength))
  return words
}

/** The parts of an identifier in lower case: split at underscores, at case changes, and between letters and digits. */
export function partsOf(identifier: string): string[] {
  const parts = identifier.match(plain.test(identifier) ? asciiParts : anyParts) ?? []
  return parts.slice(0, maxParts).map(part => part.toLowerCase().slice(0, maxWordLength))
}

/** All words of a short text, such as a path or a symbol's name, in order. */
export function wordsOfText(text: string): string[] {
  return (text.match(identifierPattern) ?? []).flatMap(wordsOf)
}

/** Identifiers in a text, unchanged. */
export const identifierPattern = /[\p{L}\p{N}\p{M}_$]+/gu

// Encoded blobs look like one identifier of thousands of parts; no query contains those.
const maxWordLength = 64
const maxParts = 24

const plain = /^[\w$]*$/
const asciiParts = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g
// Caseless letters (most scripts of Asia) follow the lower-case branch.
const anyParts = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{Lu}+|\p{N}+/gu
