import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** A short skill for an agent. Its text names its arguments as `{{argument}}`. */
export interface Skill {
  name: string
  description: string
  /** Descriptions of the arguments; all are required. */
  arguments: Record<string, string>
  text: string
}

/**
 * The skills in a folder: one Markdown file each, with the front matter lines `description: …` and `argument NAME: …`
 * between two `---`. Throws when a file has no front matter or uses an argument that it does not describe.
 */
export function readSkills(folder: string): Skill[] {
  const files = readdirSync(folder).filter(file => file.endsWith('.md'))
  return files.sort().map(file => parseSkill(path.basename(file, '.md'), readFileSync(path.join(folder, file), 'utf8')))
}

/** Registers skills as prompts. */
export function registerPrompts(server: McpServer, skills: readonly Skill[]): void {
  for (const { name, description, arguments: described, text } of skills) {
    const shape = Object.entries(described).map(([argument, about]) => [argument, z.string().describe(about)] as const)
    server.registerPrompt(
      name,
      { description, ...(shape.length > 0 && { argsSchema: z.object(Object.fromEntries(shape)) }) },
      (values: Record<string, string>) => ({
        messages: [{ role: 'user', content: { type: 'text', text: fill(text, values) } }],
      }),
    )
  }
}

function parseSkill(name: string, source: string): Skill {
  const [, head, text] = /^---\n(.*?)\n---\n(.*)$/s.exec(source) ?? []
  if (head === undefined || text === undefined)
    throw new Error(`Skill ${name} has no front matter between two --- lines.`)
  const lines = head.split('\n').map(line => /^(?:argument )?([\w-]+): (.+)$/.exec(line))
  const values = lines.map(line => [line?.[1] ?? '', line?.[2] ?? ''] as const)
  const description = values.find(([key]) => key === 'description')?.[1] ?? ''
  const described = Object.fromEntries(values.filter(([key]) => key !== 'description'))
  const unknown = [...text.matchAll(/\{\{([\w-]+)\}\}/g)].find(([, key]) => described[key ?? ''] === undefined)
  if (unknown !== undefined) throw new Error(`Skill ${name} uses ${unknown[0]} without describing it.`)
  return { name, description, arguments: described, text: text.trim() }
}

function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{\{([\w-]+)\}\}/g, (whole, key: string) => values[key] ?? whole)
}
