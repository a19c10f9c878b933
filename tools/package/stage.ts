import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { readLockedPackages, readManifest } from './lockfile.ts'
import { isNeeded } from './prune.ts'
import { filesOfPackage } from './sizes.ts'

/** Fields of package.json that make sense only in a checkout. */
const checkoutOnly = new Set(['scripts', 'devDependencies', 'allowScripts', 'files'])

/**
 * Fills `folder` with what is published: the built package, and of each production dependency, in the version of
 * package-lock.json, what it needs to run. `npm pack` there includes them as bundled dependencies. Optional dependencies
 * are not bundled; npm installs them.
 */
export function stagePackage(root: string, folder: string): void {
  const manifest = readManifest(root)
  const files = manifest['files'] as readonly string[]
  for (const file of [...files, 'LICENSE']) {
    cpSync(path.join(root, file), path.join(folder, file), { recursive: true })
  }
  const published = {
    ...Object.fromEntries(Object.entries(manifest).filter(([field]) => !checkoutOnly.has(field))),
    bundleDependencies: Object.keys(manifest.dependencies),
  }
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
  for (const { name, location, use } of readLockedPackages(root)) {
    if (use === 'production') stageDependency(name, path.join(root, location), path.join(folder, location))
  }
}

function stageDependency(name: string, from: string, to: string): void {
  for (const { file } of filesOfPackage(from)) {
    if (!isNeeded(name, file)) continue
    mkdirSync(path.dirname(path.join(to, file)), { recursive: true })
    copyFileSync(path.join(from, file), path.join(to, file))
  }
  if (readdirSync(to).some(file => /^(licen[cs]e|copying)/i.test(file))) return
  // Its author published it without the text of its license, which has to go with every copy.
  const text = path.join(import.meta.dirname, 'license-texts', `${name}.txt`)
  if (!existsSync(text)) throw new Error(`${name} comes without a license: put its text into ${text}`)
  copyFileSync(text, path.join(to, 'LICENSE'))
}
