import { readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

const Lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().default(''),
      license: z.string().optional(),
      integrity: z.string().optional(),
      resolved: z.string().optional(),
      link: z.boolean().default(false),
      hasInstallScript: z.boolean().default(false),
      dev: z.boolean().default(false),
      optional: z.boolean().default(false),
      devOptional: z.boolean().default(false),
    }),
  ),
})

const Manifest = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
  allowScripts: z.record(z.string(), z.boolean()).default({}),
})

const Facts = z.object({
  /** What each direct dependency is for. */
  reasons: z.record(z.string(), z.string().min(1)),
  /** SPDX identifiers that every package of production may have. */
  licenses: z.array(z.string()),
  /** Packages that have another license. */
  licenseExceptions: z.record(z.string(), z.object({ license: z.string(), reason: z.string().min(1) })),
})

/** A package as package-lock.json has it. */
export interface LockedPackage {
  name: string
  /** Where it is installed, from the root: `node_modules/…`. */
  location: string
  version: string
  license: string | undefined
  integrity: string | undefined
  /** Where it is fetched from; undefined is the registry that npm is set to. */
  resolved: string | undefined
  isLink: boolean
  hasInstallScript: boolean
  /** What is needed to run, what only some features need, and what only developers need. */
  use: 'production' | 'optional' | 'development'
}

export type Manifest = z.output<typeof Manifest>
export type DependencyFacts = z.output<typeof Facts>

export function readManifest(root: string): Manifest {
  return Manifest.parse(readJson(path.join(root, 'package.json')))
}

/** Every package in package-lock.json. */
export function readLockedPackages(root: string): LockedPackage[] {
  const { packages } = Lockfile.parse(readJson(path.join(root, 'package-lock.json')))
  return Object.entries(packages)
    .filter(([location]) => location !== '')
    .map(([location, { version, license, integrity, resolved, link, hasInstallScript, ...marks }]) => ({
      name: location.slice(location.lastIndexOf('node_modules/') + 'node_modules/'.length),
      location,
      version,
      license,
      integrity,
      resolved,
      isLink: link,
      hasInstallScript,
      use: marks.dev || marks.devOptional ? 'development' : marks.optional ? 'optional' : 'production',
    }))
}

/** Reasons and licenses of dependencies, which package.json has no place for. */
export function readDependencyFacts(root: string): DependencyFacts {
  return Facts.parse(readJson(path.join(root, 'tools/package/dependencies.json')))
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
