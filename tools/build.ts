import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import path from 'node:path'

/** `npm run build`: `dist` holds the compiled sources, and every file of `src` that is not TypeScript as it is. */
const root = path.resolve(import.meta.dirname, '..')
rmSync(path.join(root, 'dist'), { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
cpSync(path.join(root, 'src'), path.join(root, 'dist'), {
  recursive: true,
  filter: source => !source.endsWith('.ts'),
})
