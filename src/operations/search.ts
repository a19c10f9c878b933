import type { Core } from '../core.ts'
import { SearchInput, SearchOutput } from '../search/requests.ts'
import { operation } from './operation.ts'

export const search = operation({
  name: 'search',
  summary: 'Finds places in the indexed code within a budget of tokens, with lines around each hit and further pages.',
  effect: 'read',
  needs: 'code-search',
  input: SearchInput,
  output: SearchOutput,
  run: ({ codeSearch }: Core, input, { signal }) => codeSearch().query(input, signal),
})
