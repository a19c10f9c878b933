import { once } from 'node:events'
import { connect } from 'node:net'

export interface RawReply {
  status: number
  /** Header lines, in lower case. */
  head: string
  body: string
}

/** Opens a socket to `url`, sends `text`, and what `more` writes while the socket is open; resolves when the server closes it. */
export async function rawRequest(
  url: string,
  text: string | Buffer,
  more?: (write: (bytes: string | Buffer) => Promise<boolean>) => Promise<void>,
): Promise<RawReply> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const pieces: Buffer[] = []
  socket.on('data', (piece: Buffer) => pieces.push(piece))
  // What was answered before the error counts.
  socket.on('error', () => undefined)
  const closed = new Promise(resolve => socket.once('close', resolve))
  await once(socket, 'connect')
  socket.write(text)
  await more?.(bytes => new Promise(resolve => socket.write(bytes, error => resolve(error == null))))
  await closed
  const [head = '', body = ''] = Buffer.concat(pieces).toString().split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body }
}
