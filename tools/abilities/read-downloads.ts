import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { readCsv } from './csv.ts'
import type { Facts, ModelFact, Score } from './facts.ts'

type Read = Pick<Facts, 'scores' | 'models'>

/**
 * Reads the public files in `folder`: clones of the repositories in sources.json, each in a folder with the repository's
 * name. A missing repository is skipped.
 */
export function readDownloads(folder: string): Read {
  const readers: Readonly<Record<string, (repository: string) => Partial<Read>>> = {
    'new-livebench': readLiveBench,
    'arena-catalog': readArena,
    'arena-ai-leaderboards': readArenaSnapshot,
    aider: readAider,
    'evalplus.github.io': readEvalPlus,
    'benchmark-stitching': readEpoch,
    'llm-leaderboard': readLlmStats,
    'models.dev': readModelsDev,
    modelrank_ai: readOpenLlmLeaderboard,
  }
  const read = Object.entries(readers)
    .map(([name, reader]) => [path.join(folder, name), reader] as const)
    .filter(([repository]) => existsSync(repository))
    .map(([repository, reader]) => reader(repository))
  return { scores: read.flatMap(({ scores }) => scores ?? []), models: read.flatMap(({ models }) => models ?? []) }
}

const liveBenchReleases = [
  '2024_06_24',
  '2024_08_31',
  '2024_11_25',
  '2025_04_25',
  '2025_05_30',
  '2025_11_25',
  '2026_01_08',
  '2026_06_25',
]

/** Averages of LiveBench's categories, by release, because each release has new questions. */
function readLiveBench(repository: string): Partial<Read> {
  const scores = liveBenchReleases.flatMap(release => {
    const categories = readJson(repository, `public/categories_${release}.json`) as Record<string, string[]>
    return readCsv(read(repository, `public/table_${release}.csv`)).flatMap(row =>
      Object.entries(categories).flatMap(([category, tasks]) => {
        const known = tasks.map(task => row[task] ?? '').filter(text => text !== '')
        if (known.length < tasks.length) return []
        const score = known.reduce((sum, text) => sum + Number(text), 0) / known.length / 100
        const benchmark = `livebench-${release.replaceAll('_', '-')}-${category.toLowerCase().replaceAll(' ', '-')}`
        return [{ benchmark, model: row['model']!, score }]
      }),
    )
  })
  return { scores }
}

const arenaBoards: Readonly<Record<string, string>> = {
  full: 'arena-2025-12',
  coding: 'arena-2025-12-coding',
  math: 'arena-2025-12-math',
  if: 'arena-2025-12-instructions',
  hard_6: 'arena-2025-12-hard',
}

function readArena(repository: string): Partial<Read> {
  const boards = readJson(repository, 'data/leaderboard-text-style-control.json') as Record<
    string,
    Record<string, { rating: number }>
  >
  return {
    scores: Object.entries(arenaBoards).flatMap(([board, benchmark]) =>
      Object.entries(boards[board]!).map(([model, { rating }]) => ({ benchmark, model, score: rating })),
    ),
  }
}

function readArenaSnapshot(repository: string): Partial<Read> {
  const board = (name: string, benchmark: string) =>
    (readJson(repository, `data/2026-04-19/${name}.json`) as { models: { model: string; score: number }[] }).models.map(
      ({ model, score }) => ({ benchmark, model, score }),
    )
  return { scores: [...board('text', 'arena-2026-04'), ...board('code', 'arena-2026-04-webdev')] }
}

/** Runs with a single model; the best of several runs of one model. */
function readAider(repository: string): Partial<Read> {
  const board = (file: string, benchmark: string) =>
    read(repository, `aider/website/_data/${file}.yml`)
      .split(/^- /m)
      .map(block => ({
        model: field(block, 'model'),
        passed: field(block, 'pass_rate_2'),
        format: field(block, 'edit_format'),
      }))
      .map(run => ({
        ...run,
        model: run.model
          .replaceAll(/\((?:[^()]*(?:diff|whole|tokens|prev|Alibaba|harness)[^()]*)\)|, ?(?:diff|whole)\b/gi, '')
          .trim(),
      }))
      .filter(
        ({ model, passed, format }) => model !== '' && passed !== '' && format !== 'architect' && !model.includes('+'),
      )
      .map(({ model, passed }) => ({ benchmark, model, score: Number(passed) / 100 }))
  return {
    scores: best([...board('polyglot_leaderboard', 'aider-polyglot'), ...board('edit_leaderboard', 'aider-edit')]),
  }
}

