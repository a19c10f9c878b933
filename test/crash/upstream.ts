import { spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Teardown } from '../helpers/start-gateway.ts'

/** The URL of a model server in a process of its own, which ends with the test. */
export async function startUpstream(t: Teardown, seed: number): Promise<string> {
  const program = path.join(import.meta.dirname, 'upstream-process.ts')
  const child = spawn(process.execPath, [program, String(seed)], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(async () => void child.stdin.end())
  for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error('The model server ended before it listened.')
}
