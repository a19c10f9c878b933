import { checkAims } from './red-team/check.ts'

await checkAims(['the next program', 'time and memory'])