function readEvalPlus(repository: string): Partial<Read> {
  const results = readJson(repository, 'results.json') as Record<
    string,
    { 'pass@1': Record<string, number | null>; prompted: boolean; size: number | null }
  >
  const chats = Object.entries(results).filter(([, { prompted }]) => prompted)
  return {
    scores: chats.flatMap(([model, { 'pass@1': passed }]) =>
      (['humaneval+', 'mbpp+'] as const).flatMap(benchmark =>
        passed[benchmark] === null || passed[benchmark] === undefined
          ? []
          : [{ benchmark, model: model.replace(/ \(.*\)$/, ''), score: passed[benchmark] / 100 }],
      ),
    ),
  }
}

const epochRuns: Readonly<Record<string, string>> = {
  'GPQA diamond': 'gpqa-diamond',
  'MATH level 5': 'math-level-5',
  'OTIS Mock AIME 2024-2025': 'otis-mock-aime',
  'SWE-Bench verified': 'swe-bench-verified',
}

const epochTables: Readonly<Record<string, [benchmark: string, column: string, scale: number]>> = {
  mmlu: ['mmlu', 'EM', 100],
  gsm8k: ['gsm8k', 'EM', 100],
  bbh: ['bbh', 'Average', 100],
  arc_ai2: ['arc-challenge', 'Challenge score', 100],
  triviaqa: ['triviaqa', 'EM', 100],
  hellaswag: ['hellaswag', 'Overall accuracy', 100],
  winogrande: ['winogrande', 'Accuracy', 100],
  simple_bench: ['simple-bench', 'Score (AVG@5)', 100],
  weirdml: ['weirdml', 'Accuracy', 100],
  terminal_bench: ['terminal-bench', 'Accuracy mean', 100],
  lech_mazur_writing: ['creative-writing', 'Mean score', 10],
}

function readEpoch(repository: string): Partial<Read> {
  const runs = readCsv(read(repository, 'data/benchmarks_runs.csv'))
    .filter(row => epochRuns[row['task']!] !== undefined && row['Best score (across scorers)'] !== '')
    .map(row => ({
      benchmark: epochRuns[row['task']!]!,
      model: row['model']!,
      score: Number(row['Best score (across scorers)']),
    }))
  const tables = Object.entries(epochTables).flatMap(([file, [benchmark, column, scale]]) =>
    readCsv(read(repository, `data/external_benchmark_${file}.csv`))
      .map(row => ({ benchmark, model: row['Model version'] || row['Name']!, score: parseFloat(row[column]!) / scale }))
      .filter(({ model, score }) => Number.isFinite(score) && model !== ''),
  )
  const models = readCsv(read(repository, 'data/model_versions.csv'))
    .filter(row => /^\d{4}-\d{2}-\d{2}$/.test(row['Version release date']!))
    .map(row => ({ model: row['id']!, source: 'epoch', released: row['Version release date']! }))
  return { scores: best([...runs, ...tables]), models }
}

const llmStatsBenchmarks: Readonly<Record<string, string>> = Object.fromEntries(
  "gpqa mmlu mmlu-pro math humaneval livecodebench aime-2025 aime-2024 gsm8k ifeval swe-bench-verified mgsm mbpp drop simpleqa math-500 tau-bench-retail tau-bench-airline tau2-retail tau2-airline tau2-telecom arena-hard mmlu-redux terminal-bench bfcl bfcl-v3 humanity's-last-exam"
    .split(' ')
    .map(id => [id, `reported-${id.replaceAll("'", '')}`]),
)

/** Results that makers reported for their own models. */
function readLlmStats(repository: string): Partial<Read> {
  const scores: Score[] = []
  const models: ModelFact[] = []
  for (const folder of globSync('data/organizations/*/models/*', { cwd: repository }).sort()) {
    const model = path.basename(folder)
    const { release_date: released, param_count: parameters } = readJson(repository, `${folder}/model.json`) as {
      release_date: string | null
      param_count: number | null
    }
    models.push({
      model,
      source: 'llm-stats',
      released: released ?? undefined,
      sizeB: parameters === null ? undefined : parameters / 1e9,
    })
    if (!existsSync(path.join(repository, folder, 'benchmarks.json'))) continue
    for (const result of readJson(repository, `${folder}/benchmarks.json`) as {
      benchmark_id: string
      score: number
    }[]) {
      const benchmark = llmStatsBenchmarks[result.benchmark_id]
      if (benchmark !== undefined && result.score > 0 && result.score < 1) {
        scores.push({ benchmark, model, score: result.score })
      }
    }
  }
  return { scores, models }
}

const modelsDevBenchmarks: Readonly<Record<string, string>> = {
  'SWE-Bench Pro': 'swe-bench-pro',
  'SWE Bench Pro': 'swe-bench-pro',
  'SWE-Bench Verified': 'listed-swe-bench-verified',
  'SWE-Atlas Codebase QnA': 'swe-atlas-questions',
  'SWE-Atlas Test Writing': 'swe-atlas-tests',
  'SWE-Atlas Refactoring': 'swe-atlas-refactoring',
}

