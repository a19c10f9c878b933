import { realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { GatewayError } from '../errors.ts'

/** Which folders may be indexed. */
export interface AllowedRoots {
  /** Directories outside these are rejected. */
  allowedRoots: readonly string[]
  /** Whether only folders inside the allowed roots may be indexed, and not the roots themselves. */
  onlyBelowRoots: boolean
}

/**
 * The real paths of the directories to index, outermost only: a nested one is indexed with its parent.
 * @throws {GatewayError} `forbidden` for what is not allowed, `not_found` or `invalid_request` for what is not a directory.
 */
export function resolveRoots(directories: readonly string[], { allowedRoots, onlyBelowRoots }: AllowedRoots): string[] {
  const allowed = allowedRoots.flatMap(root => realPathOf(root) ?? [])
  const roots = directories.map(directory => {
    const real = realPathOf(path.resolve(directory))
    if (real === undefined) {
      // Does not reveal whether something exists outside the allowed roots.
      if (!allowed.some(root => isWithin(path.resolve(directory), root))) throw outside(directory, allowedRoots)
      throw new GatewayError('not_found', `Directory not found: ${directory}.`, { param: 'directories' })
    }
    if (!allowed.some(root => isWithin(real, root))) throw outside(directory, allowedRoots)
    if (onlyBelowRoots && allowed.includes(real)) {
      throw new GatewayError(
        'forbidden',
        `${directory} is the whole home folder. Name the folders of your projects, or set CODE_SEARCH_ROOTS=${real} to allow all of it.`,
        { param: 'directories' },
      )
    }
    if (!statSync(real).isDirectory()) {
      throw new GatewayError('invalid_request', `${directory} is a file; name the directory to index.`, {
        param: 'directories',
      })
    }
    return real
  })
  const distinct = [...new Set(roots)]
  return distinct.filter(root => !distinct.some(other => other !== root && isWithin(root, other)))
}

/** Whether a path is a folder or inside it; both absolute. */
function isWithin(file: string, folder: string): boolean {
  const relative = path.relative(folder, file)
  return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative))
}

function outside(directory: string, allowedRoots: readonly string[]): GatewayError {
  const places = allowedRoots.length === 0 ? 'none are allowed' : `allowed: ${allowedRoots.join(', ')}`
  return new GatewayError('forbidden', `${directory} is outside the directories allowed for indexing (${places}).`, {
    param: 'directories',
  })
}

function realPathOf(file: string): string | undefined {
  try {
    return realpathSync(file)
  } catch {
    return undefined
  }
}
