import type { Core } from '../core.ts'
import { RetrivInitInput, RetrivInitOutput } from '../search/requests.ts'
import { operation } from './operation.ts'

export const retrivInit = operation({
  name: 'retriv_init',
  summary:
    'Indexes folders of code for retriv_search and search, and keeps the index up to date. Calling it again indexes what changed.',
  effect: 'write',
  access: 'admin',
  needs: 'code-search',
  input: RetrivInitInput,
  output: RetrivInitOutput,
  run: ({ codeSearch }: Core, input, { signal, progress }) => {
    let updates = 0
    return codeSearch().init(input, signal, step => {
      updates += 1
      progress({ progress: updates, message: `${step.filesSeen} files seen, ${step.filesIndexed} indexed` })
    })
  },
})
