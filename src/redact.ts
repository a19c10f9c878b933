const mark = '***'

/** Longest text that is looked at, as a multiple of what is kept: the patterns below are only cheap on bounded text. */
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
  [/\bAIza[\w-]{20,}/g, mark],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, mark],
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, mark],
]

/**
 * `text` without what looks like a credential (API keys, bearer tokens, passwords, signed tokens, private keys, the user part
 * of a URL), cut to `maxChars`. For texts that others wrote and we keep: it would rather hide a harmless word than leak a key.
 */
export function redact(text: string, maxChars: number): string {
  const hidden = secrets.reduce(
    (rest, [pattern, replacement]) => rest.replace(pattern, replacement),
    text.slice(0, maxChars * headroom),
  )
  const cut = hidden.length > maxChars ? `${hidden.slice(0, maxChars - 1)}…` : hidden
  return cut.toWellFormed()
}
