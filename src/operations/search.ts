import type { Core } from '../core.ts'
import { SearchInput, SearchOutput } from '../search/requests.ts'
import { operation } from './operation.ts'

export const search = operation({
  name: 'search',
  summary: 'Searches the indexed code within a token budget, with context lines around each hit and paging.',
  effect: 'read',
  needs: 'code-search',
  input: SearchInput,
  output: SearchOutput,
  run: ({ codeSearch }: Core, input, { signal }) => codeSearch().query(input, signal),
})
