#!/usr/bin/env -S node --max-semi-space-size=4
import { existsSync } from 'node:fs'

// Plain JavaScript that any Node understands, so that a too old one can say so instead of failing on syntax.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `signalbox needs Node 22.19 or newer; this is ${process.version}. Install a newer Node and start again.`,
  )
  process.exit(2)
}
// The package holds what was built; a clone runs as it is, and what was built in it once may be old.
const source = new URL('../src/main.ts', import.meta.url)
import(existsSync(source) ? source.href : '../dist/main.js').then(
  ({ run }) => run(),
  error => {
    console.error(`signalbox cannot start: ${error.message}`)
    process.exit(1)
  },
)
