import { tries, type Try } from './try.ts'

const reading: readonly (readonly [string, string])[] = [
  ['open', `open('{{file}}').read()`],
  ['os.open', `os.read(os.open('{{file}}', os.O_RDONLY), 99).decode()`],
  ['io.FileIO', `io.FileIO('{{file}}').read().decode()`],
  ['pathlib', `pathlib.Path('{{file}}').read_text()`],
  ['a path that climbs', `open('../../../../../../../../{{file}}').read()`],
  ['a symbolic link', `(os.symlink('{{file}}', '/tmp/link'), open('/tmp/link').read())[1]`],
  ['a symbolic link to the root', `(os.symlink('/', '/tmp/root'), open('/tmp/root{{file}}').read())[1]`],
  ['a hard link', `(os.link('{{file}}', '/tmp/hard'), open('/tmp/hard').read())[1]`],
  [
    'a folder’s descriptor',
    `os.read(os.open('{{file}}'[1:], os.O_RDONLY, dir_fd=os.open('/', os.O_RDONLY)), 99).decode()`,
  ],
  ['shutil', `(shutil.copy('{{file}}', '/tmp/copy'), open('/tmp/copy').read())[1]`],
  ['mmap', `mmap.mmap(os.open('{{file}}', os.O_RDONLY), 0, prot=mmap.PROT_READ)[:].decode()`],
  ['linecache', `linecache.getlines('{{file}}')`],
  ['a source loader', `importlib.machinery.SourceFileLoader('x', '{{file}}').get_data('{{file}}').decode()`],
  ['glob', `glob.glob('{{folder}}/*')`],
  ['a walk from the root', `[f for _, _, fs in os.walk('/') for f in fs if f == 'secret.txt']`],
  ['a listing', `os.listdir('{{folder}}')`],
  ['a stat', `os.stat('{{file}}').st_size`],
  ['sqlite3', `sqlite3.connect('file:{{file}}?mode=ro', uri=True).execute('pragma schema_version').fetchall()`],
  ['sqlite3’s ATTACH', `sqlite3.connect(':memory:').execute("attach 'file:{{file}}?mode=ro' as x").fetchall()`],
  ['tokenize', `tokenize.open('{{file}}').read()`],
  ['file: addresses', `urllib.request.urlopen('file://{{file}}').read().decode()`],
  ['the accounts of the system', `open('/etc/passwd').read()`],
  ['Node’s standard descriptors', `[os.read(n, 10) for n in range(3, 40) if readable(n)]`],
  ['this process’s memory', `open('/proc/self/mem', 'rb').read(1)`],
  ['this process’s command line', `open('/proc/self/cmdline').read()`],
  ['a device', `open('/dev/mem', 'rb').read(1)`],
]

const writing: readonly (readonly [string, string])[] = [
  ['write to a file', `open('{{file}}', 'w').write('x')`],
  ['write beside a file', `open('{{folder}}/new', 'w').write('x')`],
  ['delete a file', `os.remove('{{file}}')`],
  ['rename a file', `os.rename('{{file}}', '{{file}}.x')`],
  ['truncate a file', `os.truncate('{{file}}', 0)`],
  ['change a file’s rights', `os.chmod('{{file}}', 0)`],
  ['delete a folder', `shutil.rmtree('{{folder}}')`],
  ['make a folder', `os.mkdir('{{folder}}/x')`],
  ['make a named pipe', `os.mkfifo('{{folder}}/x')`],
  ['make a device', `os.mknod('{{folder}}/x')`],
  ['save a database', `sqlite3.connect('{{folder}}/x.db').executescript('create table a (b)')`],
  ['write through a symbolic link', `(os.symlink('{{folder}}', '/tmp/l'), open('/tmp/l/x', 'w'))`],
  ['change the root', `os.chroot('{{folder}}')`],
]

const modules = [
  'glob',
  'importlib.machinery',
  'io',
  'linecache',
  'mmap',
  'os',
  'pathlib',
  'shutil',
  'sqlite3',
  'tokenize',
  'urllib.request',
]
const readable = `
def readable(n):
    try: return bool(os.read(n, 1))
    except OSError: return False
`
/** Only what the code needs: each import takes time. */
function prelude(code: string): string {
  return `import ${['os', ...modules.filter(name => code.includes(`${name}.`))].join(', ')}\n${readable}`
}

export const fileTries: readonly Try[] = [
  ...tries(
    'python',
    'no evidence',
    reading.map(([by, code]) => [`read a file of the host by ${by}`, `${prelude(code)}def evidence(): return ${code}`]),
  ),
  ...tries(
    'python',
    'no evidence',
    writing.map(([what, code]) => [
      what,
      // In memory such a path may well be made; what counts is what the host finds.
      `${prelude(code)}os.makedirs('{{folder}}', exist_ok=True)\ndef evidence():\n    ${code}\n    return None`,
    ]),
  ),
  ...tries('sql', 'stopped', [
    ['SQL attaches a file', "ATTACH '{{file}}' AS x; SELECT 1"],
    ['SQL writes a file', "VACUUM INTO '{{folder}}/x'; SELECT 1"],
    ['SQL reads a file', "SELECT readfile('{{file}}')"],
    ['SQL writes a file by a function', "SELECT writefile('{{folder}}/x', 'x')"],
    ['SQL loads an extension', "SELECT load_extension('{{file}}')"],
    ['SQL moves its temporary files', "PRAGMA temp_store_directory = '{{folder}}'; SELECT 1"],
    ['SQL reaches the schema', 'PRAGMA writable_schema = 1; SELECT 1'],
    ['SQL reads a file as a table', "CREATE VIRTUAL TABLE temp.x USING csv(filename='{{file}}'); SELECT * FROM x"],
    ['SQL lists folders', "SELECT * FROM fsdir('{{folder}}')"],
  ]),
]
