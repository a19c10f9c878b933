import path from 'node:path'
import { readDependencyFacts, readLockedPackages, readManifest, type LockedPackage } from '../package/lockfile.ts'
import { isNeeded } from '../package/prune.ts'
import { filesOfPackage, megabytes } from '../package/sizes.ts'
import { markdownTable, repository } from './sections.ts'

/** Every direct dependency of production with what it takes and why it is there, and one line for what these bring along. */
export function dependencyTable(): string {
  const { dependencies } = readManifest(repository)
  const { reasons } = readDependencyFacts(repository)
  const shipped = readLockedPackages(repository).filter(({ use }) => use !== 'development')
  const isDirect = ({ name, location }: LockedPackage) =>
    reasons[name] !== undefined && location === `node_modules/${name}`
  const direct = shipped.filter(isDirect).sort((a, b) => a.name.localeCompare(b.name, 'en'))
  const bundled = shipped.filter(({ use }) => use === 'production')
  const lines = direct.map(({ name, version, license = '', ...each }) => {
    const isBundled = dependencies[name] !== undefined
    const { installed, published } = sizeOf({ name, ...each })
    return [
      `\`${name}\``,
      version,
      license,
      shown(installed),
      isBundled ? shown(published) : 'optional',
      reasons[name] ?? '',
    ]
  })
  const transitive = bundled.filter(each => !isDirect(each))
  return markdownTable([
    ['dependency', 'version', 'license', 'from the registry', 'in the package', 'what it is for'],
    ...lines,
    summary(`${transitive.length} more`, transitive, 'needed by those above'),
    summary(`all ${bundled.length} without optional ones`, bundled, ''),
  ])
}

function summary(title: string, packages: readonly LockedPackage[], reason: string): string[] {
  const sizes = packages.map(sizeOf)
  const sum = (which: 'installed' | 'published') => sizes.reduce((total, size) => total + size[which], 0)
  return [title, '', licensesOf(packages), shown(sum('installed')), shown(sum('published')), reason]
}

function licensesOf(packages: readonly LockedPackage[]): string {
  const counts = new Map<string, number>()
  for (const { license = '' } of packages) counts.set(license, (counts.get(license) ?? 0) + 1)
  return [...counts]
    .sort(([a, one], [b, other]) => other - one || a.localeCompare(b, 'en'))
    .map(([license, count]) => `${license} (${count})`)
    .join(', ')
}

/** Bytes of a package in node_modules, and of what of it is published. */
function sizeOf({ name, location }: Pick<LockedPackage, 'name' | 'location'>) {
  const files = filesOfPackage(path.join(repository, location))
  const total = (sized: typeof files) => sized.reduce((sum, { bytes }) => sum + bytes, 0)
  return { installed: total(files), published: total(files.filter(({ file }) => isNeeded(name, file))) }
}

function shown(bytes: number): string {
  return bytes < 100_000 ? `${Math.ceil(bytes / 1000)} kB` : `${megabytes(bytes)} MB`
}
