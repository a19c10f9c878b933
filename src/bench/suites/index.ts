import { bugFixing } from './bug-fixing.ts'
import { editing } from './editing.ts'
import { instructionFollowing } from './instructions.ts'
import { javascript } from './javascript.ts'
import { jsonOutput } from './json-output.ts'
import { longContext } from './long-context.ts'
import { python } from './python.ts'
import { reasoning } from './reasoning.ts'
import { regex } from './regex.ts'
import { sql } from './sql.ts'
import type { Suite } from './suite.ts'
import { testWriting } from './test-writing.ts'
import { toolCalls } from './tool-calls.ts'
import { formatTraps } from './traps.ts'

/** Every suite; to add one, write a file and list it here. */
export const suites: readonly Suite[] = [
  javascript,
  python,
  bugFixing,
  editing,
  testWriting,
  sql,
  regex,
  toolCalls,
  jsonOutput,
  instructionFollowing,
  longContext,
  reasoning,
  formatTraps,
]
