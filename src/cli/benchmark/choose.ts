import { GatewayError } from '../../errors.ts'
import { candidateKey, type BenchmarkCandidate, type BenchmarkResult, type ModelSettings } from '../../bench/results.ts'
import { inTurn } from '../../bench/runner.ts'
import { suiteFromFile } from '../../bench/suites/file.ts'
import { suites as ownSuites } from '../../bench/suites/index.ts'
import type { Suite } from '../../bench/suites/suite.ts'
import type { ServedModel } from './measured-server.ts'

/** Our suites by name, or files; without names all our suites. Throws `invalid_request` for a name that is neither. */
export function chosenSuites(names: readonly string[]): readonly Suite[] {
  if (names.length === 0) return ownSuites
  return names.map(name => {
    if (/\.jsonl?$/.test(name)) return suiteFromFile(name)
    const suite = ownSuites.find(suite => suite.name === name)
    if (suite === undefined)
      throw new GatewayError(
        'invalid_request',
        `unknown suite ${name}; available: ${ownSuites.map(({ name }) => name).join(', ')}`,
      )
    return suite
  })
}

export interface ModelSelection {
  /** Models by name or by `<provider>/<name>`. */
  names: readonly string[] | undefined
  /** Also free remote models. */
  free: boolean
  /** Also models that cost money. */
  paid: boolean
  /** USD per million tokens, if the server reports no price. */
  price: { input: number; output: number } | undefined
  contextTokens: number | undefined
  settings: ModelSettings
}

/** The named models; without names the local ones that cost nothing, and whatever the flags add. */
export function chosenCandidates(served: readonly ServedModel[], selection: ModelSelection): BenchmarkCandidate[] {
  const { names, free, paid, price, contextTokens, settings } = selection
  const chosen =
    names === undefined
      ? served.filter(({ candidate, own }) => (candidate.paid ? paid : own || free)).map(({ candidate }) => candidate)
      : names.map(name => named(served, name))
  if (chosen.length === 0)
    throw new GatewayError(
      'invalid_request',
      'no local model is available: start its server, name one with --model, or add --free or --paid',
    )
  return chosen.map(candidate => ({
    ...candidate,
    settings,
    ...(contextTokens !== undefined && { contextTokens }),
    ...(price !== undefined && { price, paid: true }),
  }))
}

function named(served: readonly ServedModel[], name: string): BenchmarkCandidate {
  const found = served.find(({ candidate: { provider, model } }) => model === name || `${provider}/${model}` === name)
  if (found !== undefined) return found.candidate
  const there = served.map(({ candidate }) => candidate.model).join(', ')
  throw new GatewayError('invalid_request', `unknown model ${name}; available: ${there}`)
}

const driftTasksPerSuite = 4

/** The first few tasks of each suite that one of the candidates has run before. */
export function sampled(
  suites: readonly Suite[],
  candidates: readonly BenchmarkCandidate[],
  earlier: readonly BenchmarkResult[],
): Suite[] {
  const keys = new Set(candidates.map(candidateKey))
  const known = new Set(earlier.filter(result => keys.has(candidateKey(result))).map(({ task }) => task))
  const chosen = suites
    .map(suite => ({
      ...suite,
      tasks: inTurn(suite.tasks)
        .filter(({ id }) => known.has(id))
        .slice(0, driftTasksPerSuite),
    }))
    .filter(({ tasks }) => tasks.length > 0)
  if (chosen.length === 0)
    throw new GatewayError('invalid_request', 'nothing to compare with: no earlier results of these suites and models')
  return chosen
}
