/** One line of Prometheus' text format. */
export interface Sample {
  name: string
  labels: Readonly<Record<string, string>>
  value: number
}

export interface Family {
  type: string
  help: string
  samples: Sample[]
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/y

/** Reads a scrape by the rules of the text format, version 0.0.4; throws at the first line that breaks them. */
export function readExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>()
  if (!text.endsWith('\n')) throw new Error('the last line must end')
  for (const line of text.trimEnd().split('\n')) {
    if (line === '') continue
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      if (families.has(name!)) throw new Error(`${name} is described twice`)
      families.set(name!, { type: '', help: rest!, samples: [] })
    } else if (keyword === 'TYPE') {
      families.get(name!)!.type = rest!
    } else {
      const sample = readSample(line)
      const family = families.get(sample.name) ?? families.get(sample.name.replace(/_(?:bucket|sum|count)$/, ''))
      if (family === undefined) throw new Error(`${sample.name} is not described`)
      family.samples.push(sample)
    }
  }
  return families
}

function readSample(line: string): Sample {
  const [, name, pairs = '', written] = sampleLine.exec(line) ?? []
  if (name === undefined) throw new Error(`not a sample: ${line}`)
  const labels: Record<string, string> = {}
  labelPair.lastIndex = 0
  while (labelPair.lastIndex < pairs.length) {
    const pair = labelPair.exec(pairs)
    if (pair === null) throw new Error(`not labels: ${pairs}`)
    labels[pair[1]!] = pair[2]!
  }
  const value = written === '+Inf' ? Infinity : Number(written)
  if (Number.isNaN(value)) throw new Error(`not a number: ${line}`)
  return { name, labels, value }
}

/** The value of the only sample with these labels; 0 where there is none. */
export function valueOf(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number {
  const all = [...families.values()].flatMap(({ samples }) => samples).filter(sample => sample.name === name)
  const found = all.filter(sample => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
  if (found.length > 1) throw new Error(`${found.length} samples of ${name}`)
  return found[0]?.value ?? 0
}
