import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { z } from 'zod'
import { readLockedPackages } from './lockfile.ts'

const Sbom = z.object({ components: z.array(z.object({ name: z.string(), version: z.string() })) })
const Lockfile = z.looseObject({ packages: z.record(z.string(), z.record(z.string(), z.unknown())) })

/**
 * The software bill of materials of what is published, production and optional dependencies, as CycloneDX 1.5 in JSON. Made
 * of package.json and package-lock.json alone, in `folder`. Throws if it is not valid or lacks a package.
 */
export async function makeSbom(root: string, folder: string): Promise<string> {
  // npm names the product after the folder.
  const product = path.join(folder, 'signalbox')
  mkdirSync(product)
  writeWithoutDevelopment(root, product)
  const sbom = execFileSync(
    'npm',
    ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'],
    { cwd: product, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const problem = await new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(sbom)
  if (problem !== null) throw new Error(`the bill of materials is not valid CycloneDX: ${JSON.stringify(problem)}`)
  const missing = packagesMissing(root, sbom)
  if (missing.length > 0) throw new Error(`the bill of materials lacks ${missing.join(', ')}`)
  return sbom
}

/** `npm sbom --omit dev` also omits what both production and development need, so it gets files without development. */
function writeWithoutDevelopment(root: string, folder: string): void {
  const read = (file: string): unknown => JSON.parse(readFileSync(path.join(root, file), 'utf8'))
  const write = (file: string, content: unknown) => writeFileSync(path.join(folder, file), JSON.stringify(content))
  const { devDependencies: _, ...manifest } = read('package.json') as Record<string, unknown>
  const { packages, ...lockfile } = Lockfile.parse(read('package-lock.json'))
  const { devDependencies: __, ...top } = packages['']!
  const shipped = readLockedPackages(root).filter(({ use }) => use !== 'development')
  write('package.json', manifest)
  write('package-lock.json', {
    ...lockfile,
    packages: { '': top, ...Object.fromEntries(shipped.map(({ location }) => [location, packages[location]])) },
  })
}

function packagesMissing(root: string, sbom: string): string[] {
  const listed = new Set(Sbom.parse(JSON.parse(sbom)).components.map(({ name, version }) => `${name}@${version}`))
  return readLockedPackages(root)
    .filter(({ use, name, version }) => use !== 'development' && !listed.has(`${name}@${version}`))
    .map(({ name, version }) => `${name}@${version}`)
}
