import { familyOf, isTuner, type ModelFamily } from './model-families.ts'
import { isSize, parts, sizeOf, tokenize, withoutDate, withoutQuantization, type Size } from './model-name-parts.ts'

/** What a model is, read from what its server calls it. */
export interface ModelIdentity {
  /**
   * The canonical name: the same however servers, hubs and files write it, without date, quantization, offer and words that
   * change nothing (`instruct`, `chat`, `preview`): `qwen-2.5-coder-7b`, `claude-sonnet-4.5`, `deepseek-v3.1`.
   */
  name: string
  /** Its maker's line of models, which siblings share: `qwen`, `mistral` (also for Codestral), `gpt`. */
  family: string | undefined
  /** What its name begins with: `codestral`, `qwq`, `gpt`. */
  stem: string | undefined
  /** As its maker counts: `4.5`, `v3.1`, `k2`, `4o`. */
  version: string | undefined
  /** Its place in the line and its specialty, in order: `mini`, `sonnet`, `coder`, `thinking`. */
  words: readonly string[]
  /** Billions of parameters; of a mixture of experts all of them. */
  sizeB: number | undefined
  /** Billions of parameters that work on a token, where the name says so. */
  activeB: number | undefined
  /** The release as written: `20241022`, `0613` (month and day) or `2507` (year and month). */
  date: string | undefined
  /** `q4_k_m`, `fp8`, `awq`; undefined where the name does not say. */
  quantization: string | undefined
  /** How much it is to think, where the name says so. */
  effort: 'none' | 'low' | 'medium' | 'high' | undefined
  /** A free offer of a paid model. */
  free: boolean
  /** A name that moves on to newer models: `mistral-large-latest`. */
  latest: boolean
  /** The model it was tuned from, by canonical name, where the name says so. */
  base: string | undefined
}

/**
 * What `text`, a model's id on any kind of server, says about the model: Ollama tags, GGUF file names and paths, slugs of
 * OpenRouter and other hosts, names of the makers' own APIs. Pure and linear in the length of the name.
 */
export function identify(text: string): ModelIdentity {
  const { path, suffix, latest } = parts(text)
  const reading: Reading = { ...nothing(), latest }
  const written = suffix === '' ? path : `${path}-${suffix}`
  const { rest, quantization } = withoutQuantization(written)
  const tokens = tokenize(rest)
  const dated = withoutDate(tokens)
  read(dated.tokens, reading)
  return renamed(resolve({ ...reading, date: dated.date }, quantization))
}

/** Models that are sold under a version and under a release. */
const otherNames: Readonly<Record<string, [name: string, date: string | undefined]>> = {
  'mistral-2-large': ['mistral-large', '2407'],
  'mistral-3-large': ['mistral-large', '2512'],
  'mistral-3-medium': ['mistral-medium', '2505'],
  'mistral-3.1-medium': ['mistral-medium', '2508'],
  'mistral-3.5-medium': ['mistral-medium', '2604'],
  'mistral-3-small-24b': ['mistral-small-24b', '2501'],
  'mistral-3.1-small-24b': ['mistral-small', '2503'],
  'mistral-3.2-small-24b': ['mistral-small', '2506'],
  'phi-4-14b': ['phi-4', undefined],
  'phi-3.5-3.8b': ['phi-3.5-mini', undefined],
  'mistral-nemo-12b': ['mistral-nemo', undefined],
  'command-r-35b': ['command-r', undefined],
  'phi-3.5-mini-3.8b': ['phi-3.5-mini', undefined],
  'phi-4-mini-3.8b': ['phi-4-mini', undefined],
  'phi-3-3.8b': ['phi-3-mini', undefined],
  'phi-3-14b': ['phi-3-medium', undefined],
}

function renamed(identity: ModelIdentity): ModelIdentity {
  const other = Object.hasOwn(otherNames, identity.name) ? otherNames[identity.name] : undefined
  return other === undefined ? identity : { ...identity, name: other[0], date: identity.date ?? other[1] }
}

/** The canonical name alone. */
export function canonicalName(text: string): string {
  return identify(text).name
}

/**
 * What evidence about a model is kept under: canonical name and release, and `weights`, its digest or else its quantization,
 * where its server tells: the same weights on two endpoints are one model, others are another.
 */
export function evidenceKey(text: string, weights: string | undefined): string {
  const { name, date, effort } = identify(text)
  const model = [name, date, effort].filter(part => part !== undefined).join('-')
  return weights === undefined ? model : `${model}@${weights}`
}

interface Reading {
  families: { family: ModelFamily; version: string | undefined }[]
  /** Until a family is found; the whole name where none is. */
  unknown: string[]
  words: string[]
  size: Size | undefined
  activeB: number | undefined
  experts: boolean
  effort: ModelIdentity['effort']
  free: boolean
  latest: boolean
}

function nothing(): Reading {
  return {
    families: [],
    unknown: [],
    words: [],
    size: undefined,
    activeB: undefined,
    experts: false,
    effort: undefined,
    free: false,
    latest: false,
  }
}

