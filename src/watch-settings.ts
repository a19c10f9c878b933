import { statSync } from 'node:fs'
import path from 'node:path'
import { settingsFiles } from './config.ts'

export interface SettingsWatch {
  /** The folder of `.env` and `signalbox.json`. */
  root: string
  intervalMs: number
  /** Called once soon after the start too, because something may have been written since the settings were read. */
  onWritten: () => void
}

/**
 * Looks at the settings' files every `intervalMs` and says when they were written, appeared or went away, and have stayed the
 * same for one look: an editor that empties a file before it fills it is not caught in between. Looking instead of listening
 * also sees files that are replaced, or that lie on a file system that tells nothing. Returns the function that ends it.
 */
export function watchSettings({ root, intervalMs, onWritten }: SettingsWatch): () => void {
  const files = settingsFiles.map(name => path.join(root, name))
  let told: string | undefined
  let seen: string | undefined
  const timer = setInterval(() => {
    const now = files.map(lookOf).join(' ')
    if (now === seen && now !== told) {
      told = now
      onWritten()
    }
    seen = now
  }, intervalMs).unref()
  return () => {
    clearInterval(timer)
  }
}

function lookOf(file: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file)
    return [ino, size, mtimeMs, ctimeMs].join(':')
  } catch (error) {
    // Whoever reads the file then says what is wrong with it.
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}
