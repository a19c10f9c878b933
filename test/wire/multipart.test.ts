import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { readForm } from '../../src/wire/multipart.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'ü', '"', '\r', '\n', '-', '--', '\r\n--', '\0') })
const fields = fc.array(
  fc.record({ name: fc.constantFrom('model', 'prompt', 'language', 'file'), value: text, isFile: fc.boolean() }),
  { maxLength: 6 },
)

t.test('setting the model of a form changes nothing else in it, whatever its parts hold', async () => {
  await fc.assert(
    fc.asyncProperty(fields, text, async (written, model) => {
      const parts = written.filter(({ name }, index) => written.findIndex(each => each.name === name) === index)
      const form = new FormData()
      for (const { name, value, isFile } of parts) {
        if (isFile) form.append(name, new Blob([value]), 'a.bin')
        else form.append(name, value)
      }
      const { bytes, type } = await encoded(form)
      const before = await contentsOf(bytes, type)
      const read = readForm(bytes, type)
      const sentModel = parts.find(({ name, isFile }) => name === 'model' && !isFile)
      // As forms are sent, each line break in a text is CR LF.
      assert.equal(read.field('model'), sentModel === undefined ? undefined : before['model'])
      const after = await contentsOf(Buffer.concat(read.withField('model', model)), type)
      assert.equal(after['model'], model)
      assert.deepEqual({ ...after, model: '' }, { ...before, model: '' })
    }),
    { numRuns: 300 },
  )
})

t.test('any bytes are a form or are refused as none', async () => {
  const bytes = fc.uint8Array({ maxLength: 60 })
  const pieces = fc.array(
    fc.oneof(bytes, fc.constantFrom('--b', '\r\n', '\r\n\r\n', 'content-disposition: form-data; name="a"')),
  )
  fc.assert(
    fc.property(pieces, some => {
      try {
        readForm(Buffer.concat(some.map(piece => Buffer.from(piece as string))), 'multipart/form-data; boundary=b')
      } catch (error) {
        assert.ok(error instanceof GatewayError && error.code === 'invalid_request')
      }
    }),
    { numRuns: 2_000 },
  )
})

async function encoded(form: FormData): Promise<{ bytes: Buffer; type: string }> {
  const response = new Response(form)
  const type = response.headers.get('content-type')!
  return { bytes: Buffer.from(await response.arrayBuffer()), type }
}

async function contentsOf(bytes: Buffer, type: string): Promise<Record<string, string>> {
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData()
  const entries = await Promise.all(
    [...form].map(async ([name, value]) => [name, typeof value === 'string' ? value : await value.text()]),
  )
  return Object.fromEntries(entries) as Record<string, string>
}
