import { familyOf } from './model-families.ts'

/** A number of parameters, as canonical names write it and in billions. */
export interface Size {
  text: string
  billions: number
}

/** The last part of a path or slug, and what follows its colon: a tag of Ollama or an offer of OpenRouter. */
export function parts(text: string): { path: string; suffix: string; latest: boolean } {
  const name = text.slice(0, maxNameLength).trim().toLowerCase()
  const withoutDrive = /^[a-z]:[\\/]/.test(name) ? name.slice(2) : name
  const colon = withoutDrive.lastIndexOf(':')
  const tagged = colon > Math.max(withoutDrive.lastIndexOf('/'), withoutDrive.lastIndexOf('\\'))
  const before = tagged ? withoutDrive.slice(0, colon) : withoutDrive
  const suffix = tagged ? withoutDrive.slice(colon + 1) : ''
  const path = before.slice(Math.max(before.lastIndexOf('/'), before.lastIndexOf('\\')) + 1)
  return { path, suffix: /^\d$/.test(suffix) ? '' : suffix, latest: /(?:^|[-_.])latest$/.test(path) }
}

const quantizationPattern =
  /(?:^|[-_.@ ])((?:ud[-_])?i?q[1-8](?:[-_.](?:0|1|k|s|m|l|xl|xs|xxs|nl))*|(?:nv|mx)?fp(?:4|8|16|32)|b?f(?:16|32)|int[48]|[234568][-_]?bit|awq|gptq|exl[23]|[2-8](?:\.\d+)?bpw|w[48]a(?:4|8|16)|bnb|dwq|qat)(?=$|[-_.@ ])/g

export function withoutQuantization(text: string): { rest: string; quantization: string | undefined } {
  const found: string[] = []
  const rest = text.replaceAll(quantizationPattern, (_, quantization: string) => {
    found.push(quantization)
    return ''
  })
  const bits = found.find(each => /\d/.test(each) && each !== 'qat')
  return { rest, quantization: (bits ?? found[0])?.replaceAll('-', '_') }
}

/** `llama3.2`, `qwen2_5`, `gpt-35` and the like are a family and a version that people wrote together. */
const joined = /^([a-z]{1,12}?)(v?\d[a-z0-9.]*)$/

export function tokenize(text: string): string[] {
  const separate = text
    .replace(/\.gguf$|\.safetensors$|\.bin$/, '')
    .replaceAll(/(\d)p(\d)/g, '$1.$2')
    .replace(/^(?:[a-z]{2}\.)?(?:anthropic|amazon|meta|mistral|cohere|deepseek|ai21|openai|qwen)\./, '')
  return separate
    .replaceAll(/(\d\.\d)v(?=$|[^a-z0-9])/g, '$1-vision')
    .split(/[^a-z0-9.]+/)
    .map(token => token.replaceAll(/^\.+|\.+$/g, ''))
    .filter(token => token !== '')
    .flatMap(token => {
      const found = joined.exec(token)
      if (found === null || isSize(token)) return [token]
      const [, word, number] = found
      return familyOf(word!) === undefined || word === 'o' || (word === 'hy' && number!.length > 1)
        ? [token]
        : [word!, number!]
    })
}

const fullDate = /^20(?:2[0-9])(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/

const monthDay = /^(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/

const yearMonth = /^2[3-9](?:0[1-9]|1[0-2])$/

const twoDigits = /^[0-3]\d$/

/** Takes the release out of the parts of a name. A year stands for itself only next to a month. */
export function withoutDate(tokens: readonly string[]): { tokens: string[]; date: string | undefined } {
  let date: string | undefined
  const rest: string[] = []
  for (let index = 0; index < tokens.length; index++) {
    const [token, next, third] = [tokens[index]!, tokens[index + 1] ?? '', tokens[index + 2] ?? '']
    if (/^20[2-3]\d$/.test(token) && twoDigits.test(next)) {
      const day = twoDigits.test(third)
      date = day ? token + next + third : token.slice(2) + next
      index += day ? 2 : 1
    } else if (index > 0 && /^[01]\d$/.test(token) && /^20[2-3]\d$/.test(next)) {
      date = next.slice(2) + token
      index++
    } else if (index > 0 && /^(?:0[1-9]|1[0-2])$/.test(token) && /^(?:0[1-9]|[12]\d|3[01])$/.test(next)) {
      date = token + next
      index++
    } else if (
      index > 0 &&
      (fullDate.test(token) || /^00\d$/.test(token) || monthDay.test(token) || yearMonth.test(token))
    )
      date = token
    else rest.push(token)
  }
  return { tokens: rest, date }
}

const sizePattern = /^(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)([bmt])$/

export function isSize(token: string): boolean {
  return sizePattern.test(token) && token !== '1m'
}

export function sizeOf(token: string): Size {
  const [, times, number, unit] = sizePattern.exec(token)!
  const billions = Number(times ?? 1) * Number(number) * { b: 1, m: 0.001, t: 1000 }[unit as 'b' | 'm' | 't']
  return { text: unit === 'm' || times !== undefined ? token : `${billions}b`, billions }
}

/** Longer names are cut: what follows says nothing about the model. */
const maxNameLength = 200
