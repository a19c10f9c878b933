import { cueNames, cuesIn } from './cues.ts'
import type { RequestShape } from './shape.ts'

/** Figures of a request that are no words; each in 0..1. */
const shapeNames = [
  'always',
  'tools',
  'manyTools',
  'agentSystem',
  'editBlocks',
  'planMode',
  'smallJob',
  'anySystem',
  'afterResult',
  'failedResult',
  'longResult',
  'laterTurn',
  'image',
  'json',
  'codeBlock',
  'path',
  'question',
  'digits',
  'mathMarks',
  'veryShort',
  'short',
  'long',
  'veryLong',
  'colonEarly',
  'chineseOrJapanese',
  'identifier',
  'bigO',
  'arithmetic',
  'wordProblem',
  'quoted',
  'diff',
  'toolsQuestion',
  'toolsThanks',
  'toolsLater',
  'toolsExplain',
  'toolsPath',
] as const

/** By name, in the order of a feature vector: the cues of the newest words, those of the client's small job, the shape. */
export const featureNames: readonly string[] = [...cueNames, ...cueNames.map(name => `system ${name}`), ...shapeNames]

const headLetters = 900
const tailLetters = 300
const systemLetters = 400
const resultLetters = 3000
const fadedWords = 0.25

const agentSystem =
  /\b(?:repositor|codebase|code base|workspace|terminal|software (?:engineer|task)|coding (?:agent|assistant)|programm|developer|shell)/i
const editBlocks = /SEARCH[\s\S]{0,200}REPLACE|edit blocks?|unified diff/i
const failure =
  /\b(?:error|errors|exception|traceback|failed|failing|FAIL|panic|exit code [1-9]|not found|denied|undefined|cannot|could not|timeout)\b/i
const codeBlock = /```|^\s{0,8}(?:def|class|function|import|const|let|var|public|#include|fn|func)\b|[{};]\s*$/m
const path =
  /(?:^|[\s'"`(])[\w.-]+\/[\w./-]*\.\w{1,5}\b|\b[\w-]+\.(?:ts|tsx|js|jsx|py|go|rs|java|json|md|css|html|toml|ya?ml|c|cpp|rb|php)\b/
const planMode = /\bPLAN MODE\b|plan mode is active/i
/** Quantities, in figures or in words. */
const quantities =
  /\d+|\b(?:two|three|four|five|six|seven|eight|nine|ten|dozens?|half|third|quarter|twice|double|triple)\b/gi
/** From this many on, a question about them is one to calculate. */
const problemQuantities = 3
const askedQuantity =
  /\bhow (?:many|much|long|far|old|tall|fast|often)\b|\b(?:wie ?viele?|combien|cuánt[oa]s?|quant[oaie])\b|\bwhat (?:is|was|will|would|does|percent)/i

const thanksCue = cueNames.indexOf('thanks')
const explainCue = cueNames.indexOf('explain')

/** The features of a request; reads a bounded part of its texts. */
export function featuresOf(shape: RequestShape): Float64Array {
  const features = new Float64Array(featureNames.length)
  const count = cueNames.length
  const { text, system, result, tools } = shape
  const excerpt =
    text.length <= headLetters + tailLetters ? text : `${text.slice(0, headLetters)}\n${text.slice(-tailLetters)}`
  cuesIn(excerpt, features.subarray(0, count))
  // After a tool's result the user's words are those of turns ago.
  if (result !== undefined) for (let cue = 0; cue < count; cue++) features[cue]! *= fadedWords
  // With tools the system prompt describes an agent; without them it may be the whole of a small job.
  if (tools === 0 && system !== '') cuesIn(system.slice(0, systemLetters), features.subarray(count, 2 * count))
  const digits = (excerpt.match(/\d/g) ?? []).length
  const length = text.length
  const opening = system.slice(0, 3 * systemLetters)
  const figures: Record<(typeof shapeNames)[number], boolean | number> = {
    always: true,
    tools: tools > 0,
    manyTools: tools >= 5,
    agentSystem: agentSystem.test(opening),
    editBlocks: tools === 0 && editBlocks.test(opening),
    planMode: planMode.test(system === '' ? excerpt : `${excerpt}\n${system.slice(-systemLetters)}`),
    smallJob: tools === 0 && system !== '' && system.length < systemLetters,
    anySystem: system !== '',
    afterResult: result !== undefined,
    failedResult: result !== undefined && failure.test(result.slice(0, resultLetters)),
    longResult: result !== undefined && result.length > resultLetters,
    laterTurn: shape.userTurns > 1,
    image: shape.image,
    json: shape.json,
    codeBlock: codeBlock.test(excerpt),
    path: path.test(excerpt),
    question: /[?？]\s*$/.test(excerpt),
    digits: Math.min(1, digits / 12),
    mathMarks: /[=^+*/<>≤≥∫√]\s*-?[\d\w(]/.test(excerpt),
    veryShort: length < 30,
    short: length < 100,
    long: length > 400,
    veryLong: length > 4000,
    colonEarly: /^[^\n:：]{0,160}[:：](?:\s|$|[^/\s])/.test(excerpt),
    chineseOrJapanese: /[\u3040-\u30ff\u4e00-\u9fff]/.test(excerpt),
    identifier: /\b[a-z]+[A-Z]\w*|\b[a-z]\w*_[a-z]\w*|\b\w+\(\)|\w::\w/.test(excerpt),
    bigO: /\bO\(/.test(excerpt),
    arithmetic: length < 60 && /^[\s\d.,()+*/^=x×÷-]+\??$/i.test(excerpt),
    wordProblem:
      askedQuantity.test(excerpt) &&
      (excerpt.match(quantities)?.length ?? 0) >= problemQuantities &&
      !codeBlock.test(excerpt),
    quoted: /["“„«「][^"”“»」\n]{2,120}["”“»」]/.test(excerpt),
    diff: /^(?:diff --git|[-+]{3} |@@ )/m.test(excerpt),
    toolsQuestion: tools > 0 && /[?？]\s*$/.test(excerpt),
    toolsThanks: tools > 0 && features[thanksCue]! > 0 && length < 60,
    toolsLater: tools > 0 && shape.userTurns > 1,
    toolsExplain: tools > 0 && features[explainCue]! > 0,
    toolsPath: tools > 0 && path.test(excerpt),
  }
  for (const [at, name] of shapeNames.entries()) features[2 * count + at] = Number(figures[name])
  return features
}
