import { GatewayError } from '../errors.ts'

const maxParts = 100
const maxHeaderBytes = 4 * 1024
const maxFieldBytes = 64 * 1024
const maxBoundaryCharacters = 200
const lineEnd = Buffer.from('\r\n')
const headerEnd = Buffer.from('\r\n\r\n')
const closing = Buffer.from('--')

/** A form as `multipart/form-data`: its text fields can be read and set, all else stays as it was sent. */
export interface MultipartForm {
  /** The text of a field; undefined where there is none, or a file. */
  field(name: string): string | undefined
  /** A file, without copying it. */
  file(name: string): { filename: string; content: Buffer } | undefined
  /** The form with the field set, in pieces: copying a large one would hold up other requests. */
  withField(name: string, value: string): readonly Buffer[]
}

/** Position of a part's content. */
interface Part {
  name: string
  /** Of a file. */
  filename: string | undefined
  start: number
  end: number
}

/** Finds the parts of a form, without copying them. Throws `invalid_request`. */
export function readForm(bytes: Buffer, contentType: string): MultipartForm {
  const boundary = boundaryOf(contentType)
  const parts = partsOf(bytes, boundary)
  const named = (name: string) => parts.find(part => part.name === name)
  return {
    field(name) {
      const part = named(name)
      if (part === undefined || part.filename !== undefined) return undefined
      if (part.end - part.start > maxFieldBytes) throw invalid(`the field ${name} is longer than 64 KB`)
      return bytes.toString('utf8', part.start, part.end)
    },
    file(name) {
      const part = named(name)
      if (part?.filename === undefined) return undefined
      return { filename: part.filename, content: bytes.subarray(part.start, part.end) }
    },
    withField(name, value) {
      const part = named(name)
      if (part !== undefined) {
        return [bytes.subarray(0, part.start), Buffer.from(value), bytes.subarray(part.end)]
      }
      const added = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
      return [Buffer.from(added), bytes]
    },
  }
}

function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? plain
  if (boundary !== undefined && boundary.length <= maxBoundaryCharacters) return boundary
  throw invalid('its Content-Type names no boundary')
}

function partsOf(bytes: Buffer, boundary: string): Part[] {
  const first = Buffer.from(`--${boundary}`)
  const next = Buffer.from(`\r\n--${boundary}`)
  const parts: Part[] = []
  let position = bytes.indexOf(first)
  if (position < 0) throw invalid('its boundary is not in it')
  position += first.length
  while (!startsWith(bytes, closing, position)) {
    if (parts.length === maxParts) throw invalid(`it has more than ${maxParts} parts`)
    if (!startsWith(bytes, lineEnd, position)) throw invalid('a boundary is not at the end of a line')
    const headersEnd = bytes.indexOf(headerEnd, position)
    if (headersEnd < 0 || headersEnd - position > maxHeaderBytes) throw invalid('a part has no end of its headers')
    const start = headersEnd + headerEnd.length
    const end = bytes.indexOf(next, start)
    if (end < 0) throw invalid('it ends in the middle of a part')
    const described = describedIn(bytes.toString('utf8', position, headersEnd))
    if (parts.some(({ name }) => name === described.name && name === 'model')) throw invalid('it names two models')
    parts.push({ ...described, start, end })
    position = end + next.length
  }
  return parts
}

function describedIn(headers: string): Pick<Part, 'name' | 'filename'> {
  const disposition = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? ''
  const name = /;\s*name="([^"]*)"/i.exec(disposition)?.[1]
  if (name === undefined) throw invalid('a part has no name')
  const filename = /;\s*filename="([^"]*)"/i.exec(disposition)?.[1]
  return { name, filename: filename ?? (/;\s*filename\*?=/i.test(disposition) ? 'file' : undefined) }
}

function startsWith(bytes: Buffer, start: Buffer, position: number): boolean {
  return bytes.subarray(position, position + start.length).equals(start)
}

function invalid(what: string): GatewayError {
  return new GatewayError('invalid_request', `The request body is not a valid form (multipart/form-data): ${what}.`)
}
