import type { JsonObject } from '../../json.ts'

const text = { type: 'string' }
const integer = { type: 'integer' }
const range = { type: 'array', items: integer, description: 'The first and the last line, from 1; -1 is the end.' }
const replaced = { path: text, old_str: text, new_str: text, insert_line: integer, insert_text: text, file_text: text }
const commands = (names: readonly string[]) => ({ type: 'string', enum: names })

/**
 * Tools that the caller's own program runs and that Anthropic's models know without a description, with their published
 * arguments: by the name before the date in their `type`.
 */
const clientTools: Readonly<Record<string, { description: string; input_schema: JsonObject }>> = {
  bash: {
    description: 'Runs a command in a shell that keeps its state between calls. `restart` starts a new shell.',
    input_schema: { type: 'object', properties: { command: text, restart: { type: 'boolean' } } },
  },
  text_editor: {
    description:
      'Views and edits files. `view` shows a file or a folder; `create` writes file_text; `str_replace` replaces the only place of old_str by new_str; `insert` puts insert_text behind insert_line.',
    input_schema: {
      type: 'object',
      properties: { command: commands(['view', 'create', 'str_replace', 'insert']), ...replaced, view_range: range },
      required: ['command', 'path'],
    },
  },
  memory: {
    description:
      'Keeps notes in files under /memories between conversations. `view` shows a file or folder; `create` writes file_text; `str_replace` replaces old_str by new_str; `insert` puts insert_text behind insert_line; `delete` removes path; `rename` moves old_path to new_path.',
    input_schema: {
      type: 'object',
      properties: {
        command: commands(['view', 'create', 'str_replace', 'insert', 'delete', 'rename']),
        ...replaced,
        view_range: range,
        old_path: text,
        new_path: text,
      },
      required: ['command'],
    },
  },
}

/** A client tool with its description and schema; undefined where Anthropic's servers would run it. */
export function asDescribed(tool: JsonObject): JsonObject | undefined {
  const name = typeof tool['type'] === 'string' ? /^([a-z_]+)_\d{8}$/.exec(tool['type'])?.[1] : undefined
  if (name === undefined || !Object.hasOwn(clientTools, name)) return undefined
  return { ...clientTools[name], ...tool }
}
