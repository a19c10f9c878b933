import { javascript } from './javascript.ts'
import { python } from './python.ts'
import type { Suite } from './suite.ts'

/** Every suite; a new one is a file and its name here. */
export const suites: readonly Suite[] = [javascript, python]
