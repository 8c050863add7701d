import { WebSocket } from 'ws'

export interface Crowd {
  /** Messages that all of them have got. */
  readonly got: () => number
  close(): void
}
/** Clients that one address and one key may have open; see the server's limits. */
const OF_ONE = 100

/** Opens so many WebSockets, a hundred from each loopback address and with each key. */
export async function openCrowd(
  url: string,
  count: number,
  keys: readonly string[] = [],
): Promise<Crowd> {
  let got = 0
  const sockets: WebSocket[] = []
  for (let from = 0; from < count; from += OF_ONE) {
    const key = keys[from / OF_ONE]
    const some = Array.from({ length: Math.min(OF_ONE, count - from) }, () => {
      const socket = new WebSocket(url.replace('http', 'ws'), {
        localAddress: `127.0.0.${2 + from / OF_ONE}`,
        perMessageDeflate: false,
        ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
      })
      socket.on('message', () => {
        got++
      })
      return socket
    })
    await Promise.all(
      some.map(
        (socket) =>
          new Promise((resolve, reject) => {
            socket.once('open', resolve)
            socket.once('error', reject)
          }),
      ),
    )
    sockets.push(...some)
  }
  return {
    got: () => got,
    close() {
      for (const socket of sockets) socket.terminate()
    },
  }
}
