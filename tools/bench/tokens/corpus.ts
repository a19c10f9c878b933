/** Numbers in [0, 1) that are the same in every run: a linear congruential generator (Numerical Recipes' constants). */
export type Random = () => number

export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Typical chat text of a length in UTF-16 units: prose, code, JSON, logs and lists, some of it not in English. */
export function chatText(random: Random, length: number): string {
  return grow(length, () => {
    const kind = random()
    if (kind < 0.5) return `${sentence(random)} `
    if (kind < 0.75) return codeLine(random)
    if (kind < 0.85)
      return `{"id":"${hex(random, 8)}","n":${Math.floor(random() * 1e6)},"${word(random)}":[${random().toFixed(4)},null]}\n`
    if (kind < 0.95) return `${sentence(random)}\n\n`
    return `${pick(random, FOREIGN)}\n`
  })
}

/** Edge cases, well-formed or not, that pre-tokenizers and merges get wrong first. */
export function oddText(random: Random, length: number): string {
  return grow(length, () => {
    const kind = random()
    if (kind < 0.6) return pick(random, ODD)
    if (kind < 0.75) return String.fromCodePoint(Math.floor(random() * 0x110000))
    if (kind < 0.85) return String.fromCharCode(Math.floor(random() * 0x10000))
    if (kind < 0.9) return pick(random, ODD).repeat(Math.floor(random() * 60))
    return word(random)
  })
}

/** Worst cases of other token counters and of this one: each of a length in UTF-16 units. */
export const hardTexts: Readonly<Record<string, (random: Random, length: number) => string>> = {
  'one letter': (random, length) => String.fromCharCode(97 + Math.floor(random() * 26)).repeat(length),
  spaces: (_, length) => ' '.repeat(length),
  newlines: (_, length) => '\n'.repeat(length),
  'tabs and spaces': (random, length) => grow(length, () => (random() < 0.5 ? '\t' : ' ')),
  'one sign': (_, length) => '='.repeat(length),
  signs: (random, length) =>
    grow(length, () => pick(random, ['!', '@', '#', '$', '%', '^', '&', '*', '(', ')', '-', '+'])),
  'letters without spaces': (random, length) => grow(length, () => letter(random)),
  'random words': (random, length) => grow(length, () => (random() < 0.12 ? ' ' : letter(random))),
  'Chinese without punctuation': (random, length) => grow(length, () => chinese(random)),
  'Chinese with punctuation': (random, length) => grow(length, () => (random() < 0.1 ? '。' : chinese(random))),
  Thai: (random, length) => grow(length, () => (random() < 0.03 ? ' ' : String.fromCharCode(0x0e01 + random() * 46))),
  emoji: (random, length) => grow(length, () => String.fromCodePoint(0x1f300 + Math.floor(random() * 600))),
  base64: (random, length) => grow(length, () => BASE64[Math.floor(random() * 64)]!),
  hexadecimal: (random, length) => hex(random, length),
  digits: (random, length) => grow(length, () => String(Math.floor(random() * 1e6))),
  'random Unicode': (random, length) => grow(length, () => String.fromCodePoint(Math.floor(random() * 0x110000))),
  'lone surrogates': (random, length) => grow(length, () => String.fromCharCode(0xd800 + random() * 0x800)),
  'combining marks': (_, length) => `a${'\u0301'.repeat(length - 1)}`,
  contractions: (random, length) => grow(length, () => pick(random, ["'s", "'LL", "'re", "''", "'ſ", "x'd"])),
  'special tokens': (_, length) => '<|endoftext|>'.repeat(Math.ceil(length / 13)).slice(0, length),
  chat: chatText,
  odd: oddText,
}

function grow(length: number, next: () => string): string {
  const parts: string[] = []
  for (let total = 0; total < length; total += parts.at(-1)!.length) parts.push(next())
  return parts.join('').slice(0, length)
}

function sentence(random: Random): string {
  const words = Array.from({ length: 4 + Math.floor(random() * 14) }, () => word(random))
  const text = words.join(random() < 0.1 ? ', ' : ' ')
  return text.charAt(0).toUpperCase() + text.slice(1) + pick(random, ['.', '.', '.', '?', '!', ':', ' (see above).'])
}

