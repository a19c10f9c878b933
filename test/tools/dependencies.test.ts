import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { dependencyProblems } from '../../tools/check/dependencies.ts'
import { readLockedPackages } from '../../tools/package/lockfile.ts'
import { isNeeded } from '../../tools/package/prune.ts'
import { makeSbom } from '../../tools/package/sbom.ts'
import { stagePackage } from '../../tools/package/stage.ts'

const project = path.resolve(import.meta.dirname, '../..')
const integrity = `sha512-${'A'.repeat(86)}==`

interface Locked {
  license?: string
  integrity?: string
  resolved?: string
  dev?: boolean
  hasInstallScript?: boolean
}

/** The messages about a project with one package besides `good`, which is in order. */
function problemsWith(t: Test, locked: Locked, manifest: object = {}, facts: object = {}): string[] {
  const whole = { version: '1.0.0', license: 'MIT', integrity }
  const root = t.testdir({
    'package.json': JSON.stringify({ dependencies: { good: '1.0.0' }, ...manifest }),
    'package-lock.json': JSON.stringify({
      packages: { '': {}, 'node_modules/good': whole, 'node_modules/good/node_modules/other': { ...whole, ...locked } },
    }),
    tools: {
      package: {
        'dependencies.json': JSON.stringify({
          reasons: { good: 'does good' },
          licenses: ['MIT'],
          licenseExceptions: {},
          ...facts,
        }),
      },
    },
  })
  return dependencyProblems(root).map(({ file, message }) => `${file}: ${message}`)
}

t.test('the dependencies of this project are in order', t => {
  t.same(dependencyProblems(project), [])
  t.end()
})

t.test('a package without an allowed license, a hash or the right registry is found, and one that runs a script', t => {
  t.same(problemsWith(t, {}), [])
  t.match(problemsWith(t, { license: 'GPL-3.0' }), ['package-lock.json: other 1.0.0 has the license GPL-3.0, which is'])
  t.match(problemsWith(t, { license: undefined! }), [/the license \(none\)/])
  t.same(problemsWith(t, { license: 'GPL-3.0', dev: true }), [])
  t.match(problemsWith(t, { hasInstallScript: true }), [/runs a script/])
  t.match(problemsWith(t, { hasInstallScript: true, dev: true }), [/runs a script/])
  t.same(problemsWith(t, { hasInstallScript: true, dev: true }, { allowScripts: { other: true } }), [])
  t.match(problemsWith(t, { hasInstallScript: true }, { allowScripts: { other: true } }), [/runs a script/])
  t.match(problemsWith(t, { integrity: 'sha1-AAAA' }), [/no SHA-512/])
  t.match(problemsWith(t, { resolved: 'https://registry.example/x.tgz' }), [/is not from/])
  t.match(problemsWith(t, { resolved: 'git+ssh://git@example.org/x.git#1' }), [/is not from/])
  t.same(problemsWith(t, { resolved: 'https://registry.npmjs.org/x/-/x-1.0.0.tgz' }), [])
  t.end()
})

t.test('a dependency without a reason or an exact version is found, and a reason without a dependency', t => {
  t.match(problemsWith(t, {}, { dependencies: { good: '^1.0.0' } }), [/needs an exact version, not \^1\.0\.0/])
  t.match(problemsWith(t, {}, { optionalDependencies: { more: '1.0.0' } }), [/package\.json: more needs a reason/])
  t.match(problemsWith(t, {}, {}, { reasons: { good: 'x', gone: 'x' } }), [/dependencies\.json: gone is no dependency/])
  t.end()
})

t.test('the bill of materials is valid CycloneDX and lists every package that is shipped, with its hash', async t => {
  const sbom = JSON.parse(await makeSbom(project, t.testdir())) as {
    specVersion: string
    components: { name: string; hashes?: unknown[]; licenses?: unknown[] }[]
  }
  t.equal(sbom.specVersion, '1.5')
  const shipped = readLockedPackages(project).filter(({ use }) => use !== 'development')
  const listed = new Set(sbom.components.map(({ name }) => name))
  t.same(
    shipped.filter(({ name }) => !listed.has(name)),
    [],
  )
  t.same(
    sbom.components.filter(({ hashes, licenses }) => hashes === undefined || licenses === undefined),
    [],
  )
  t.notOk(listed.has('typescript'))
})

t.test('what is published has every production dependency with its license, and nothing that does not run', t => {
  const root = t.testdir({ dist: { 'x.js': '' }, bin: {}, 'README.md': '', 'CHANGELOG.md': '', '.env.example': '' })
  for (const file of ['package.json', 'package-lock.json', 'LICENSE']) {
    cpSync(path.join(project, file), path.join(root, file))
  }
  const production = readLockedPackages(project).filter(({ use }) => use === 'production')
  symlinkSync(path.join(project, 'node_modules'), path.join(root, 'node_modules'))
  const stage = path.join(root, 'stage')
  mkdirSync(stage)
  stagePackage(root, stage)
  const manifest = JSON.parse(readFileSync(path.join(stage, 'package.json'), 'utf8')) as Record<string, object>
  t.same(manifest['bundleDependencies'], Object.keys(manifest['dependencies']!))
  t.notOk('devDependencies' in manifest || 'scripts' in manifest)
  const filesOf = (location: string) => readdirSync(path.join(stage, location))
  const isLicense = (file: string) => /^(licen[cs]e|copying)/i.test(file)
  const names = (packages: typeof production) => packages.map(({ name }) => name)
  t.same(names(production.filter(({ location }) => !filesOf(location).some(isLicense))), [])
  t.same(names(production.filter(({ location }) => !filesOf(location).includes('package.json'))), [])
  t.same(globSync(['**/*.map', '**/*.ts', '**/*.c'], { cwd: stage }), [])
  t.ok(globSync('node_modules/better-sqlite3/prebuilds/*.node', { cwd: stage }).length >= 8, 'for every platform')
  t.end()
})

t.test('licenses stay wherever they are, and nested folders that look like tests do', t => {
  t.ok(isNeeded('any', 'LICENSE-MIT.md'))
  t.ok(isNeeded('any', 'dist/test/index.js'))
  t.notOk(isNeeded('any', 'test/index.js'))
  t.notOk(isNeeded('any', 'CHANGELOG.md'))
  t.end()
})
