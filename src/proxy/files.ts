import type { FastifyInstance } from 'fastify'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { mayReach } from '../operations/access.ts'
import type { Principal } from '../operations/operation.ts'
import type { FileStore, StoredFile } from '../tasks/file-store.ts'
import { readForm } from '../wire/multipart.ts'
import { forgetBody, readFormsAsBytes } from './body.ts'
import { pageOf } from './list-page.ts'

type ById = { Params: { id: string } }

const dayMs = 24 * 3_600_000
const defaultFiles = 10_000
const maxNameCharacters = 255
/** What a file may be for. Requests hold other files themselves. */
const purposes: ReadonlySet<string> = new Set(['batch'])

export type FileRouteParts = Pick<Core, 'files' | 'now' | 'newId' | 'config'>

/** `/v1/files`: the input of batches, and their results. */
export function registerFileRoutes(app: FastifyInstance, { files, now, newId, config }: FileRouteParts): void {
  app.register((scope, _options, done) => {
    readFormsAsBytes(scope)
    scope.post('/files', async incoming => {
      const { body, headers, principal } = incoming
      if (!Buffer.isBuffer(body)) {
        throw new GatewayError('invalid_request', 'Send the file as a form (multipart/form-data), with purpose=batch.')
      }
      const form = readForm(body, headers['content-type']!)
      forgetBody(incoming)
      const purpose = form.field('purpose') ?? ''
      const sent = form.file('file')
      if (sent === undefined) throw new GatewayError('invalid_request', 'file is missing.', { param: 'file' })
      if (!purposes.has(purpose)) {
        const message = `Files are kept for batches only (purpose=batch); send others inside the request that uses them.`
        throw new GatewayError('unsupported', message, { param: 'purpose' })
      }
      const filename = sent.filename.slice(0, maxNameCharacters)
      const file = newFile({ id: newId('file'), owner: principal.name, filename, purpose }, now(), config())
      await files.add(file, sent.content)
      return fileObject(file, files)
    })
    done()
  })
  app.get('/files', ({ principal, query }) =>
    pageOf(
      files
        .list()
        .filter(({ owner }) => mayReach(principal, owner))
        .map(file => fileObject(file, files)),
      query,
      defaultFiles,
    ),
  )
  app.get<ById>('/files/:id', ({ params, principal }) => fileObject(requireFile(files, params.id, principal), files))
  app.get<ById>('/files/:id/content', ({ params, principal }, reply) => {
    const { id } = requireFile(files, params.id, principal)
    return reply.type('application/jsonl').send(files.read(id))
  })
  app.delete<ById>('/files/:id', ({ params, principal }) => {
    const { id } = requireFile(files, params.id, principal)
    files.remove(id)
    return { id, object: 'file', deleted: true }
  })
}

type NewFile = Omit<StoredFile, 'createdAt' | 'expiresAt'>

/** A file that is kept as long as finished tasks are. */
export function newFile(file: NewFile, createdAt: number, { values }: ReturnType<Core['config']>): StoredFile {
  return { ...file, createdAt, expiresAt: createdAt + values.TASK_RETENTION_DAYS * dayMs }
}

/** Throws `not_found` for an unknown file and for one of another API key alike. */
export function requireFile(files: FileStore, id: string, principal: Principal): StoredFile {
  const file = files.get(id)
  if (file !== undefined && mayReach(principal, file.owner)) return file
  throw new GatewayError('not_found', `File '${id.slice(0, 100)}' not found.`)
}

function fileObject({ id, filename, purpose, createdAt, expiresAt }: StoredFile, files: FileStore) {
  return {
    id,
    object: 'file',
    bytes: files.bytes(id),
    created_at: Math.floor(createdAt / 1000),
    expires_at: Math.floor(expiresAt / 1000),
    filename,
    purpose,
    status: 'processed',
  }
}
