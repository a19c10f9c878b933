import type { Language } from './languages.ts'

/**
 * A text without its credentials: each character of one is replaced by `*`, so that positions stay valid. Undefined for a
 * text that is to be left out as a whole: it contains a private key, or it is data, and not a program, and contains a credential.
 */
export function withoutSecrets(text: string, { kind, name }: Language): string | undefined {
  if (privateKey.test(text)) return undefined
  const isData = kind === 'data' || name === 'text'
  const found = secretsIn(text, isData || unquoted.has(name))
  if (found.length === 0) return text
  return isData ? undefined : masked(text, found)
}

interface Span {
  start: number
  end: number
}

/** Languages in which a value needs no quotes. */
const unquoted = new Set(['shell', 'powershell', 'dockerfile', 'makefile', 'markdown'])

/** A header alone is the text of a program that reads keys; a key has a body. */
const privateKey =
  /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\\nr"'+]{0,20}(?:[A-Za-z-]{1,20}: [^\n]{0,100}\s{1,4}){0,4}[A-Za-z0-9+/=]{40}/

/** Tokens of well-known issuers, recognized by their form alone. */
const tokens = new RegExp(
  `(?<![\\w-])(?:${[
    '(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])', // AWS
    'LTAI[A-Za-z0-9]{16,24}(?![A-Za-z0-9])', // Alibaba
    String.raw`AIza[\w-]{35}|ya29\.[\w-]{20,200}|GOCSPX-[\w-]{28}`, // Google
    String.raw`sk-(?:ant|proj|or|svcacct|admin|lf)-[\w-]{20,300}|sk-[A-Za-z0-9]{32,64}`, // model providers
    'gsk_[A-Za-z0-9]{40,60}|xai-[A-Za-z0-9]{60,90}|r8_[A-Za-z0-9]{36,40}|hf_[A-Za-z0-9]{30,40}|pplx-[A-Za-z0-9]{40,60}|nvapi-[A-Za-z0-9_-]{50,80}',
    String.raw`gh[opsur]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255}|gl(?:pat|ptt|dt|rt|soat|agent|cbt|imt|ft)-[\w-]{20,50}`, // GitHub, GitLab
    String.raw`npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,300}|rubygems_[0-9a-f]{48}|dckr_pat_[\w-]{27}`, // registries
    String.raw`xox[abeoprs](?:\.xox[bp])?-[\w-]{10,250}|xapp-[\w-]{20,250}|hooks\.slack\.com/(?:services|workflows)/[\w/]{30,80}`, // Slack
    String.raw`[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/=]{32,80}|sq0(?:csp|atp)-[\w-]{22,43}|SG\.[\w-]{22}\.[\w-]{43}`, // Stripe, Square, SendGrid
    String.raw`do[oprt]_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|lin_api_[A-Za-z0-9]{40}|ntn_[A-Za-z0-9]{40,60}|PMAK-[0-9a-f-]{40,70}|dapi[0-9a-f]{32}`,
    String.raw`glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|tskey-[\w-]{20,80}|sntrys_[\w=+/.-]{30,300}|sb[ps]_[0-9a-f]{40}|fig[dou]_[\w-]{30,60}|dp\.(?:pt|st|ct)\.[\w.-]{40,60}`,
    String.raw`hv[bsr]\.[\w-]{24,200}|AGE-SECRET-KEY-1[0-9A-Z]{58}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,70}|EAACEdEose0cBA[A-Za-z0-9]{20,250}|key-[0-9a-f]{32}`,
    String.raw`\d{8,10}:AA[\w-]{33}|eyJ[\w-]{15,2000}\.eyJ[\w-]{10,4000}\.[\w-]{20,1000}`, // Telegram, signed JSON
    String.raw`discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,80}|AccountKey=[A-Za-z0-9+/]{80,90}={0,2}`,
  ].join('|')})`,
  'g',
)

/**
 * What stands before the value of a credential: its name, and `: "`, ` = '`, `"] = "`, `: string = "`, `", "`,
 * `" value="` or, without quotes, `=`, `: `, `>`.
 */
