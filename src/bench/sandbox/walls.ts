import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'

/**
 * The isolation of generated code in addition to WebAssembly, which every language runs in. Node's permissions cover files,
 * processes, threads and addons everywhere; the rest depends on the system.
 */
export interface Walls {
  /** What blocks the network; undefined if only WebAssembly does. */
  network: 'network namespace' | 'node permissions' | undefined
  /** The user that the code's process runs as; undefined if it is the caller's own. */
  user: 'nobody' | 'user namespace' | undefined
  /** What limits processor time, open files, processes and total memory. */
  limits: 'prlimit' | undefined
  /** The command that starts a process with this isolation, without the limit on memory. */
  launcher: readonly string[]
}

/** Whether an escape from WebAssembly would still reach neither files nor processes nor the network. */
export function isSecondWallWhole({ network }: Walls): boolean {
  return network !== undefined
}

/** The isolation as a phrase for messages. */
export function describeWalls({ network, user, limits }: Walls): string {
  const layers = [
    'WebAssembly',
    'Node permissions (files, processes, threads, addons)',
    ...(network === undefined ? [] : [network === 'node permissions' ? 'Node permissions (network)' : network]),
    ...(user === undefined ? [] : [user === 'nobody' ? 'an unprivileged user' : user]),
    ...(limits === undefined ? [] : ['resource limits']),
  ]
  return layers.join(', ')
}

/** Limit of processor time in seconds for a whole process, so that one whose parent was killed ends. */
const processorSeconds = 3_600
const limits = ['--core=0', '--fsize=0', '--nofile=64', `--cpu=${processorSeconds}`]
const rightless = ['--no-new-privs', '--inh-caps=-all', '--pdeathsig=KILL']
const nobody = 65_534
/** The limit counts the threads of every cage of the user, so it is only meaningful with a separate user. */
const processes = '--nproc=512'

/** Strongest first. Each is tested before it is used. */
function candidates(): Omit<Walls, 'network'>[] {
  if (process.platform !== 'linux') return []
  const [unshare, setpriv, prlimit] = ['unshare', 'setpriv', 'prlimit'].map(find)
  const limited = prlimit === undefined ? [] : [prlimit, ...limits]
  const own = prlimit === undefined ? [] : [...limited, processes]
  const limitedBy = prlimit === undefined ? undefined : 'prlimit'
  const alone: Omit<Walls, 'network'> = { user: undefined, limits: limitedBy, launcher: limited }
  if (unshare === undefined || setpriv === undefined) return [alone]
  const apart = ['--net', '--ipc', '--uts', '--']
  const asNobody = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--bounding-set=-all']
  if (process.getuid?.() === 0) {
    const launcher = [unshare, ...apart, setpriv, ...rightless, ...asNobody, ...own]
    const ofRoot = [unshare, ...apart, setpriv, ...rightless, '--bounding-set=-all', ...limited]
    return [{ user: 'nobody', limits: limitedBy, launcher }, { ...alone, launcher: ofRoot }, alone]
  }
  const launcher = [unshare, '--user', '--map-current-user', ...apart, setpriv, ...rightless, ...own]
  return [{ user: 'user namespace', limits: limitedBy, launcher }, alone]
}

/** Finds the isolation that this system supports, by running a small program in it that tries to reach this process. */
export async function findWalls(): Promise<Walls> {
  const server = net.createServer(socket => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const held = netPermission() ? 'node permissions' : undefined
    for (const candidate of candidates()) {
      const reached = await probe(candidate.launcher, port)
      if (reached === 'nothing') return { ...candidate, network: held ?? 'network namespace' }
      if (reached === 'the network') return { ...candidate, network: undefined }
    }
    const network = (await probe([], port)) === 'nothing' ? held : undefined
    return { network, user: undefined, limits: undefined, launcher: [] }
  } finally {
    server.close()
  }
}

function netPermission(): boolean {
  return process.allowedNodeEnvironmentFlags.has('--allow-net')
}

type Reached = 'nothing' | 'the network' | 'no start'
const probeLimitMs = 20_000

function probe(launcher: readonly string[], port: number): Promise<Reached> {
  const args = [
    ...launcher,
    process.execPath,
    '--permission',
    `--allow-fs-read=${import.meta.dirname}`,
    path.join(import.meta.dirname, `wall-probe${path.extname(import.meta.filename)}`),
    String(port),
  ]
  const command = args.shift()!
  return new Promise(resolve => {
    const options = { env: {}, cwd: import.meta.dirname, timeout: probeLimitMs }
    execFile(command, args, options, (error, stdout) => {
      const answer = stdout.trim()
      resolve(error === null && (answer === 'nothing' || answer === 'the network') ? answer : 'no start')
    })
  })
}

function find(command: string): string | undefined {
  return ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].map(folder => path.join(folder, command)).find(existsSync)
}
