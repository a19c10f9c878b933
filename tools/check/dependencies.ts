import { readFileSync } from 'node:fs'
import path from 'node:path'
import {
  readDependencyFacts,
  readLockedPackages,
  readManifest,
  type DependencyFacts,
  type LockedPackage,
} from '../package/lockfile.ts'
import { lineAt, type Problem } from './files.ts'

const registry = 'https://registry.npmjs.org/'

/**
 * Dependencies without a reason, an exact version or an allowed license, with an install script, from elsewhere than the
 * npm registry, or without an integrity hash.
 */
export function dependencyProblems(root: string): Problem[] {
  const { dependencies, optionalDependencies, devDependencies, allowScripts } = readManifest(root)
  const facts = readDependencyFacts(root)
  const direct = { ...dependencies, ...optionalDependencies }
  const at = locator(root)

  const unexplained = Object.keys(direct)
    .filter(name => facts.reasons[name] === undefined)
    .map(name => at('package.json', `"${name}"`, `${name} needs a reason in tools/package/dependencies.json`))
  const outdated = Object.keys({ ...facts.reasons, ...facts.licenseExceptions })
    .filter(name => direct[name] === undefined)
    .map(name => at('tools/package/dependencies.json', `"${name}"`, `${name} is no dependency`))
  const loose = Object.entries({ ...direct, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => at('package.json', `"${name}"`, `${name} needs an exact version, not ${version}`))
  const locked = readLockedPackages(root).flatMap(each =>
    packageProblems(each, facts, allowScripts).map(message => at('package-lock.json', `"${each.location}"`, message)),
  )
  return [...unexplained, ...outdated, ...loose, ...locked]
}

function packageProblems(
  { name, version, license, use, hasInstallScript, ...source }: LockedPackage,
  { licenses, licenseExceptions }: DependencyFacts,
  allowScripts: Readonly<Record<string, boolean>>,
): string[] {
  const shipped = use !== 'development'
  const hasAllowedLicense =
    license !== undefined && (licenses.includes(license) || licenseExceptions[name]?.license === license)
  return [
    shipped && !hasAllowedLicense && `${name} ${version} has the license ${license ?? '(none)'}, which is not allowed`,
    hasInstallScript &&
      (shipped || allowScripts[name] !== true) &&
      `${name} ${version} runs a script when it is installed`,
    (source.isLink || (source.resolved !== undefined && !source.resolved.startsWith(registry))) &&
      `${name} ${version} is not from ${registry}`,
    !/^sha512-[\w+/]{86}==$/.test(source.integrity ?? '') && `${name} ${version} has no SHA-512 integrity hash`,
  ].filter(problem => problem !== false)
}

/** Makes problems at the line on which a text first occurs. */
function locator(root: string) {
  const texts = new Map<string, string>()
  return (file: string, found: string, message: string): Problem => {
    const text = texts.get(file) ?? readFileSync(path.join(root, file), 'utf8')
    texts.set(file, text)
    return { file, line: lineAt(text, Math.max(0, text.indexOf(found))), message }
  }
}