/** Figures of Artificial Analysis, which that list repeats, are left out: their terms do not allow reuse. */
const notForUs = /artificialanalysis\.ai|openrouter\.ai/

function readModelsDev(repository: string): Partial<Read> {
  const scores: Score[] = []
  const models: ModelFact[] = []
  for (const file of globSync('models/**/*.toml', { cwd: repository }).sort()) {
    const [head = '', ...results] = read(repository, file).split('[[benchmarks]]')
    const model = path.basename(file, '.toml')
    models.push({ model, source: 'models.dev', released: tomlField(head, 'release_date') || undefined })
    for (const result of results) {
      const benchmark = modelsDevBenchmarks[tomlField(result, 'name')]
      if (benchmark === undefined || notForUs.test(tomlField(result, 'source'))) continue
      scores.push({ benchmark, model, score: Number(tomlField(result, 'score')) / 100 })
    }
  }
  for (const file of globSync('providers/*/models/**/*.toml', { cwd: repository }).sort()) {
    const text = read(repository, file)
    const [inputPrice, outputPrice] = [tomlField(text, 'input'), tomlField(text, 'output')].map(Number)
    const provider = file.split(path.sep)[1]!
    if (tomlField(text, 'family') === '' && provider !== 'openrouter') continue
    models.push({
      model:
        provider === 'openrouter'
          ? path.relative(path.join('providers', provider, 'models'), file).replace(/\.toml$/, '')
          : path.basename(file, '.toml'),
      source: `models.dev`,
      released: tomlField(text, 'release_date') || undefined,
      inputPrice: inputPrice! > 0 ? inputPrice : undefined,
      outputPrice: outputPrice! > 0 ? outputPrice : undefined,
    })
  }
  return { scores: best(scores), models }
}

/** Models published by those who trained them; the thousands of merges and small fine-tunes are rarely used. */
const publishers =
  /^(?:qwen|meta-llama|google|mistralai|microsoft|deepseek-ai|ibm-granite|tiiuae|01-ai|nvidia|allenai|coherelabs|cohereforai|huggingfacetb|nousresearch|internlm|lgai-exaone|upstage|teknium|openchat|berkeley-nest|huggingfaceh4|databricks|stabilityai|tinyllama|bigcode|thudm|tencent|openai-community|eleutherai|lmsys|wizardlmteam|cognitivecomputations|servicenow-ai|utter-project|speakleash|bigscience)\//i

/** Reasoning models were cut off before their answer in that benchmark. */
const thinkers = /r1-distill|deepseek-r1|qwq|reasoning|thinking|open-?r1/i

function readOpenLlmLeaderboard(repository: string): Partial<Read> {
  const tables: [string, Readonly<Record<string, string>>][] = [
    ['finance', { 'MATH Lvl 5': 'open-llm-math', 'MMLU-PRO': 'open-llm-mmlu-pro', BBH: 'open-llm-bbh' }],
    ['medical', { GPQA: 'open-llm-gpqa' }],
  ]
  const scores: Score[] = []
  const models: ModelFact[] = []
  for (const [table, columns] of tables) {
    for (const row of readCsv(read(repository, `docs/${table}_leaderboard.csv`))) {
      const model = row['fullname']!
      if (!publishers.test(model) || thinkers.test(model)) continue
      const sizeB = Number(row['#Params (B)'])
      if (table === 'finance' && sizeB > 0)
        models.push({ model, source: 'open-llm-leaderboard', sizeB: Number(sizeB.toPrecision(3)) })
      for (const [column, benchmark] of Object.entries(columns)) {
        const score = Number(row[column]) / 100
        if (score > 0) scores.push({ benchmark, model, score })
      }
    }
  }
  return {
    scores: best(scores),
    models: models.filter((each, index) => models.findIndex(other => other.model === each.model) === index),
  }
}

function best(scores: readonly Score[]): Score[] {
  const found = new Map<string, Score>()
  for (const score of scores) {
    const key = `${score.benchmark} ${score.model}`
    const other = found.get(key)
    if (other === undefined || other.score < score.score) found.set(key, score)
  }
  return [...found.values()]
}

function read(repository: string, file: string): string {
  return readFileSync(path.join(repository, file), 'utf8')
}

function readJson(repository: string, file: string): unknown {
  return JSON.parse(read(repository, file))
}

/** A field of a flat block of YAML. */
function field(block: string, name: string): string {
  return (
    new RegExp(`^ *${name}: *(.*)$`, 'm')
      .exec(block)?.[1]
      ?.trim()
      .replaceAll(/^["']|["']$/g, '') ?? ''
  )
}

/** A single-line field of TOML. */
function tomlField(text: string, name: string): string {
  return new RegExp(`^${name} *= *"?([^"\\n]*)"?`, 'm').exec(text)?.[1]?.trim() ?? ''
}
