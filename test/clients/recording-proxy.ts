import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Teardown } from '../helpers/start-gateway.ts'
import { formOf } from './wire-form.ts'

export interface RecordingProxy {
  url: string
  /** Lines of the forms of everything that passed, sorted. */
  form: () => string[]
}

const decompress: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}

/** Passes every request on to `target` and remembers its form. Upgrades are not passed on. */
export async function recordingProxy(t: Teardown, target: string): Promise<RecordingProxy> {
  const { hostname, port } = new URL(target)
  const lines = new Set<string>()
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    const { method = 'GET', url = '/', headers } = incoming
    const onward = send({ hostname, port, method, path: url, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
      answer.on('error', () => outgoing.destroy())
    })
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = bodyOf(Buffer.concat(chunks), headers['content-encoding'])
      for (const line of formOf({ method, url, headers: Object.keys(headers), body })) lines.add(line)
    })
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    form: () => [...lines].sort(),
  }
}

function bodyOf(bytes: Buffer, encoding: string | undefined): unknown {
  try {
    return JSON.parse(String(decompress[encoding ?? '']?.(bytes) ?? bytes)) as unknown
  } catch {
    return bytes.length === 0 ? undefined : 'not JSON'
  }
}
