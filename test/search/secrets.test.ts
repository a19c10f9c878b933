import { homedir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { seededRandom } from '../../src/router/chance.ts'
import { languageOf } from '../../src/search/languages.ts'
import { isSecretPath } from '../../src/search/secret-names.ts'
import { withoutSecrets } from '../../src/search/secrets.ts'
import { filesIn } from '../../tools/check/files.ts'
import { scratch, startSearch, writeFiles } from '../helpers/search.ts'
import { startGateway } from '../helpers/start-gateway.ts'

/** Made up here, so that no file of this project contains what looks like a credential. */
const random = seededRandom(7)
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const made = (length: number, from = letters) =>
  Array.from({ length }, () => from[Math.floor(random() * from.length)]!).join('')
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const hex = '0123456789abcdef'
const begin = (kind: string) => `-----BEGIN ${kind}PRIVATE KEY-----\n${made(64)}\n${made(64)}\n-----END`

/** Files whose name alone says that programs keep credentials in them. */
const secretNames =
  `.netrc _netrc .npmrc .pypirc .git-credentials .aws/credentials .aws/config .docker/config.json .kube/config
.bash_history .zsh_history .psql_history .node_repl_history .envrc .env .env.local .env.production prod.env config/staging.env
credentials.json credentials.yml terraform.tfstate terraform.tfstate.backup .ssh/id_ed25519 .ssh/config deploy_rsa server.pem
tls/server.key release.keystore vault.kdbx .pgpass .my.cnf .htpasswd .s3cfg .boto .vault-token .terraformrc kubeconfig
.config/gh/hosts.yml .config/gcloud/access_tokens.db.txt .cargo/credentials.toml .m2/settings.xml secrets.yaml app.secrets.json
client_secret_12.json service-account.json application_default_credentials.json .gnupg/notes.txt passwords.txt rclone.conf
.dev.vars .git-credentials .databrickscfg local.settings.json .codex/auth.json etc/shadow`.split(/\s+/)

const secretContents: Record<string, string> = {
  'notes.txt': `walrus\n${begin('')}\n`,
  'deploy.ts': `// walrus\nexport const key = \`${begin('RSA ')}\`\n`,
  'gpg.txt': `walrus\n-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n${made(64)}\n`,
  'settings.yaml': `name: walrus\naws: AKIA${made(16, upper)}\n`,
  'app.json': `{"walrus": true, "apiKey": "${made(24)}7a8B9c"}`,
  'app.toml': `walrus = 1\npassword = "${made(10)}4f5G6h7J"\n`,
  'app.properties': `walrus=1\ndb.password=${made(12)}4f5G6h7J\n`,
  'web.xml': `<walrus><password>${made(12)}4f5G6h7J</password></walrus>`,
  'hook.yml': `walrus: https://hooks.slack.com/services/T${made(10, upper)}/B${made(10, upper)}/${made(24)}\n`,
  'database.ini': `walrus=1\nurl=postgres://app:${made(12)}9x8@db.internal/app\n`,
}

t.test('none of the files that hold secrets is found by any of its words', async t => {
  const folder = scratch(t)
  writeFiles(folder, {
    ...Object.fromEntries(secretNames.map(name => [name, `walrus ${name.replaceAll(/\W/g, ' ')}\n`])),
    ...secretContents,
    'src/walrus.ts': 'export const walrus = 1\n',
    'src/credentials.ts': 'export const walrusCredentials = readCredentials(process.env)\n',
    'src/token-counter.ts': 'export const walrusToken = "no secret"\n',
    'environment.ts': 'export const walrus = process.env\n',
    '.env.example': 'WALRUS_API_KEY=\n',
    'config.yaml': 'walrus: true\npassword: ${DATABASE_PASSWORD}\ntoken: changeme\n',
  })
  const gateway = await startGateway(t, { CODE_SEARCH_ROOTS: folder })
  const init = await gateway.post('/admin/retriv_init', { directories: [folder] })
  t.equal(init.status, 200, init.text)
  t.ok(init.json.skipped.secret >= 40, `${init.json.skipped.secret} files or folders left out`)
  const queries = ['walrus', 'credentials', 'token key password', 'BEGIN PRIVATE KEY', 'aws config', 'history']
  const found = new Set<string>()
  for (const query of queries) {
    const reply = await gateway.post('/admin/search', { query, limit: 100, context_lines: 50 })
    t.equal(reply.status, 200, reply.text)
    for (const hit of reply.json.hits) found.add(hit.path)
  }
  const ordinary = ['src/walrus.ts', 'src/credentials.ts', 'src/token-counter.ts', 'environment.ts', '.env.example']
  t.strictSame([...found].toSorted(), [...ordinary, 'config.yaml'].toSorted())
})

t.test('a credential in a program is neither shown nor searchable, and the rest of the program is', async t => {
  const secrets = {
    aws: `AKIA${made(16, upper)}`,
    github: `ghp_${made(36)}`,
    openai: `sk-proj-${made(48)}`,
    google: `AIza${made(35)}`,
    stripe: `sk_live_${made(24)}`,
    signed: `eyJ${made(30)}.eyJ${made(60)}.${made(43)}`,
    assigned: `${made(20)}7a8B9c`,
    url: `${made(12)}9x8`,
    hexadecimal: made(40, hex),
  }
  const source = `import { S3 } from 'sdk'

export function openWalrus() {
  const client = new S3({ accessKeyId: '${secrets.aws}', note: "${secrets.github}" })
  const models = connect('${secrets.openai}', '${secrets.google}', \`${secrets.stripe}\`)
  client.password = "${secrets.assigned}"
  headers['authorization'] = 'Bearer ${secrets.signed}'
  open('postgres://walrus:${secrets.url}@db.internal/walrus')
  const clientSecret: string = '${secrets.hexadecimal}'
  return client.listSeals(models)
}
`
  const shell = `# Deploys the walrus.\nexport API_TOKEN=${secrets.hexadecimal}\nmake deploy\n`
  const { init, ask } = startSearch(t, { 'walrus.ts': source, 'deploy.sh': shell })
  await init()
  for (const query of ['openWalrus list seals', 'deploy walrus', '"list"', ...Object.values(secrets)]) {
    for (const { lines } of (await ask(query, { context_lines: 50 })).hits) {
      for (const [name, secret] of Object.entries(secrets)) t.notOk(lines.includes(secret), `${name} for ${query}`)
    }
  }
  const [hit] = (await ask('openWalrus list seals')).hits
  t.equal(hit?.path, 'walrus.ts')
  t.match(hit?.lines, 'return client.listSeals(models)')
  t.match(hit?.lines, `accessKeyId: '${'*'.repeat(secrets.aws.length)}'`)
  const [script] = (await ask('deploy')).hits
  t.match(script?.lines, 'make deploy')
  const { corrections } = await ask(secrets.assigned.slice(0, -1))
  t.notMatch(JSON.stringify(corrections), new RegExp(secrets.assigned, 'i'), 'not offered as a correction')
})

t.test('what only resembles a credential stays as it is', async t => {
  for (const line of [
    'const tokens = countTokens(messages, "gpt-4o-2024-08-06")',
    'apiKeyVariable: "OPENROUTER_API_KEY",',
    'const apiKey = process.env["ANTHROPIC_API_KEY_2"]',
    'password: z.string().min(8).max(72),',
    'token: "your-token-here-123456",',
    '"tokenizer": "cl100k_base_v2_2024",',
    'secretName = "my-app-secret-v2"',
    'key: "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="',
    'const accessTokenExpires = "2024-01-15T10:00:00Z"',
    'password = "correct horse battery staple 99"',
    'url = "postgres://user:password1@localhost:5432/db"',
    'const pem = "-----BEGIN PRIVATE KEY-----"',
    'token = "00000000-0000-0000-0000-000000000000"',
    'commit 8d543ea1f0c2b7d6e5a49382716f5e4d3c2b1a09',
    'connectionString: "Server=localhost;Database=app"',
  ]) {
    t.equal(withoutSecrets(line, languageOf('a.ts', line)), line)
  }
})

t.test('nothing of this project vanishes, except what its tests plant', async t => {
  const root = path.resolve(import.meta.dirname, '../..')
  let files = 0
  for (const folder of ['src', 'tools', 'docs', 'test', 'bin']) {
    for (const extension of ['.ts', '.js', '.json', '.md']) {
      for (const { file, text } of filesIn(root, folder, extension)) {
        files++
        if (isSecretPath(`/project/${file}`)) t.fail(`${file} is left out by its name`)
        const planted = ['test/redact.test.ts', 'test/start.test.ts'].includes(file)
        if (withoutSecrets(text, languageOf(file, text.slice(0, 80))) !== text && !planted) t.fail(file)
      }
    }
  }
  t.ok(files > 500, `${files} files`)
})

t.test('without CODE_SEARCH_ROOTS the home folder as a whole is refused, with what to do', async t => {
  const gateway = await startGateway(t)
  const reply = await gateway.post('/admin/retriv_init', { directories: [homedir()] })
  t.equal(reply.status, 403)
  t.match(reply.json.error.message, /whole home folder/)
  t.match(reply.json.error.message, /CODE_SEARCH_ROOTS=/)
})

t.test('an edit that brings a secret into an indexed file takes it out again', async t => {
  const { init, pathsFor, source } = startSearch(t, { 'app.yaml': 'walrus: 1\n', 'b.ts': 'const walrus = 1\n' })
  await init()
  t.strictSame((await pathsFor('walrus')).toSorted(), ['app.yaml', 'b.ts'])
  writeFiles(source, { 'app.yaml': `walrus: 1\napi_key: ${made(24)}7a8B9c\n`, '.aws/walrus.txt': 'walrus\n' })
  t.strictSame(await pathsFor('walrus'), ['b.ts'])
  await init()
  t.strictSame(await pathsFor('walrus'), ['b.ts'])
})