function word(random: Random): string {
  if (random() < 0.04)
    return pick(random, [
      "don't",
      "it's",
      "I'll",
      "we've",
      'e.g.',
      '87.5%',
      '$4.20',
      '2024-01-31',
      'GPT-4',
      'README.md',
    ])
  if (random() < 0.1)
    return Array.from({ length: 2 + Math.floor(random() * 3) }, () => pick(random, SYLLABLES)).join('')
  return pick(random, WORDS)
}

function codeLine(random: Random): string {
  const name = () => pick(random, WORDS) + pick(random, WORDS).replace(/^./, first => first.toUpperCase())
  return pick(random, [
    () => `    const ${name()} = await ${name()}(${name()}, { retries: ${Math.floor(random() * 10)} });\n`,
    () =>
      `\tif (${name()} !== null && ${name()}.length > 0x${hex(random, 2)}) {\n\t\treturn ${name()}[i]; // ${word(random)}\n\t}\n`,
    () => `def ${pick(random, WORDS)}_${pick(random, WORDS)}(self, *args) -> Optional[str]:\n        pass\n\n`,
    () => `import { ${name()} } from '../${word(random)}/${word(random)}.ts'\n`,
    () =>
      `[2024-0${1 + Math.floor(random() * 9)}-11T10:${10 + Math.floor(random() * 49)}:02.${hex(random, 3)}Z] ERROR ${word(random)}: ${sentence(random)}\n`,
  ])()
}

function hex(random: Random, length: number): string {
  return grow(length, () => Math.floor(random() * 16).toString(16))
}

function letter(random: Random): string {
  return String.fromCharCode(97 + Math.floor(random() * 26))
}

/** One of the commoner Chinese characters. */
function chinese(random: Random): string {
  return String.fromCharCode(0x4e00 + random() * 6000)
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

const WORDS = (
  'the a of to and in is that it for on with as this be are was at by an or from which can not have we you if but what when ' +
  'request model server answer token price quality error message value list file line user system function return test data ' +
  'because before after between without every other should would could please write explain change remove create update why ' +
  'config timeout stream buffer parse index search cache queue retry network memory version release branch commit database'
).split(' ')

const SYLLABLES = [
  'ra',
  'to',
  'mi',
  'kel',
  'von',
  'sha',
  'quin',
  'ber',
  'lo',
  'tash',
  'ne',
  'gri',
  'dor',
  'ux',
  'zan',
  'ph',
]

const FOREIGN = [
  'L’été dernier, l’ordinateur ne répondait plus ; il a fallu redémarrer plusieurs fois.',
  'Größere Änderungen müssen natürlich vorher überprüft werden.',
  '¿Podrías explicarme cómo funciona esta función, por favor?',
  'Пожалуйста, объясните, почему сервер не отвечает на запросы.',
  '请解释一下这段代码为什么会出错，然后给出修改建议。',
  'このエラーの原因を調べて、修正方法を教えてください。',
  '이 함수가 왜 실패하는지 설명해 주세요.',
  'لماذا لا يستجيب الخادم للطلبات؟',
  'कृपया बताइए कि यह काम क्यों नहीं करता।',
  'Great work! 🎉👍🏽 Let’s ship it 🚀',
]

// prettier-ignore
const ODD = [
  ' ', '  ', '\n', '\r\n', '\t', '\u00a0', '\u0085', '\u2028', '\u3000', '\ufeff', '\u0000', "'s", "'S", "'ſ", "'LL", "'ve",
  'A', 'b', 'Word', 'HTTPServer', 'ǅ', 'ʰ', 'é', 'e\u0301', '\u0301', '漢', 'かな', '한국', 'ไทย', 'ا', 'हि', '𝒳', 'ß', 'İ',
  '1', '1234', '٣', '½', '/', '//', '...', '<|endoftext|>', '<|im_start|>', '{"', '"}', '😀', '👩‍👩‍👧', '🇫🇷', '\u200d',
]
