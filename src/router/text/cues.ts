import { indexWords } from './word-index.ts'

/** Words whose presence says how a question is asked, whatever it is about. Each list is one figure. */
const cueWords = [
  ['not', 'except', 'never', 'least', 'false', 'incorrect'],
  ['following', 'these', 'statements'],
  ['how', 'many', 'much'],
  ['calculate', 'compute', 'find', 'determine', 'approximate', 'approximately', 'probability', 'value', 'evaluate'],
  ['he', 'she', 'his', 'her', 'him', 'man', 'woman', 'patient'],
  ['true', 'correct', 'best'],
  ['both', 'neither', 'none', 'all', 'either'],
  ['if', 'suppose', 'assume', 'let', 'given', 'consider'],
  ['more', 'less', 'fewer', 'than', 'greater'],
  ['each', 'every', 'per'],
  ['remaining', 'left', 'rest', 'total', 'altogether'],
  ['twice', 'half', 'third', 'times', 'percent', 'double'],
  ['would', 'could', 'should', 'might', 'may'],
  ['who', 'when', 'where', 'whose'],
  ['why', 'explain', 'because'],
  ['def', 'function', 'return', 'class', 'import', 'const', 'code', 'python'],
  ['write', 'create', 'implement', 'generate'],
] as const

export const cueCount = cueWords.length

const index = indexWords(cueWords)

/** The cues a word, known by its hash, belongs to. */
export function cuesOf(token: number): readonly number[] | undefined {
  return index.get(token)
}
