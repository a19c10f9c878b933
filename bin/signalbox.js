#!/usr/bin/env -S MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=65536 node --max-semi-space-size=8
// Plain JavaScript that any Node understands, so that a too old one can say so instead of failing on syntax.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `signalbox needs Node 22.19 or newer; this is ${process.version}. Install a newer Node and start again.`,
  )
  process.exit(2)
}
// The default lets garbage grow to several times what lives. Collecting sooner costs a tenth more processor time and leaves a
// quarter less resident under load; sooner still, or with a smaller young generation, costs twice that for another tenth. The
// first line does the same for memory outside the heap, on systems with the GNU library.
v8.setFlagsFromString('--heap-growing-percent=40')
// Kept here rather than in the system's folder for temporary files, where other users could put code of theirs. Where it
// cannot be written, every start compiles anew.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/signalbox', import.meta.url)))
// A checkout runs its sources and never what was once built from them; a package has no sources.
const source = new URL('../src/cli/main.ts', import.meta.url)
const main = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url)
import(main.href).then(
  ({ run }) => run(),
  error => {
    console.error(`signalbox cannot start: ${error.message}`)
    process.exit(1)
  },
)
