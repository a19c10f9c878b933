import type { z } from 'zod'

/** One environment variable: its schema parses a string, its help is the comment in `.env.example`. */
export interface Setting<T = unknown> {
  schema: z.ZodType<T>
  help: string
  /** The value shown in `.env.example` where the default is not instructive. */
  example?: string
  /** Takes effect only at the next start; `reload_config` reports a change of it. */
  atStart?: boolean
}
export type Settings = Readonly<Record<string, Setting>>
export type Values<S extends Settings> = { [K in keyof S]: z.output<S[K]['schema']> }

/** A value the operator must correct. Its message is the one line to print. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Parses the values of `settings`. Throws `ConfigError` naming the first invalid variable and the expected value. */
export function readSettings<S extends Settings>(
  settings: S,
  environment: Readonly<Record<string, string | undefined>>,
): Values<S> {
  const values = Object.entries(settings).map(([name, { schema }]) => {
    const parsed = schema.safeParse(environment[name])
    if (!parsed.success) throw new ConfigError(`${name}: ${firstProblem(parsed.error)} (see .env.example)`)
    return [name, parsed.data]
  })
  return Object.fromEntries(values) as Values<S>
}

/** `.env.example`: every variable with its help and default, commented out. */
export function renderEnvExample(groups: readonly { title: string; settings: Settings }[]): string {
  const sections = groups.map(({ title, settings }) => {
    const lines = Object.entries(settings).map(([name, { schema, help, example }]) => {
      const initial = schema.safeParse(undefined).data as string | number | boolean | undefined
      return `# ${help}\n# ${name}=${example ?? (initial === undefined ? '' : String(initial))}\n`
    })
    return `# --- ${title} ---\n\n${lines.join('\n')}`
  })
  return `# Copy to .env and uncomment what you change. Environment variables override this file.\n\n${sections.join('\n')}`
}

/** The first thing that is wrong, with its place. */
export function firstProblem(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return 'is not valid'
  return [issue.path.join('.'), issue.message].filter(Boolean).join(': ')
}
