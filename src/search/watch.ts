import { watch, type FSWatcher } from 'node:fs'
import path from 'node:path'

/** Watches folders for changes, without their subfolders. */
export interface FolderWatch {
  add(folders: readonly string[]): void
  /** Paths that changed since the last call; clears them. */
  take(): string[]
  /** Whether every folder could be watched; if not, only the reindexing interval finds some changes. */
  readonly complete: boolean
  readonly folders: number
  close(): void
}

// The kernel's watch limit is shared with editors and file managers.
const maxFolders = 20_000

/**
 * One watch per folder visited by the walk, so that ignored trees cost nothing. Recursive watching would: on Linux it
 * takes one watch per file, and so does chokidar. `changed` is called once `quietMs` after the last event of a burst.
 */
export function watchFolders(changed: () => void, quietMs: number): FolderWatch {
  const watchers = new Map<string, FSWatcher>()
  const pending = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let complete = true

  const drop = (folder: string) => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  const notice = (folder: string, name: string | null) => {
    pending.add(name === null ? folder : path.join(folder, name))
    clearTimeout(timer)
    timer = setTimeout(changed, quietMs)
    timer.unref()
  }
  return {
    add(folders) {
      for (const folder of folders) {
        if (watchers.has(folder)) continue
        if (watchers.size >= maxFolders) {
          complete = false
          return
        }
        try {
          const watcher = watch(folder, { persistent: false }, (_, name) => notice(folder, name))
          // A removed folder ends its own watch; one event of its parent covers the rest.
          watcher.on('error', () => drop(folder))
          watchers.set(folder, watcher)
        } catch {
          // Deleted meanwhile, or the kernel's limit is reached: the interval covers it.
          complete = false
        }
      }
    },
    take() {
      const paths = [...pending]
      pending.clear()
      return paths
    },
    get complete() {
      return complete
    },
    get folders() {
      return watchers.size
    },
    close() {
      clearTimeout(timer)
      watchers.forEach((_, folder) => drop(folder))
    },
  }
}
