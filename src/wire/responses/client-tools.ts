import { asObject, asObjects, asString, compact, type JsonObject } from '../../json.ts'

/**
 * A tool that the caller's own program runs and that OpenAI's models know without a description: other models are offered
 * a function with its published arguments, and a call of that is written as the item that the program expects.
 */
export interface ClientTool {
  /** `type` of the tool; also the name of its function. */
  readonly type: string
  /** `type` of the item that calls it; its result has `_output` behind. */
  readonly callType: string
  /** False where the request wants OpenAI's servers to run it. */
  isClientRun(tool: JsonObject): boolean
  describe(tool: JsonObject): { description: string; parameters: JsonObject }
  /** The fields of the call, from the arguments that the model wrote. */
  callFields(given: JsonObject): JsonObject
  /** The arguments, from an earlier call. */
  argumentsOf(item: JsonObject): JsonObject
  /** What the model reads of the result. */
  resultOf(item: JsonObject): string | JsonObject[]
}

const text = { type: 'string' }
const integer = { type: 'integer' }
const texts = { type: 'array', items: text }
const parameters = (properties: JsonObject, required: readonly string[]): JsonObject => ({
  type: 'object',
  properties,
  required,
})
const always = () => true
const textOr = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''))

const localShell: ClientTool = {
  type: 'local_shell',
  callType: 'local_shell_call',
  isClientRun: always,
  describe: () => ({
    description: 'Runs a program on the user’s machine and returns its output.',
    parameters: parameters(
      {
        command: { ...texts, description: 'The program and its arguments.' },
        working_directory: text,
        timeout_ms: integer,
        env: { type: 'object', additionalProperties: text },
      },
      ['command'],
    ),
  }),
  callFields: ({ command, env, ...others }) => ({
    action: {
      type: 'exec',
      command: typeof command === 'string' ? ['sh', '-c', command] : (command ?? []),
      env: env ?? {},
      ...others,
    },
  }),
  argumentsOf(item) {
    const { type: _type, ...action } = asObject(item['action']) ?? {}
    return compact(action)
  },
  resultOf: item => textOr(item['output']),
}

const shell: ClientTool = {
  type: 'shell',
  callType: 'shell_call',
  isClientRun({ environment }) {
    const where = asObject(environment)?.['type'] ?? 'local'
    return where === 'local'
  },
  describe: () => ({
    description: 'Runs shell commands on the user’s machine, one after another, and returns their output.',
    parameters: parameters({ commands: texts, timeout_ms: integer, max_output_length: integer }, ['commands']),
  }),
  callFields: ({ commands, timeout_ms = null, max_output_length = null }) => ({
    action: { commands: typeof commands === 'string' ? [commands] : (commands ?? []), timeout_ms, max_output_length },
    environment: { type: 'local' },
  }),
  argumentsOf: item => compact(asObject(item['action']) ?? {}),
  resultOf(item) {
    const outputs = asObjects(item['output']).map(({ stdout, stderr, outcome }) => {
      const end = asObject(outcome)
      const how = end?.['type'] === 'timeout' ? 'timed out' : `exit code ${textOr(end?.['exit_code'])}`
      return [asString(stdout), asString(stderr), `(${how})`]
        .filter(part => part !== undefined && part !== '')
        .join('\n')
    })
    return outputs.join('\n\n')
  },
}

const applyPatch: ClientTool = {
  type: 'apply_patch',
  callType: 'apply_patch_call',
  isClientRun: always,
  describe: () => ({
    description:
      'Creates, changes or deletes one file. A diff has lines that begin with a space (kept), - (removed) or + (added), in sections that begin with a line @@ and, to find the place, a line of the file; a new file is all + lines.',
    parameters: parameters(
      { type: { type: 'string', enum: ['create_file', 'update_file', 'delete_file'] }, path: text, diff: text },
      ['type', 'path'],
    ),
  }),
  callFields: ({ type = 'update_file', path = '', diff }) => ({
    operation: { type, path, ...(type === 'delete_file' ? {} : { diff: diff ?? '' }) },
  }),
  argumentsOf: item => asObject(item['operation']) ?? {},
  resultOf: ({ status, output }) => [asString(status), asString(output)].filter(Boolean).join(': '),
}

/** The preview and the tool that followed it differ in their name only. */
const computer = (type: string): ClientTool => ({
  type,
  callType: 'computer_call',
  isClientRun: always,
  describe({ display_width: width, display_height: height, environment }) {
    const size = typeof width === 'number' && typeof height === 'number' ? ` of ${width} × ${height} pixels` : ''
    return {
      description: `Does one thing on a screen${size} (${asString(environment) ?? 'computer'}) and returns a screenshot.`,
      parameters: parameters(
        {
          type: {
            type: 'string',
            enum: ['click', 'double_click', 'drag', 'keypress', 'move', 'screenshot', 'scroll', 'type', 'wait'],
          },
          x: integer,
          y: integer,
          button: { type: 'string', enum: ['left', 'right', 'wheel', 'back', 'forward'] },
          scroll_x: integer,
          scroll_y: integer,
          keys: texts,
          text,
          path: { type: 'array', items: parameters({ x: integer, y: integer }, ['x', 'y']) },
        },
        ['type'],
      ),
    }
  },
  callFields: given => ({ action: { type: 'screenshot', ...given }, pending_safety_checks: [] }),
  argumentsOf: item => asObject(item['action']) ?? asObjects(item['actions'])[0] ?? {},
  resultOf({ output }) {
    const url = asString(asObject(output)?.['image_url'])
    return url === undefined ? textOr(output) : [{ type: 'image_url', image_url: { url } }]
  },
})

const clientTools: readonly ClientTool[] = [
  localShell,
  shell,
  applyPatch,
  computer('computer_use_preview'),
  computer('computer'),
]

/** The client tool that a request offers with this; undefined where OpenAI's servers would run it. */
export function clientToolOf(tool: JsonObject): ClientTool | undefined {
  return clientTools.find(clientTool => clientTool.type === tool['type'] && clientTool.isClientRun(tool))
}

/** The client tool that an item of a conversation calls, or whose result it is. */
export function calledTool(itemType: string): { tool: ClientTool; isResult: boolean } | undefined {
  const tool = clientTools.find(({ callType }) => itemType === callType || itemType === `${callType}_output`)
  return tool === undefined ? undefined : { tool, isResult: itemType !== tool.callType }
}
