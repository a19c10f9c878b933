import { setImmediate } from 'node:timers/promises'
import { GatewayError } from '../errors.ts'
import { isObject } from '../json.ts'

/** A shorter body can't hold enough values to take long. */
const minBytes = 256 * 1024
/** Bytes examined before the event loop gets a turn. */
const bytesPerTurn = 2 * 1024 * 1024
/** Parsing takes as long as there are values, not bytes: 3 million small objects in 32 MB take over half a second. */
const maxValues = 300_000
/** Fields of the body itself. The longest API has about fifty; an object of many thousands is slow to parse, check and copy. */
const maxFields = 1_000

const quote = 34
const comma = 44
const bracket = 91
const backslash = 92
const closingBracket = 93
const brace = 123
const closingBrace = 125

/**
 * Throws `request_too_large` for a JSON text of more values, and `invalid_request` for one of more fields, than any request
 * needs, before it is parsed: a parser can't be interrupted. Bodies of any other shape are the parser's to refuse.
 */
export async function requireFewValues(body: Buffer): Promise<void> {
  if (body.length < minBytes) return
  let values = 0
  let fields = 1
  let depth = 0
  let ofObject = false
  let turnAt = bytesPerTurn
  for (let position = 0; position < body.length; position++) {
    const byte = body[position]
    if (byte === quote) position = endOfString(body, position)
    else if (byte === comma) {
      values++
      if (depth === 1 && ofObject && ++fields > maxFields) throw tooManyFields()
    } else if (byte === bracket || byte === brace) {
      values++
      if (depth++ === 0) ofObject = byte === brace
    } else if (byte === closingBracket || byte === closingBrace) depth--
    if (values > maxValues) {
      throw new GatewayError(
        'request_too_large',
        `The request body has more than ${maxValues.toLocaleString('en')} values; send fewer or longer ones.`,
      )
    }
    if (position < turnAt) continue
    await setImmediate()
    turnAt = position + bytesPerTurn
  }
}

/** The same for a body that was short enough to be parsed at once. */
export function requireFewFields(body: unknown): void {
  if (isObject(body) && Object.keys(body).length > maxFields) throw tooManyFields()
}

function tooManyFields(): GatewayError {
  return new GatewayError('invalid_request', `The request body has more than ${maxFields} fields; send fewer.`)
}

/** The position of the quote that closes a string, or the length of the text. */
function endOfString(body: Buffer, start: number): number {
  for (let end = body.indexOf(quote, start + 1); end >= 0; end = body.indexOf(quote, end + 1)) {
    let backslashes = 0
    while (body[end - 1 - backslashes] === backslash) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return body.length
}
