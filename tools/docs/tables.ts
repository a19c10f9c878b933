import path from 'node:path'
import { suites } from '../../src/bench/suites/index.ts'
import { coreSettings } from '../../src/config/core-settings.ts'
import type { Settings } from '../../src/config/setting.ts'
import { failures, type Failure } from '../../src/errors.ts'
import { resources } from '../../src/mcp/resource-list.ts'
import { readSkills } from '../../src/mcp/prompts.ts'
import { operations } from '../../src/operations/index.ts'
import { providerKinds } from '../../src/providers/index.ts'
import { presets } from '../../src/router/select.ts'
import { verifiers } from '../../src/router/verify.ts'
import { layerTable } from '../check/layers.ts'
import { dependencyTable } from './dependencies.ts'
import { firstRequest } from './first-request.ts'
import { fleetSection } from './fleet-table.ts'
import { markdownTable, repository } from './sections.ts'

/** Every section generated from the code, by its document. */
export async function documentSections(): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  return {
    'README.md': { 'first-request': await firstRequest() },
    'docs/architecture.md': { layers: markdownTable(layerTable()) },
    'docs/configuration.md': { settings: settingsTables() },
    'docs/routing.md': { presets: presetTable(), fleet: fleetSection(), checks: checkTable() },
    'docs/security.md': { 'admin-operations': adminOperations(), dependencies: dependencyTable() },
    'docs/troubleshooting.md': { errors: errorTable() },
    'docs/mcp.md': { tools: toolTable(), resources: resourceTable(), prompts: promptTable() },
    'docs/local-benchmarks.md': { suites: suiteTable() },
  }
}

function settingsTables(): string {
  const groups = [
    { title: 'Signalbox', settings: coreSettings as Settings },
    ...providerKinds.map(({ label, settings }) => ({ title: label, settings })),
  ]
  return groups.map(({ title, settings }) => `### ${title}\n\n${settingsTable(settings)}`).join('\n\n')
}

function settingsTable(settings: Settings): string {
  const rows = Object.entries(settings).map(([name, { schema, help, example, atStart }]) => {
    const parsed = schema.safeParse(undefined).data as string | number | boolean | undefined
    const shown = example ?? (parsed === undefined ? '' : String(parsed))
    return [code(name), shown === '' ? '' : code(shown), help, atStart === true ? 'restart' : 'at once']
  })
  return markdownTable([['setting', 'default or example', 'what it does', 'takes effect'], ...rows])
}

/** By preset: what it optimizes, in words. */
const presetAims: Readonly<Record<string, string>> = {
  auto: 'cost, but not at any wait: the cheapest that is good enough, local first; a local model that is not ready, or would take 20 seconds longer, is passed over for one that costs at most `COST_THRESHOLD`',
  'auto:cost': 'cost alone: the cheapest that is good enough, however long it takes',
  'auto:quality': 'quality: the best prediction, and of those that cannot be distinguished from it the cheapest',
  'auto:speed': 'time: the fastest that is good enough',
  local: 'like `auto`',
  free: 'like `auto`',
}

function presetTable(): string {
  const rows = Object.entries(presets).map(([name, { localOnly, freeOnly }]) => [
    code(name),
    presetAims[name]!,
    localOnly ? 'local models' : freeOnly ? 'models that cost nothing' : 'all models',
  ])
  return markdownTable([['`model`', 'optimizes', 'chosen among'], ...rows])
}

function checkTable(): string {
  return verifiers.map(({ name }) => code(name)).join(', ')
}

function errorTable(): string {
  const rows = Object.entries<Failure>(failures).map(([name, { status, type, fallback, retry, breaker, scope }]) => [
    code(name),
    String(status),
    code(type),
    yes(fallback),
    yes(retry),
    yes(breaker),
    scope,
  ])
  return markdownTable([
    ['code', 'status', 'type', 'next candidate is tried', 'same one is retried', 'opens the breaker', 'concerns'],
    ...rows,
  ])
}

function toolTable(): string {
  const rows = operations.map(({ name, summary, effect, http, core, needs }) => [
    code(name) + (core === true ? ' ★' : ''),
    effect,
    summary + (needs === undefined ? '' : ` Needs ${needs}.`),
    http === undefined ? '' : code(`${http.method} ${http.path}`),
  ])
  return markdownTable([['tool', 'effect', 'what it does', 'also at'], ...rows])
}

function adminOperations(): string {
  const names = operations.filter(({ access }) => access === 'admin').map(({ name }) => code(name))
  return names.sort().join(', ')
}

function resourceTable(): string {
  const rows = resources.map(({ uri, description, needs }) => [
    code(uri),
    description + (needs === undefined ? '' : ` Needs ${needs}.`),
  ])
  return markdownTable([['resource', 'what it holds'], ...rows])
}

function promptTable(): string {
  const skills = readSkills(path.join(repository, 'src/mcp/skills'))
  return markdownTable([
    ['prompt', 'purpose', 'arguments'],
    ...skills.map(({ name, description, arguments: described }) => [
      code(name),
      description,
      Object.keys(described).map(code).join(', '),
    ]),
  ])
}

function suiteTable(): string {
  return markdownTable([['suite', 'tasks'], ...suites.map(({ name, tasks }) => [code(name), String(tasks.length)])])
}

const code = (text: string) => `\`${text}\``
const yes = (value: boolean) => (value ? 'yes' : '')