const noise = new Set(
  'instruct chat base it gguf ggml mlx preview exp experimental hf online nitro floor extended exacto cloud latest dev api text model models server default multimodal unsloth bartowski lmstudio community groq inst ft function calling fc prompt adaptive meta c4ai nvidia amazon ibm microsoft google openai xai ai mistralai tool tools quantized hd dense us eu apac moe orpo dpo sft rlhf deepinfra fireworks together cerebras'.split(
    ' ',
  ),
)

/** Words of hosts, not of makers, on models with open weights. */
const hostWords = new Set(['turbo', 'versatile', 'instant', 'lite', 'fast', 'specdec'])

const synonyms: Readonly<Record<string, string>> = {
  vl: 'vision',
  v: 'vision',
  visual: 'vision',
  think: 'thinking',
  reasoning: 'thinking',
  reasoner: 'thinking',
  code: 'coder',
  uncensored: 'abliterated',
}

const specialties = ['distill', 'math', 'coder', 'vision', 'omni', 'audio', 'fast', 'thinking', 'abliterated']

/** Where `medium` is an effort and not a size. */
const thinksByEffort = new Set(['gpt', 'o', 'claude', 'gemini', 'gpt-oss', 'grok'])

function read(tokens: readonly string[], reading: Reading): void {
  for (let position = 0; position < tokens.length; position++) {
    const token = tokens[position]!
    const family = familyAt(tokens, position)
    if (family !== undefined && !(family.stem === 'phi' && token !== 'phi')) {
      const extra = family.stem === 'gpt-oss' ? 1 : 0
      const version = versionAfter(tokens, position + extra, family.stem)
      reading.families.push({ family, version: version.text })
      position += extra + version.length
    } else if (token === 'chatgpt') {
      reading.words.push(token)
      if (reading.families.length === 0) {
        const version = versionAfter(tokens, position, 'gpt')
        reading.families.push({ family: familyOf('gpt')!, version: version.text })
        position += version.length
      }
    } else if (isSize(token)) readSize(sizeOf(token), reading)
    else if (!readParameter(token, reading)) position += readWord(tokens, position, reading)
  }
}

function familyAt(tokens: readonly string[], position: number): ModelFamily | undefined {
  const token = tokens[position]!
  if (token === 'gpt' && tokens[position + 1] === 'oss') return familyOf('gpt-oss')
  if (/^o[1-9]$/.test(token)) return familyOf('o')
  if (token === 'command' || token === 'o' || token === 'nova' || token === 'palm' || token === 'solar') {
    return token === 'o' ? undefined : familyOf(token)
  }
  return familyOf(token)
}

/** The version that follows a family's name, however it is written: `3.1`, `3-1`, `v3`, `k2-5`, `4o`. */
function versionAfter(
  tokens: readonly string[],
  position: number,
  stem: string,
): { text: string | undefined; length: number } {
  if (stem === 'o') return { text: tokens[position]!.slice(1), length: 0 }
  const next = tokens[position + 1]
  if (next === undefined || !/^(?:v|k|m|r|z)?\d{1,3}(?:\.\d{1,2})*[on]?$/.test(next)) {
    return { text: undefined, length: 0 }
  }
  const minor = tokens[position + 2]
  if (minor !== undefined && /^[a-z]?\d$/.test(next) && /^\d$/.test(minor))
    return { text: `${next}.${minor}`, length: 2 }
  return { text: stem === 'gpt' && next === '35' ? '3.5' : next, length: 1 }
}

function readSize(size: Size, reading: Reading): void {
  if (reading.size === undefined) reading.size = size
  else if (size.billions < reading.size.billions && reading.activeB === undefined) reading.activeB ??= size.billions
}

/** Parts of a name that are numbers in disguise: active parameters, experts, lengths of context. */
function readParameter(token: string, reading: Reading): boolean {
  const active = /^a(\d{1,3}(?:\.\d)?)b$/.exec(token)
  if (active !== null) reading.activeB = Number(active[1])
  const effective = /^e(\d)b$/.exec(token)
  if (effective !== null) reading.size = { text: `${effective[1]}b`, billions: Number(effective[1]) }
  const experts = /^\d{1,3}e$/.test(token)
  if (experts) reading.experts = true
  return active !== null || effective !== null || experts || /^\d{1,4}k$|^1m$|^0$/.test(token)
}

/** Reads the word at `at`; returns how many more parts it took. */
function readWord(tokens: readonly string[], position: number, reading: Reading): number {
  const token = tokens[position]!
  const next = tokens[position + 1] ?? ''
  const stem = reading.families[0]?.family.stem
  if (token === 'free') reading.free = true
  else if ((token === 'no' || token === 'non') && /^(?:thinking|reasoning|think)$/.test(next)) {
    reading.effort = 'none'
    return 1
  } else if (token === 'nothinking' || token === 'nonthinking') reading.effort = 'none'
  else if (token === 'highthinking') reading.effort = 'high'
  else if (
    /^x?high$|^low$|^minimal$|^max$/.test(token) &&
    stem !== undefined &&
    isEffort(token, stem, tokens, position)
  ) {
    reading.effort = token === 'low' || token === 'minimal' ? 'low' : 'high'
  } else if (token === 'medium' && stem !== undefined && thinksByEffort.has(stem)) reading.effort = 'medium'
  else if (token === 'effort' || token === 'auto' || noise.has(token)) return 0
  else if (token === 'beta' && reading.families[0]?.version !== undefined) return 0
  else if (/^v\d{1,2}(?:\.\d+)?$/.test(token) || (/^\d{1,2}(?:\.\d{1,2})*$/.test(token) && token !== '1')) {
    return readNumber(tokens, position, reading)
  } else if (token !== '1')
    (reading.families.length > 0 ? reading.words : reading.unknown).push(synonyms[token] ?? token)
  return 0
}

