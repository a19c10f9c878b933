import { statSync } from 'node:fs'
import path from 'node:path'
import { settingsFiles } from './config/config.ts'

export interface SettingsWatch {
  /** The folder of `.env` and `signalbox.json`. */
  root: string
  intervalMs: number
  /** Also called once soon after the start, because a file may have changed since the settings were read. */
  onWritten: () => void
}

/**
 * Polls the settings files every `intervalMs` and reports when they were written, created or deleted, and have stayed
 * the same for one poll: an editor that truncates a file before writing it is not caught in between. Polling also
 * detects replaced files, and works on file systems without events. Returns the function that stops it.
 */
export function watchSettings({ root, intervalMs, onWritten }: SettingsWatch): () => void {
  const files = settingsFiles.map(name => path.join(root, name))
  let reported: string | undefined
  let seen: string | undefined
  const timer = setInterval(() => {
    const now = files.map(lookOf).join(' ')
    if (now === seen && now !== reported) {
      reported = now
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
    // The reader of the file reports the error.
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}
