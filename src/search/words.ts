import { stem } from './stem.ts'

/**
 * One identifier as the words it is searched by: the stems of its parts, then, if it has several, the whole written
 * together. `HTTPServer_v2` gives `http server v 2 httpserverv2`, so that `http_server_v2` and `HttpServerV2` are one.
 */
export function wordsOf(identifier: string): string[] {
  const parts = partsOf(identifier)
  const words = parts.map(stem)
  if (parts.length > 1) words.push(parts.join('').slice(0, maxWordLength))
  return words
}

/** The parts of an identifier in lower case: cut at underscores, at case changes, and between letters and digits. */
export function partsOf(identifier: string): string[] {
  const parts = identifier.match(plain.test(identifier) ? asciiParts : anyParts) ?? []
  return parts.slice(0, maxParts).map(part => part.toLowerCase().slice(0, maxWordLength))
}

/** All words of a short text, such as a path or a symbol's name, in its order. */
export function wordsOfText(text: string): string[] {
  return (text.match(identifierPattern) ?? []).flatMap(wordsOf)
}

/** Identifiers in a text, as they stand. */
export const identifierPattern = /[\p{L}\p{N}\p{M}_$]+/gu

// Encoded blobs look like one identifier of thousands of parts; nobody asks for those.
const maxWordLength = 64
const maxParts = 24

const plain = /^[\w$]*$/
const asciiParts = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g
// Letters without case (most scripts of Asia) follow the lower-case branch.
const anyParts = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{Lu}+|\p{N}+/gu
