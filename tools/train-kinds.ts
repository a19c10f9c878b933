import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { halves, labelledRequests } from './routing/kinds/labelled.ts'
import { trainKinds } from './routing/kinds/train.ts'

const file = path.resolve(import.meta.dirname, '../src/router/kinds/weights.json')

/** `npm run train:kinds`: writes what the router sorts requests by, learned from the development half. */
writeFileSync(file, `${JSON.stringify(trainKinds(halves(labelledRequests()).development))}\n`)
