import path from 'node:path'
import { z } from 'zod'
import type { Settings, Values } from './setting.ts'

const milliseconds = (initial: number, min = 1) => z.coerce.number().int().min(min).max(86_400_000).default(initial)
const wholeNumber = (initial: number, min = 1, max = 1_000_000) =>
  z.coerce.number().int().min(min).max(max).default(initial)

const jsonList = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      context.addIssue({ code: 'custom', message: 'expected a JSON list such as ["dist/**"]' })
      return z.NEVER
    }
  })
  .pipe(z.array(z.string().min(1)))

/** A setting that is written as JSON; empty by default. */
function jsonObject(example: string) {
  return z
    .string()
    .default('{}')
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue({ code: 'custom', message: `expected JSON such as ${example}` })
        return z.NEVER
      }
    })
}

const commaList = z
  .string()
  .default('')
  .transform(text =>
    text
      .split(',')
      .map(part => part.trim())
      .filter(Boolean),
  )

/** Values may be percent-encoded, as in HTTP baggage. */
const pairList = z
  .string()
  .regex(/^\s*$|^[^=,\s]+=[^,]*(,\s*[^=,\s]+=[^,]*)*$/, 'expected name=value,name=value')
  .default('')
  .transform(text => Object.fromEntries(text.split(',').flatMap(readPair)))

const keyList = z
  .string()
  .regex(/^[^\s,]+(,[^\s,]+)*$/, 'expected one or more keys without spaces, separated by commas')
  .optional()

const rate = z.number().min(0).max(1_000_000)

/** A price: USD per million tokens of each kind, and USD per call. */
export const ConfiguredPrice = z.strictObject({
  input: rate,
  output: rate,
  cache_read: rate.optional(),
  cache_write: rate.optional(),
  cache_write_1h: rate.optional(),
  audio_input: rate.optional(),
  image_input: rate.optional(),
  audio_output: rate.optional(),
  image_output: rate.optional(),
  reasoning: rate.optional(),
  request_usd: rate.optional(),
})
export type ConfiguredPrice = z.output<typeof ConfiguredPrice>

const modelPrices = jsonObject('{"openrouter/lab/big": {"input": 3, "output": 15}}').pipe(
  z.record(z.string(), ConfiguredPrice),
)

/** A program with its arguments, run directly: no shell reads it. */
const TestCommand = z.strictObject({
  run: z.array(z.string()).min(1),
  cwd: z.string().refine(folder => path.isAbsolute(folder), 'write an absolute path'),
  /** Its whole environment, besides a PATH. */
  env: z.record(z.string(), z.string()).default({}),
})
export type TestCommand = z.output<typeof TestCommand>

const commandList = jsonObject('{"unit": {"run": ["/bin/true"], "cwd": "/"}}').pipe(
  z.record(z.string().regex(/^[a-z0-9_-]+$/i, 'test names consist of letters, digits, _ and -'), TestCommand),
)

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

