import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** Sends bytes over a connection of their own and reads until the server closes it or has been quiet. */
export function exchange(url: string, bytes: string | Buffer, quietMs = 2_000): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    const chunks: Buffer[] = []
    const end = () => {
      socket.destroy()
      resolve(Buffer.concat(chunks).toString('latin1'))
    }
    socket.setTimeout(quietMs, end)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('close', end)
    // What the server sent before it closed has arrived.
    socket.on('error', (error: Error & { code?: string }) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? end() : reject(error),
    )
    socket.write(bytes)
  })
}

/** The first answer in what came. */
export function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0)
  return { status, head: head.toLowerCase(), body: rest.join('\r\n\r\n') }
}

export const problemIn = (text: string): { code: string; status: number; request_id: string } =>
  JSON.parse(parseAnswer(text).body)

/** A request line that `fetch` would tidy up first. */
export const getRaw = async (url: string, path: string, headers = ''): Promise<RawAnswer> =>
  parseAnswer(
    await exchange(
      url,
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${headers}\r\n`,
    ),
  )
