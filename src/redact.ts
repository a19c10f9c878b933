const mark = '***'

/** Maximum text examined, as a multiple of what is kept: the patterns below are cheap only on bounded text. */
const headroom = 8

/** A value after a name: quoted (also inside an escaped JSON string), or up to the next space or delimiter. */
const value = String.raw`(?:\\*"[^"]*"?|'[^']*'?|[^\s"',;&(){}[\]\\]+)`
const separator = String.raw`\\*["']?\s*[:=]\s*`
const strongName = String.raw`[\w-]*(?:api[-_ ]?key|secret|password|passwd|credentials?|authorization|(?:access|refresh|auth|id|session|bearer)[-_]?token)[\w-]*`

const secrets: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, mark],
  // Before the names: `Authorization: Bearer abc` has its secret in the second word.
  [/\b(bearer|basic)[ \t]+[\w.~+/=-]{8,}/gi, `$1 ${mark}`],
  [new RegExp(String.raw`\b(${strongName}${separator}(?:(?:bearer|basic)[ \t]+)?)${value}`, 'gi'), `$1${mark}`],
  // `key: 5` and `unexpected token: x` are ordinary prose, so the short names count only before `=` or as a JSON name.
  [new RegExp(String.raw`\b((?:key|token|sig|signature)(?:=|\\*"\s*:\s*))${value}`, 'gi'), `$1${mark}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${mark}@`],
  [/\b(?:sk|pk|rk|gsk|hf|xai|r8|gh[opsu]|github_pat|glpat|xox[abprs]|pplx|nvapi|csk)[-_][\w*.-]{8,}/g, mark],
  [/\bsignalbox_[\w-]{20,}/g, mark],
  [/\bAIza[\w-]{20,}/g, mark],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, mark],
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, mark],
]

/**
 * `text` without what looks like a credential (API keys, bearer tokens, passwords, signed tokens, private keys, the user part
 * of a URL), cut to `maxChars`. For foreign texts that are stored: it prefers hiding a harmless word to leaking a key.
 */
export function redact(text: string, maxChars: number): string {
  const hidden = secrets.reduce(
    (rest, [pattern, replacement]) => rest.replace(pattern, replacement),
    text.slice(0, maxChars * headroom),
  )
  const cut = hidden.length > maxChars ? `${hidden.slice(0, maxChars - 1)}…` : hidden
  return cut.toWellFormed()
}

/** A shorter string is not treated as a secret: hiding it would garble ordinary words. */
const minSecretChars = 8
/** A part of a secret with this many letters and digits is hidden; a shorter one reveals too little. */
const partChars = 8

/**
 * `text` without the known `secret` and without any longer part of it: as it is, in Base64 or percent-encoded, whatever the
 * case of its letters and however spaces or punctuation cut it up.
 */
export function hideSecret(text: string, secret: string): string {
  if (secret.length < minSecretChars) return text
  const plain = text.replaceAll(secret, mark)
  const { letters, places } = lettersOf(plain)
  const parts = partsOf(secret)
  let hidden = ''
  /** End of the hidden text so far. */
  let end: number | undefined
  for (let first = 0; first < letters.length; first++) {
    const length = parts.lengths.find(size => parts.known.has(letters.slice(first, first + size)))
    if (length === undefined) continue
    const start = places[first]!
    if (end === undefined || start > end) hidden += plain.slice(end, start) + mark
    end = places[first + length - 1]! + 1
  }
  return hidden + plain.slice(end)
}

/** Every part of `secret`, in each of its encodings, that would reveal it. */
function partsOf(secret: string): { known: Set<string>; lengths: number[] } {
  const known = new Set<string>()
  const lengths = new Set<number>()
  for (const form of [
    secret,
    encodeURIComponent(secret.toWellFormed()),
    ...[0, 1, 2].map(before => base64Of(secret, before)),
  ]) {
    const { letters } = lettersOf(form)
    const size = Math.min(partChars, letters.length)
    if (size < partChars / 2) continue
    lengths.add(size)
    for (let first = 0; first + size <= letters.length; first++) known.add(letters.slice(first, first + size))
  }
  return { known, lengths: [...lengths] }
}

/** The Base64 characters that depend on `secret` alone when it follows `before` other bytes. */
function base64Of(secret: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)])
  const encoded = bytes.toString('base64').replaceAll('=', '')
  return encoded.slice(Math.ceil((before * 4) / 3), bytes.length % 3 === 0 ? undefined : -1)
}

/** The letters and digits of `text` in lower case, with their positions. */
function lettersOf(text: string): { letters: string; places: number[] } {
  let letters = ''
  const places: number[] = []
  for (const { 0: letter, index } of text.matchAll(/[a-z0-9]/gi)) {
    letters += letter.toLowerCase()
    places.push(index)
  }
  return { letters, places }
}
