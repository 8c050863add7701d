import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'

export interface Peek {
  readonly status: number
  /** The other machine's time, milliseconds since the epoch, to the second. */
  readonly time: number | undefined
  readonly text: string
}

const TIMEOUT_MS = 5_000
const MOST_BYTES = 65_536

/** One GET without credentials. @throws what the connection fails with */
export function peek(url: string, ca?: Buffer): Promise<Peek> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? secureRequest : plainRequest
    const options = { agent: false, ...(ca === undefined ? {} : { ca }) } as const
    const asked = request(url, options, (response) => {
      const pieces: Buffer[] = []
      let size = 0
      response.on('data', (piece: Buffer) => {
        size += piece.length
        if (size <= MOST_BYTES) pieces.push(piece)
        else response.destroy()
      })
      response.on('close', () => {
        const time = Date.parse(response.headers.date ?? '')
        resolve({
          status: response.statusCode ?? 0,
          time: Number.isNaN(time) ? undefined : time,
          text: Buffer.concat(pieces).toString('utf8'),
        })
      })
    })
    asked.setTimeout(TIMEOUT_MS, () => asked.destroy(new Error('no answer in time')))
    asked.on('error', reject)
    asked.end()
  })
}