const nameOfSecret =
  /(?:passw(?:or)?d|passphrase|(?<![a-z])pwd|secret|token(?!iz)|(?:api|access|account|private|signing|encrypt(?:ion)?|auth|master|storage)[-_]?key|credential|connection[-_]?string|(?<![a-z])_auth)(?=([\w.-]{0,40}))\1(?:["'`]?\]?\s{0,8}(?::\s{0,3}[\w.|[\]]{1,30}\s{0,3}=|:=|=>|[:=>])|["'`]\s{0,4},|["']\s{1,8}value\s{0,3}=)\s{0,8}(?:[bru]?["'`])?$|bearer\s{1,4}$/i
/** Length of text before a value that is searched for its name. */
const maxNameChars = 120

/** The password in `scheme://user:password@host`. */
const urlPassword = /:\/\/[^/:@<>]{0,80}:([^/:@<>${}]{6,200})@(?!localhost|127\.|example|[\w.-]{0,60}\.example)/

function secretsIn(text: string, allowsBare: boolean): Span[] {
  const found: Span[] = []
  forEachWord(text, (start, end) => {
    const word = text.slice(start, end)
    if (word.length >= minTokenChars) {
      for (const { 0: token, index } of word.matchAll(tokens)) {
        if (!placeholder.test(token) && entropyOf(token) > minTokenEntropy) {
          found.push({ start: start + index, end: start + index + token.length })
        }
      }
    }
    const password = urlPassword.exec(word)
    if (password !== null && /\d/.test(password[1]!) && !placeholder.test(password[1]!)) {
      const at = start + password.index + password[0].lastIndexOf(password[1]!)
      found.push({ start: at, end: at + password[1]!.length })
    }
    const isQuoted = isQuote(text[start - 1]) && text[start - 1] === text[end]
    for (const value of isQuoted || !allowsBare ? [{ start: 0, end: word.length }] : bareValues(word)) {
      const from = start + value.start
      if (!isQuoted && !allowsBare && !isBearer(text, from)) continue
      if (!looksRandom(word.slice(value.start, value.end))) continue
      const before = text.slice(Math.max(0, from - maxNameChars), from)
      if (nameOfSecret.test(before)) found.push({ start: from, end: start + value.end })
    }
  })
  return found
}

const minWordChars = 8
const minTokenChars = 20
/** A longer word is examined in pieces, so that no text takes long. */
const maxWordChars = 4_000

/** Calls back for each run of text without spaces, quotes or backslashes that is long enough and contains a digit. */
function forEachWord(text: string, onWord: (start: number, end: number) => void): void {
  let start = 0
  let hasDigit = false
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : space
    if (code >= 48 && code <= 57) hasDigit = true
    const ends = code <= space || code === 34 || code === 39 || code === 96 || code === 92
    if (!ends && at - start < maxWordChars) continue
    if (hasDigit && at - start >= minWordChars) onWord(start, at)
    start = ends ? at + 1 : at
    hasDigit = false
  }
}

const space = 32

function isQuote(character: string | undefined): boolean {
  return character === '"' || character === "'" || character === '`'
}

function isBearer(text: string, start: number): boolean {
  return /bearer\s{1,4}$/i.test(text.slice(Math.max(0, start - 12), start))
}

/** The values within `NAME=value`, `name:value`, `<name>value</name>` and `?name=value&name=value`. */
function bareValues(word: string): Span[] {
  return [...word.matchAll(/(?:^|[=:>])((?!\w{1,80}\.\w{1,80}\()[^=:<>&,;]{12,400}=*)/g)].map(
    ({ 0: all, 1: value, index }) => {
      const end = index + all.length
      return { start: end - value!.length, end }
    },
  )
}

function masked(text: string, spans: readonly Span[]): string {
  let result = ''
  let done = 0
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const from = Math.max(start, done)
    if (end <= from) continue
    result += text.slice(done, from) + '*'.repeat(end - from)
    done = end
  }
  return result + text.slice(done)
}

/** What examples and tests write in place of a credential. */
const placeholder =
  /example|sample|placeholder|change[-_]?(?:me|it|this)|your[-_]|dummy|fake|mock|test|todo|redacted|xxxx|\*\*\*|000000|111111|123456|abcdef|qwerty|foobar|insert|\.\.\.|\$\{|\{\{|<|%\w+%|process\.env|secretref/i

const minTokenEntropy = 2.5
const minEntropy = 3.2

/** Whether a value assigned to the name of a credential is one, not a word, a path, a date or the name of a variable. */
function looksRandom(value: string): boolean {
  if (placeholder.test(value) || /^[$@&%!(]/.test(value) || !/\d/.test(value) || !/[a-z]/i.test(value)) return false
  const mixed = value.length >= 20 && /[a-z]/.test(value) && /[A-Z]/.test(value)
  return (mixed || turnsOf(value) >= 3) && entropyOf(value) >= minEntropy
}

/** How often letters and digits take turns: rarely in words and versions, often in random text. */
function turnsOf(value: string): number {
  return (value.replaceAll(/[^A-Za-z0-9]/g, '').match(/[a-z]+|\d+/gi) ?? []).length - 1
}

/** Shannon entropy in bits per character. */
function entropyOf(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  return -[...counts.values()].reduce((sum, count) => sum + (count / value.length) * Math.log2(count / value.length), 0)
}