export const coreSettings = {
  HOST: {
    schema: z
      .string()
      .transform(host => host.replace(/^\[(.*)\]$/, '$1'))
      .default('127.0.0.1'),
    help: 'Address to listen on. Any address that is not loopback opens Signalbox to the network.',
    atStart: true,
  },
  PORT: {
    schema: z.coerce.number().int().min(0).max(65535).default(3001),
    help: 'Port to listen on; 0 picks a free one.',
    atStart: true,
  },
  SIGNALBOX_API_KEY: {
    schema: keyList,
    help: 'API keys, separated by commas, one of which callers must send as a bearer token or x-api-key; `name=key` names a key in usage reports. Required when HOST is not loopback. Each key reaches only its own responses, tasks and usage. A single key is also an admin key unless SIGNALBOX_ADMIN_KEY is set.',
    atStart: true,
  },
  SIGNALBOX_ADMIN_KEY: {
    schema: keyList,
    help: 'Admin keys, written like SIGNALBOX_API_KEY. They also reach what belongs to other keys, and may reload settings, update, index code, benchmark models and set prompting strategies. With several API keys and no admin key, only the signalbox commands on this machine may do so.',
    atStart: true,
  },
  ALLOWED_ORIGINS: {
    schema: commaList.pipe(
      z.array(z.string().regex(/^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/i, 'write origins such as https://chat.example.com')),
    ),
    help: 'Origins whose web pages may use Signalbox (CORS), separated by commas. Unset, no web page may.',
    example: '',
    atStart: true,
  },
  ALLOWED_HOSTS: {
    schema: commaList.pipe(
      z.array(
        z
          .string()
          .regex(/^[^\s:/]+$/, 'write host names without a port')
          .transform(name => name.toLowerCase()),
      ),
    ),
    help: 'Host names that requests may use besides localhost, separated by commas, such as host.docker.internal.',
    example: '',
    atStart: true,
  },
  DATA_DIR: {
    schema: z.string().default('./data'),
    help: 'Folder of the ledger and other data. A relative path starts at the installation folder, or at SIGNALBOX_ROOT.',
    atStart: true,
  },
  LEDGER_RETENTION_DAYS: {
    schema: wholeNumber(400, 0, 36_500),
    help: 'Days after which requests, their attempts and their ratings are deleted from the ledger; 0 keeps them forever.',
  },
  DECISION_RETENTION_DAYS: {
    schema: wholeNumber(90, 0, 36_500),
    help: 'Days after which stored routing decisions are deleted, which `signalbox replay` reads; 0 keeps them as long as their requests.',
  },
  TIME_ZONE: {
    schema: z
      .string()
      .refine(isTimeZone, { error: 'expected a time zone such as Europe/Berlin or UTC' })
      .default(() => new Intl.DateTimeFormat().resolvedOptions().timeZone),
    help: 'Time zone in which the days, weeks and months of budgets begin, such as Europe/Berlin. Unset, that of the system.',
    example: '',
    atStart: true,
  },
  LOCK_FILE_CHECK_ACTIVE_PROCESS: {
    schema: z.stringbool().default(true),
    help: 'Ignore a lock file in DATA_DIR when the process it names no longer runs; false: it counts until it is removed.',
    atStart: true,
  },
  REMOVE_STALE_LOCK_FILES: {
    schema: z.stringbool().default(true),
    help: 'Take over from an instance that ended without cleaning up; false: stop and name the file to remove.',
    atStart: true,
  },
  LOG_LEVEL: {
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('warn'),
    help: 'Least severe level that is logged: trace, debug, info, warn, error, fatal or silent. Logs go to stderr.',
  },
  PROVIDER_HEALTH_PROBE_INTERVAL_MS: {
    schema: milliseconds(15_000),
    help: 'Milliseconds between checks of what each server serves.',
    atStart: true,
  },
  PROVIDER_MAX_CONCURRENT_LOCAL: {
    schema: wholeNumber(1),
    help: 'Concurrent requests on each local endpoint; the rest wait in a queue.',
  },
  PROVIDER_MAX_CONCURRENT_REMOTE: { schema: wholeNumber(5), help: 'Concurrent requests on each remote provider.' },
  PROVIDER_QUEUE_LIMIT: {
    schema: wholeNumber(256, 0),
    help: 'Requests that may wait for one endpoint; further ones are rejected.',
  },
  PROVIDER_QUEUE_TIMEOUT_MS: {
    schema: milliseconds(120_000),
    help: 'Milliseconds a request may wait for a free slot.',
  },
  LOCAL_BATCH_MAX_WAIT_MS: {
    schema: milliseconds(10_000, 0),
    help: 'Local models that do not fit in memory together: requests for the loaded one go first, until another request has waited this many milliseconds. 0 keeps the order of arrival.',
  },
  PROVIDER_CONNECT_TIMEOUT_MS: {
    schema: milliseconds(5_000),
    help: 'Milliseconds for opening a connection to a server.',
    atStart: true,
  },
  PROVIDER_TIMEOUT_MS: {
    schema: milliseconds(120_000),
    help: 'Milliseconds until a server sends its first token, including the time to load a cold model. Buffered answers are streamed from the server where it can stream.',
  },
  PROVIDER_IDLE_TIMEOUT_MS: {
    schema: milliseconds(60_000),
    help: 'Milliseconds a server may be silent after its first token.',
  },
  PROVIDER_TOTAL_TIMEOUT_MS: { schema: milliseconds(900_000), help: 'Milliseconds for one attempt as a whole.' },
  KEEPALIVE_INTERVAL_MS: {
    schema: milliseconds(10_000),
    help: 'Milliseconds between keep-alive comments on a waiting stream.',
    atStart: true,
  },
  REQUEST_MEMORY_MB: {
    schema: wholeNumber(512, 128, 1_048_576),
    help: 'Megabytes of memory that all requests in progress may take together; further ones are rejected with 429 and Retry-After.',
    atStart: true,
  },
  RESPONSES_WEBSOCKETS: {
    schema: z.stringbool().default(true),
    help: 'Whether /v1/responses can be used over a WebSocket too, as Codex does; false: clients are told to send requests by POST.',
    atStart: true,
  },
  CLIENT_STALL_TIMEOUT_MS: {
    schema: milliseconds(20_000),
    help: 'Milliseconds in which a client must send the headers of a request, and then each further 16 KB of its body.',
    atStart: true,
  },
  CODE_SEARCH_ENABLED: {
    schema: z.stringbool().default(true),
    help: 'Whether code can be indexed and searched.',
    atStart: true,
  },
  CODE_SEARCH_ROOTS: {
    schema: z.string().optional(),
    help: 'Folders whose code may be indexed, separated as in PATH. Unset, any folder inside the home folder, but not the home folder as a whole.',
    atStart: true,
  },
  CODE_SEARCH_EXCLUDE_PATTERNS: {
    schema: jsonList.default(['node_modules/**', 'dist/**', '.git/**']),
    help: 'Patterns to leave out of the index unless a request says otherwise: a JSON list in .gitignore syntax.',
    example: '["node_modules/**","dist/**",".git/**"]',
    atStart: true,
  },
  CODE_SEARCH_INDEX_ON_START: {
    schema: z.stringbool().default(true),
    help: 'Update an existing index on startup.',
    atStart: true,
  },
  CODE_SEARCH_REINDEX_INTERVAL: {
    schema: wholeNumber(3600, 0),
    help: 'Seconds between full scans of the indexed folders, in addition to file events; 0 for never.',
    atStart: true,
  },
  BENCHMARK_RUNS_PER_TASK: { schema: wholeNumber(3, 1, 20), help: 'How often a benchmark runs each task.' },
  BENCHMARK_PARALLEL: { schema: z.stringbool().default(false), help: 'Measure several models in parallel.' },
  BENCHMARK_MAX_PARALLEL_TASKS: {
    schema: wholeNumber(2, 1, 16),
    help: 'Models measured at the same time when BENCHMARK_PARALLEL is set.',
  },
  BENCHMARK_TASK_TIMEOUT: {
    schema: milliseconds(60_000),
    help: 'Milliseconds for one task of a benchmark; a model that takes longer fails it.',
  },
  BENCHMARK_SAVE_RESULTS: {
    schema: z.stringbool().default(true),
    help: 'Store the results of benchmarks; false: they are returned once and not kept.',
  },
  BENCHMARK_RESULTS_PATH: {
    schema: z.string().default('./benchmark-results'),
    help: 'Folder for the results of benchmarks. A relative path starts at the installation folder, or at SIGNALBOX_ROOT.',
    atStart: true,
  },
  ALLOW_SELF_UPDATE: {
    schema: z.stringbool().default(false),
    help: 'Allow update_server to pull, install and build a newer version; false: it returns the commands to run.',
  },
  FILE_STORAGE_MB: {
    schema: wholeNumber(1024, 1, 1_048_576),
    help: 'Megabytes on disk for the files of batches (/v1/files): uploaded ones and results. They are kept for TASK_RETENTION_DAYS.',
    atStart: true,
  },
  TASK_RETENTION_DAYS: {
    schema: wholeNumber(30, 1, 3650),
    help: 'Days to keep finished background tasks with their results.',
  },
  SIGNALBOX_TOOLS: {
    schema: z.string().default('all'),
    help: 'MCP tools that agents see: all, core, or names separated by commas.',
    atStart: true,
  },
  MCP_SESSION_LIMIT: { schema: wholeNumber(256), help: 'Concurrent MCP sessions over HTTP.', atStart: true },
  MCP_SESSIONS_PER_KEY: {
    schema: wholeNumber(32),
    help: 'Concurrent MCP sessions of one API key. A further session ends the one of the same key that was idle longest.',
    atStart: true,
  },
  MCP_SESSION_IDLE_MS: {
    schema: milliseconds(1_800_000),
    help: 'Milliseconds after which an idle MCP session over HTTP ends.',
    atStart: true,
  },
  MODEL_ALIASES: {
    schema: z
      .string()
      .regex(/^\s*[^=,\s]+\s*=\s*[^=,\s]+(\s*,\s*[^=,\s]+\s*=\s*[^=,\s]+)*\s*$/, 'expected name=model,name=model')
      .default('')
      .or(z.literal(''))
      .transform(readAliases),
    help: 'Names for other models or presets, with `*` for any characters: claude-*haiku*=local,claude-*=auto:quality. The first match wins.',
    example: '',
  },
  QUALITY_THRESHOLD: {
    schema: z.coerce.number().min(0).max(1).default(0.6),
    help: 'Minimum predicted quality, 0 to 1; models below it are chosen only if no other qualifies.',
  },
  TOKEN_THRESHOLD: {
    schema: wholeNumber(1500, 0, 10_000_000),
    help: 'Requests of more tokens than this wait for a local model that is cold or busy; smaller ones go to the next good enough model if that costs at most COST_THRESHOLD.',
  },
  COST_THRESHOLD: {
    schema: z.coerce.number().min(0).max(1000).default(0.02),
    help: 'Highest cost in USD at which a request of at most TOKEN_THRESHOLD tokens goes to another good enough model instead of waiting for a local one that is cold or busy.',
  },
  DEFAULT_LOCAL_MODEL: {
    schema: z.string().optional(),
    help: 'Model preferred among local models that are good enough.',
  },
  RELIABLE_BENCHMARK_COUNT: { schema: wholeNumber(3), help: 'Runs needed before a benchmark result gets full weight.' },
  EXPLORATION_SHARE: {
    schema: z.coerce.number().min(0).max(0.03).default(0.02),
    help: 'Share of requests, 0 to 0.03, that try another good enough model in order to learn about it.',
  },
  VERIFY: {
    schema: commaList,
    help: 'Default checks that every chat answer must pass: all, or names such as not_truncated,schema.',
    example: '',
  },
  VALIDATION_RETRY_BUDGET: {
    schema: wholeNumber(1, 0, 100),
    help: 'How many better models are tried, one after another, when an answer fails its checks. No request makes more than five attempts.',
  },
  MIN_VALIDATOR_SCORE: {
    schema: z.coerce.number().min(0).max(1).default(0.6),
    help: 'Share of agreement with tests and ratings, 0 to 1, from which the verdict of a judge model (verify: judge:<model>) is binding.',
  },
  VERIFY_COMMANDS: {
    schema: commandList,
    help: 'Tests that requests may ask for (verify: tests:<name>), as JSON: {"unit": {"run": ["/usr/bin/node", "check.mjs"], "cwd": "/srv/checks"}}. The answer comes on stdin; exit status 0 accepts it.',
    example: '{}',
  },
  VERIFY_COMMAND_TIMEOUT_MS: {
    schema: milliseconds(60_000),
    help: 'Milliseconds for one run of such a test; an answer whose test takes longer fails.',
  },
  LOCAL_WATTS: {
    schema: z.coerce.number().min(0).max(100_000).default(0),
    help: 'Power draw of a running local model, in watts.',
  },
  ENERGY_PRICE: { schema: z.coerce.number().min(0).max(100).default(0), help: 'Price of electricity, in USD per kWh.' },
  REFERENCE_MODEL: {
    schema: z.string().trim().optional(),
    help: 'Model that costs are compared with in usage reports, such as openrouter/anthropic/claude-opus-4.5 or, from the price list that is shipped, openai/gpt-5. Unset, the most expensive candidate of each request that was good enough.',
  },
  RECONCILE_NIGHTLY: {
    schema: z.stringbool().default(true),
    help: 'Compare the ledger every night with what OpenRouter says it billed.',
  },
  MODEL_PRICES: {
    schema: modelPrices,
    help: 'Prices in USD per million tokens by model id, as JSON: {"openrouter/lab/big": {"input": 3, "output": 15, "cache_read": 0.3}}. They replace those that servers list.',
    example: '{}',
  },
  OPENROUTER_FREE_ONLY: { schema: z.stringbool().default(false), help: 'Never route to a model that costs money.' },
  METRICS_ENABLED: {
    schema: z.stringbool().default(true),
    help: 'Whether GET /metrics shows figures for Prometheus, to administrators.',
    atStart: true,
  },
  WEBHOOK_URL: {
    schema: z.url({ protocol: /^https?$/ }).optional(),
    help: 'Address that events are sent to by POST: task.finished, provider.down, provider.up, budget.threshold, price.changed, reconciliation.drift.',
    atStart: true,
  },
  WEBHOOK_SECRET: {
    schema: z.string().min(16).optional(),
    help: 'Secret that signs these events (Standard Webhooks), of at least 16 characters; required with WEBHOOK_URL.',
    atStart: true,
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: z.url({ protocol: /^https?$/ }).optional(),
    help: 'OpenTelemetry collector that traces are sent to over HTTP, without a path: http://127.0.0.1:4318. Unset, nothing is traced.',
    atStart: true,
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    schema: z.url({ protocol: /^https?$/ }).optional(),
    help: 'The same with its path, for traces alone.',
    atStart: true,
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: pairList,
    help: 'Headers for the collector, such as its key: name=value,name=value.',
    example: '',
    atStart: true,
  },
  OTEL_SERVICE_NAME: {
    schema: z.string().default('signalbox'),
    help: 'Name of this instance in traces.',
    atStart: true,
  },
  OTEL_TRACES_SAMPLER_ARG: {
    schema: z.coerce.number().min(0).max(1).default(1),
    help: 'Share of requests that is traced, 0 to 1, where the caller does not decide it.',
    atStart: true,
  },
  OTEL_SDK_DISABLED: { schema: z.stringbool().default(false), help: 'true switches traces off.', atStart: true },
  HTTP_PROXY: {
    schema: z.string().optional(),
    help: 'Proxy for http:// servers on other machines.',
    atStart: true,
  },
  HTTPS_PROXY: { schema: z.string().optional(), help: 'Proxy for https:// servers on other machines.', atStart: true },
  NO_PROXY: {
    schema: z.string().optional(),
    help: 'Hosts to reach without a proxy, separated by commas.',
    atStart: true,
  },
} as const satisfies Settings
export type CoreValues = Values<typeof coreSettings>

function readPair(text: string): [name: string, value: string][] {
  const [, name, value = ''] = /^\s*([^=]+)=(.*)$/.exec(text) ?? []
  if (name === undefined) return []
  try {
    return [[name.trim(), decodeURIComponent(value.trim())]]
  } catch {
    return [[name.trim(), value.trim()]]
  }
}

function readAliases(text: string): { pattern: string; target: string }[] {
  return text
    .split(',')
    .filter(entry => entry.trim() !== '')
    .map(entry => {
      const index = entry.indexOf('=')
      return { pattern: entry.slice(0, index).trim(), target: entry.slice(index + 1).trim() }
    })
}
