import { readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { codeFrom } from '../extract.ts'
import { fenced } from './code-generation.ts'
import { prompt, verdict, type TaskReply, type Suite, type Task } from './suite.ts'

/** A line in HumanEval's format: a function to complete, and a `check` with assertions. */
const HumanEval = z.object({
  task_id: z.string(),
  prompt: z.string(),
  entry_point: z.string(),
  test: z.string(),
  canonical_solution: z.string().default(''),
})

/** A line in MBPP's format: a description, and assertions. */
const Mbpp = z.object({
  task_id: z.union([z.string(), z.number()]),
  text: z.string().optional(),
  prompt: z.string().optional(),
  code: z.string().default(''),
  test_list: z.array(z.string()).min(1),
  test_setup_code: z.string().default(''),
  test_imports: z.array(z.string()).default([]),
})

/**
 * A file of HumanEval or MBPP lines as a suite, named after the file. The difficulty of such a task is unknown, so all
 * count as medium.
 *
 * @throws GatewayError `invalid_request` naming a line that is neither
 */
export function suiteFromFile(file: string): Suite {
  const name = path.basename(file).replace(/\.jsonl?$/, '')
  const lines = read(file)
    .split('\n')
    .map(line => line.trim())
  const tasks = lines.flatMap((line, index) => (line === '' ? [] : [taskFrom(line, name, `${file}:${index + 1}`)]))
  if (tasks.length === 0) throw new GatewayError('invalid_request', `${file} contains no tasks.`)
  return { name, title: name, version: 1, maxOutputTokens: 4_096, tasks }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new GatewayError('invalid_request', `Cannot read the suite file ${file}.`, { cause })
  }
}

function taskFrom(line: string, suite: string, place: string): Task {
  let row: unknown
  try {
    row = JSON.parse(line)
  } catch (cause) {
    throw new GatewayError('invalid_request', `${place} is not valid JSON.`, { cause })
  }
  const humanEval = HumanEval.safeParse(row)
  if (humanEval.success) return humanEvalTask(humanEval.data, suite)
  const mbpp = Mbpp.safeParse(row)
  if (mbpp.success) return mbppTask(mbpp.data, suite)
  throw new GatewayError('invalid_request', `${place} is neither a HumanEval nor an MBPP line.`)
}

function humanEvalTask(row: z.output<typeof HumanEval>, suite: string): Task {
  const definition = new RegExp(`def\\s+${row.entry_point}\\b`)
  // A model may repeat the complete function or continue where the prompt ended; helpers in the prompt are kept either
  // way.
  const solution = (reply: TaskReply) => {
    const code = codeFrom(reply.content ?? '', ['python', 'py', 'python3'], definition)
    return definition.test(code) ? `${row.prompt.split(/^def /m)[0]}\n${code}` : row.prompt + code
  }
  return {
    id: `${suite}/${row.task_id}`,
    difficulty: 'medium',
    ask: prompt(
      `Complete this Python function. Reply with the whole function in one fenced block.\n\n\`\`\`python\n${row.prompt.trimEnd()}\n\`\`\``,
    ),
    check: (reply, sandbox, signal) =>
      runTests(`${solution(reply)}\n\n${row.test}\n`, `check(${row.entry_point})`, sandbox, signal),
    reference: fenced('python', row.prompt + row.canonical_solution),
    wrong: fenced('python', `${row.prompt}\n    return None`),
  }
}

function mbppTask(row: z.output<typeof Mbpp>, suite: string): Task {
  const name = /assert\s+(?:not\s+)?\(*(?:\w+\.)?(\w+)\s*\(/.exec(row.test_list[0]!)?.[1] ?? 'solution'
  const before = [...row.test_imports, row.test_setup_code].join('\n')
  return {
    id: `${suite}/${row.task_id}`,
    difficulty: 'medium',
    ask: prompt(
      `${row.text ?? row.prompt ?? ''}\n\nYour Python code must satisfy these tests:\n\n${row.test_list.join('\n')}\n\nReply with the code in one fenced block.`,
    ),
    check: (reply, sandbox, signal) => {
      const code = codeFrom(reply.content ?? '', ['python', 'py', 'python3'], new RegExp(`def\\s+${name}\\b`))
      return runTests(`${code}\n\n${before}\n`, row.test_list.join('\n'), sandbox, signal)
    },
    reference: fenced('python', row.code),
    wrong: fenced('python', `def ${name}(*args, **kwargs):\n    return None`),
  }
}

/** These formats bring their own assertions, so all that can be asked is whether they ran to their end. */
async function runTests(source: string, tests: string, sandbox: Parameters<Task['check']>[1], signal?: AbortSignal) {
  const run = await sandbox.python({ source, cases: [`${tests}\n'ran to the end'`], timeLimitMs: 10_000 }, signal)
  const outcome = run.outcomes[0]
  return verdict(
    run.failure ?? (outcome?.value === 'ran to the end' ? undefined : (outcome?.error ?? 'the tests did not run')),
  )
}
