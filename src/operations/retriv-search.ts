import type { Core } from '../core.ts'
import { RetrivSearchInput, SearchOutput } from '../search/requests.ts'
import { operation } from './operation.ts'

export const retrivSearch = operation({
  name: 'retriv_search',
  summary: 'Searches the indexed code: path, lines and why they matched, best first.',
  effect: 'read',
  core: true,
  needs: 'code-search',
  input: RetrivSearchInput,
  output: SearchOutput,
  run: ({ codeSearch }: Core, input, { signal }) => codeSearch().query(input, signal),
})
