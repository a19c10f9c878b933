import { tries, type Try } from './try.ts'

const network: readonly (readonly [string, string])[] = [
  ['a socket', `socket.create_connection(('127.0.0.1', {{port}})) and 'connected'`],
  ['a raw socket', `socket.socket(socket.AF_INET, socket.SOCK_STREAM).connect(('127.0.0.1', {{port}})) or 'connected'`],
  ['a datagram', `socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {{port}}))`],
  ['a Unix socket', `socket.socket(socket.AF_UNIX).connect('{{folder}}/s') or 'connected'`],
  ['a listening socket', `socket.socket().bind(('127.0.0.1', 0)) or 'bound'`],
  ['a name', `socket.getaddrinfo('localhost', {{port}})`],
  ['urllib', `urllib.request.urlopen('http://127.0.0.1:{{port}}').read()`],
  ['http.client', `http.client.HTTPConnection('127.0.0.1', {{port}}).request('GET', '/') or 'sent'`],
  ['ftplib', `str(ftplib.FTP().connect('127.0.0.1', {{port}}))`],
  ['smtplib', `str(smtplib.SMTP('127.0.0.1', {{port}}))`],
  ['asyncio', `str(asyncio.new_event_loop().run_until_complete(asyncio.open_connection('127.0.0.1', {{port}})))`],
]
const networkPrelude = `import importlib, sys
for name in ['socket', '_socket', 'ssl', '_ssl', 'subprocess']: sys.modules.pop(name, None)
def bring(name):
    try: globals()[name.split('.')[0]] = __import__(name)
    except ImportError: pass
`

const processes: readonly (readonly [string, string])[] = [
  ['os.system', `os.system('touch {{folder}}/x') == 0`],
  ['os.popen', `os.popen('cat {{file}}').read()`],
  ['os.fork', `os.fork()`],
  ['os.forkpty', `os.forkpty()`],
  ['os.execv', `os.execv('/bin/sh', ['sh', '-c', 'touch {{folder}}/x'])`],
  ['os.posix_spawn', `os.posix_spawn('/bin/sh', ['sh', '-c', 'touch {{folder}}/x'], {})`],
  ['os.spawnv', `os.spawnv(os.P_NOWAIT, '/bin/sh', ['sh'])`],
  ['subprocess', `subprocess.run(['/bin/sh', '-c', 'touch {{folder}}/x']).returncode == 0`],
  [
    '_posixsubprocess',
    `_posixsubprocess.fork_exec(['/bin/sh'], [b'/bin/sh'], True, (), None, None, -1, -1, -1, -1, -1, -1, -1, -1, False, False, 0, None, None, None, -1, None)`,
  ],
  ['pty', `pty.spawn('/bin/sh')`],
  ['multiprocessing', `str(multiprocessing.Process(target=print).start() or 'started')`],
  ['a pool of processes', `list(concurrent.futures.ProcessPoolExecutor(1).map(abs, [-1]))`],
  ['a thread', `threading.Thread(target=print).start() or 'started'`],
  ['a bare thread', `_thread.start_new_thread(print, ())`],
  ['a pool of threads', `list(concurrent.futures.ThreadPoolExecutor(1).map(abs, [-1]))`],
  ['a signal to another process', `os.kill({{pid}}, 9)`],
  ['a signal to everybody', `os.kill(-1, 9)`],
  ['a signal to the group', `os.killpg(0, 9)`],
  ['an alarm', `signal.setitimer(signal.ITIMER_REAL, 0.01) and None`],
  ['another user', `os.setuid(0) or os.getuid() == 0`],
  ['a new session', `os.setsid()`],
  ['other limits', `resource.setrlimit(resource.RLIMIT_CPU, (9, 9)) or 'set'`],
  ['the scheduler', `os.nice(-10)`],
  ['a pipe into the process', `os.pipe()`],
]
const processPrelude = `import os, sys, signal
for name in ['subprocess', '_posixsubprocess', 'multiprocessing']: sys.modules.pop(name, None)
def bring(name):
    try: globals()[name.split('.')[0]] = __import__(name)
    except ImportError: pass
`

const environment: readonly (readonly [string, string])[] = [
  [
    'os.environ',
    `[v for v in os.environ if v not in ('HOME', 'PWD', 'LANG', 'USER', 'LOGNAME', 'PATH', '_', 'PYTHONINSPECT')]`,
  ],
  ['os.getenv', `os.getenv('SIGNALBOX_BAIT')`],
  ['the C library’s environment', `[v for v in posix.environ if b'NODE' in v or b'BAIT' in v]`],
  ['/proc/self/environ', `open('/proc/self/environ').read()`],
  ['os.reload_environ', `os.reload_environ() or [v for v in os.environ if 'BAIT' in v or 'NODE' in v]`],
  ['the host’s name', `os.uname().nodename == '{{host}}'`],
  ['the host’s name by platform', `platform.node() == '{{host}}'`],
  ['the user', `getpass.getuser() not in ('web_user',)`],
  ['the user’s home', `os.path.expanduser('~') not in ('/home/pyodide', '/home/web_user', '/', '~')`],
  ['the arguments', `[a for a in sys.orig_argv + sys.argv if 'node' in a or 'signalbox' in a]`],
  ['the running program', `'node' in (sys.executable or '')`],
  ['the process’s number', `os.getpid() > 1000`],
]

const modules = [
  'socket',
  'urllib.request',
  'http.client',
  'ftplib',
  'smtplib',
  'asyncio',
  'subprocess',
  '_posixsubprocess',
  'pty',
  'multiprocessing',
  'concurrent.futures',
  'threading',
  '_thread',
  'resource',
]
/** Only what the code needs, where there is such a module at all. */
function bring(code: string): string {
  return modules
    .filter(name => code.includes(`${name}.`))
    .map(name => `bring('${name}')\n`)
    .join('')
}

export const hostTries: readonly Try[] = [
  ...tries(
    'python',
    'no evidence',
    network.map(([by, code]) => [
      `reach the network by ${by}`,
      `${networkPrelude}${bring(code)}def evidence(): return ${code}`,
    ]),
  ),
  ...tries('javascript', 'no evidence', [
    ['fetch', 'const evidence = async () => (await fetch("http://127.0.0.1:{{port}}")).status'],
    ['a WebSocket', 'const evidence = () => String(new WebSocket("ws://127.0.0.1:{{port}}"))'],
    ['an XMLHttpRequest', 'const evidence = () => String(new XMLHttpRequest())'],
    [
      'a module from the network',
      'const evidence = async () => Object.keys(await import("http://127.0.0.1:{{port}}/x.js"))',
    ],
    ['the environment', 'const evidence = () => globalThis.process?.env ?? globalThis.Deno?.env'],
    ['the time of the host', 'const evidence = () => Math.abs(Date.now() - 1.7e12) > 1e9'],
  ]),
  ...tries(
    'python',
    'no evidence',
    processes.map(([by, code]) => [
      `start or steer a process by ${by}`,
      `${processPrelude}${bring(code)}def evidence(): return ${code}`,
    ]),
  ),
  ...tries(
    'python',
    'no evidence',
    environment.map(([by, code]) => [
      `read the environment by ${by}`,
      `import getpass, os, platform, posix, sys\ndef evidence(): return ${code}`,
    ]),
  ),
]
