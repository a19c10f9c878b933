import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { Bait } from './try.ts'

/** Lays out what an escape would reach: a file, a folder, a server, a process and a variable of the environment. */
export async function layBait(): Promise<Bait> {
  const secret = randomUUID()
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bait-'))
  const file = path.join(folder, 'secret.txt')
  writeFileSync(file, secret)
  // For everyone, so that it is the sandbox that keeps code away, not the file's rights.
  chmodSync(folder, 0o777)
  chmodSync(file, 0o666)
  process.env.SIGNALBOX_BAIT = secret

  let visits = 0
  const server = net.createServer(socket => {
    visits++
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sleeper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore', env: {} })
  let ended = false
  sleeper.once('exit', () => {
    ended = true
  })

  return {
    file,
    folder,
    secret,
    port: (server.address() as AddressInfo).port,
    pid: sleeper.pid!,
    host: os.hostname(),
    touched: () => {
      if (visits > 0) return 'the server was visited'
      if (ended) return 'the process was ended'
      const found = readdirSync(folder)
      if (found.join() !== 'secret.txt') return `the folder holds ${found.join()}`
      return readFileSync(file, 'utf8') === secret ? undefined : 'the file was changed'
    },
    close: async () => {
      Reflect.deleteProperty(process.env, 'SIGNALBOX_BAIT')
      sleeper.kill('SIGKILL')
      server.close()
      await once(server, 'close')
      rmSync(folder, { recursive: true })
    },
  }
}
