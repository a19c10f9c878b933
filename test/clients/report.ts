import { markdownTable } from '../../tools/docs/sections.ts'
import { clients, type Client, type ClientKind } from './client-list.ts'
import { faultOf } from './known-faults.ts'
import { diffOfForms } from './wire-form.ts'

/** What one client did. */
export interface ClientReport {
  id: string
  /** Of the package that is the client; null where it could not be installed. */
  version: string | null
  /** Why it is not the newest, or not there. */
  note?: string
  /** By the case's name; an empty text for a case that passed. */
  problems: Record<string, string>
  /** By the case's name, why it was not run. */
  skipped: Record<string, string>
  /** The form of its requests for one task with a tool call. */
  form: string[]
}

export interface RunReport {
  /** YYYY-MM-DD */
  date: string
  clients: ClientReport[]
}

/** A problem without what the program wrote, which names files of the machine. */
export function withoutOutput(problem: string): string {
  return problem.split('; it said:')[0]!
}

/** Cases that failed although nothing is known that the client itself does wrong. */
export function failures({ clients: reports }: RunReport): string[] {
  return reports.flatMap(({ id, problems }) =>
    Object.entries(problems)
      .filter(([name, problem]) => problem !== '' && faultOf(id, name) === undefined)
      .map(([name, problem]) => `${id}: ${name}: ${problem}`),
  )
}

/** What changed since an earlier run, for people: versions, results, and the forms of requests as diffs. */
export function changes(before: RunReport, after: RunReport): string[] {
  return after.clients.flatMap(report => {
    const earlier = before.clients.find(({ id }) => id === report.id)
    if (earlier === undefined) return [`${report.id} ${String(report.version)}: new`]
    const diff = diffOfForms(earlier.form, report.form)
    const results = Object.entries(report.problems)
      .filter(([name, problem]) => (earlier.problems[name] === '') !== (problem === '') && name in earlier.problems)
      .map(([name, problem]) => `  ${name}: ${problem === '' ? 'passes now' : 'fails now'}`)
    if (diff.length === 0 && results.length === 0) return []
    const versions = [...new Set([earlier.version, report.version])].join(' → ')
    return [`${report.id} ${versions}`, ...results, ...diff.map(line => `  ${line}`)]
  })
}

/** The tables of the documentation. */
export function renderTables({ date, clients: reports }: RunReport): string {
  const notes: string[] = []
  const tables = (['agent', 'sdk', 'mcp'] as const).map(kind => tableOf(kind, reports, notes))
  const numbered = notes.map((note, index) => `${String(index + 1)}. ${note}`)
  return [
    `Run on ${date} by \`npm run clients\`: the newest versions that npm carries, against scripted servers and a llama-server with a scripted model.`,
    ...tables,
    ...(numbered.length === 0 ? [] : [numbered.join('\n')]),
  ].join('\n\n')
}

const titles: Record<ClientKind, string> = { agent: 'agent', sdk: 'SDK', mcp: 'MCP client' }

function tableOf(kind: ClientKind, reports: readonly ClientReport[], notes: string[]): string {
  const rows = clients.flatMap(client => {
    const report = client.kind === kind ? reports.find(({ id }) => id === client.id) : undefined
    return report === undefined ? [] : [{ client, report }]
  })
  const names = [...new Set(rows.flatMap(({ client }) => client.cases.map(({ name }) => name)))]
  const lines = rows.map(({ client, report }) => {
    const cells = names.map(name => cellOf(client, report, name, notes))
    const version = report.version ?? 'not installed'
    const noted = report.note === undefined ? '' : noteMark(`${client.name}: ${report.note}.`, notes)
    return [
      `${client.name} ${version}${noted}`,
      client.protocols,
      ...cells,
      ...(kind === 'mcp' ? [] : [client.settings]),
    ]
  })
  return markdownTable([[titles[kind], 'protocol', ...names, ...(kind === 'mcp' ? [] : ['what to set'])], ...lines])
}

function cellOf(client: Client, { problems, id }: ClientReport, name: string, notes: string[]): string {
  const problem = problems[name]
  if (problem === undefined) return '–'
  if (problem === '') return 'yes'
  const fault = faultOf(id, name)
  const note =
    fault === undefined ? `${client.name}, ${name}: ${withoutOutput(problem)}.` : `${client.name}, ${name}: ${fault}`
  return `no${noteMark(note, notes)}`
}

function noteMark(note: string, notes: string[]): string {
  const index = notes.indexOf(note)
  return ` (${String(index >= 0 ? index + 1 : notes.push(note))})`
}
