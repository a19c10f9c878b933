import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { readLaunchOptions } from './launch-options.ts'

/** A process of a bench that listens on a port. */
export interface Child {
  child: ChildProcess
  port: number
}

/** What `signalbox.ts` tells of itself since it was last asked. */
export interface Vitals {
  rssBytes: number
  /** How late timers ran. */
  loopDelayMs: { p99: number; max: number }
  /** Open connections, to callers and to model servers. */
  sockets: number
  /** Slots taken or waited for. */
  busySlots: number
}

/** The compile cache, which `bin/signalbox.js` sets for itself. */
const cache = path.resolve(import.meta.dirname, '../../node_modules/.cache/signalbox')

/** Starts a file of this folder, without its ending, and waits for its port. */
export async function launch(file: string, ...args: string[]): Promise<Child> {
  const { flags, env } = readLaunchOptions()
  const child = fork(path.join(import.meta.dirname, `${file}${path.extname(import.meta.filename)}`), args, {
    // As `bin/signalbox.js` starts and sets itself.
    execArgv: [...flags, '--heap-growing-percent=40'],
    env: { ...process.env, ...env, NODE_COMPILE_CACHE: cache },
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, port }
}

export async function vitalsOf({ child }: Child): Promise<Vitals> {
  child.send({})
  const [vitals] = (await once(child, 'message')) as [Vitals]
  return vitals
}
