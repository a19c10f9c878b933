import { execFileSync } from 'node:child_process'

const { MCP_URL, MCP_COMMAND, SIGNALBOX_ROOT } = process.env
const { command, args } = JSON.parse(MCP_COMMAND ?? '{}')
const server =
  MCP_URL === undefined
    ? ['-e', `SIGNALBOX_ROOT=${SIGNALBOX_ROOT}`, command, ...args]
    : [MCP_URL, '--transport', 'http']
const inspect = (...options) =>
  execFileSync(
    process.execPath,
    ['node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js', '--cli', ...server, ...options],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
// Exits with 6 for a schema that is not portable; warnings go to stderr.
inspect('--method', 'tools/list', '--strict')
const call = (name, ...options) =>
  JSON.parse(inspect('--method', 'tools/call', '--tool-name', name, '--tool-arg', ...options)).structuredContent
const { task_id } = call('route_task', 'task=DELEGATED: say hello.', 'context_length=0')
const done = call('get_task_status', `task_id=${task_id}`, 'wait_seconds=30')
console.log(done.status === 'completed' ? 'DONE' : JSON.stringify(done))