function isEffort(token: string, stem: string, tokens: readonly string[], position: number): boolean {
  if (token !== 'max') return true
  return (stem === 'gpt' || stem === 'claude') && tokens[position + 1] === 'effort'
}

/** A number that does not follow its family's name: Claude's and Mistral's versions stand after the word. */
function readNumber(tokens: readonly string[], position: number, reading: Reading): number {
  const last = reading.families.at(-1)
  const token = tokens[position]!.replace(/^v/, '')
  const minor = tokens[position + 1]
  const pair = /^\d$/.test(token) && minor !== undefined && /^\d$/.test(minor)
  const version = pair ? `${token}.${minor}` : token
  if (last === undefined) reading.unknown.push(version)
  else if (last.version === undefined) last.version = version
  return pair ? 1 : 0
}

function resolve(reading: Reading & { date: string | undefined }, quantization: string | undefined): ModelIdentity {
  const main = reading.families.find(({ family }) => isTuner(family.stem)) ?? reading.families[0]
  const rest = {
    quantization,
    effort: reading.effort,
    free: reading.free,
    latest: reading.latest && main?.version === undefined,
    date: reading.date,
  }
  if (main === undefined) {
    const words = [...reading.unknown, ...reading.words]
    const name = [...words, ...(reading.size === undefined ? [] : [reading.size.text])].join('-') || 'unknown'
    return {
      name: name === 'unknown' && reading.date !== undefined ? reading.date : name,
      family: undefined,
      stem: undefined,
      version: undefined,
      words,
      sizeB: reading.size?.billions,
      activeB: reading.activeB,
      base: undefined,
      ...rest,
    }
  }
  const { stem, family } = main.family
  const open = ['llama', 'qwen', 'gemma', 'deepseek', 'mixtral', 'hermes', 'gpt-oss'].includes(stem)
  const size = reading.experts && stem === 'llama' ? undefined : reading.size
  const version = versionText(main.version, stem)
  // Ollama writes the size of models that have only one, others leave it out.
  const isWhole = (stem === 'deepseek' || stem === 'kimi') && size !== undefined && size.billions >= 600
  const distilled =
    stem === 'deepseek' &&
    (reading.families.length > 1 || (version === 'r1' && size !== undefined && size.billions <= 70))
  const said = open && size !== undefined ? reading.words.filter(word => !hostWords.has(word)) : reading.words
  const words = ordered([
    ...said,
    ...(distilled ? ['distill'] : []),
    ...(isTurbo(version, stem, said, reading.date) ? ['turbo'] : []),
  ])
  const base = reading.families.find(each => each !== main)
  return {
    name: nameOf(stem, version, words, isWhole ? undefined : size),
    family,
    stem,
    version,
    words,
    sizeB: size?.billions,
    activeB: reading.activeB ?? (reading.experts ? reading.size?.billions : undefined),
    base:
      base === undefined ? undefined : nameOf(base.family.stem, versionText(base.version, base.family.stem), [], size),
    ...rest,
  }
}

/** The place in the line as written, then specialties in one order, each once. */
function ordered(words: readonly string[]): string[] {
  const unique = [...new Set(words)]
  return [
    ...unique.filter(word => !specialties.includes(word)),
    ...specialties.filter(specialty => unique.includes(specialty)),
  ]
}

/** The previews of GPT-4 Turbo were called GPT-4. */
function isTurbo(
  version: string | undefined,
  stem: string,
  words: readonly string[],
  date: string | undefined,
): boolean {
  return (
    stem === 'gpt' &&
    version === '4' &&
    (words.includes('vision') || (words.length === 0 && /1106$|0125$/.test(date ?? '')))
  )
}

/** `v` is written only by those who always write it. */
function versionText(version: string | undefined, stem: string): string | undefined {
  if (version === undefined) return undefined
  if (stem === 'mixtral') return undefined
  const bare = version.replace(/^v/, '').replace(/\.0$/, '')
  return stem === 'deepseek' && /^\d/.test(bare) ? `v${bare}` : bare
}

function nameOf(stem: string, version: string | undefined, words: readonly string[], size: Size | undefined): string {
  const versioned = stem === 'o' ? [`o${version}`] : version === undefined ? [stem] : [stem, version]
  const line = words.filter(word => !specialties.includes(word))
  const special = words.filter(word => specialties.includes(word))
  const front = stem === 'claude' ? [stem, ...line, ...versioned.slice(1), ...special] : [...versioned, ...words]
  return [...front, ...(size === undefined ? [] : [size.text])].join('-')
}
