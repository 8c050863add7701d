import { Subscriber } from 'zeromq'

export const TOPICS = ['hashblock', 'rawblock', 'hashtx', 'rawtx', 'sequence'] as const

/** What one node published, in order: topic, body in hex, counter. */
export interface Ear {
  readonly heard: string[]
  close(): Promise<void>
}

/** Subscribes to everything. What is published before the connection stands is lost, so wait a moment. */
export function listenAt(address: string): Ear {
  const socket = new Subscriber({ receiveHighWaterMark: 0, linger: 0 })
  const heard: string[] = []
  socket.connect(address)
  socket.subscribe()
  const reading = (async () => {
    for await (const [topic, body, count] of socket) {
      if (topic && body && count) {
        heard.push(`${topic} ${body.toString('hex')} ${count.readUInt32LE()}`)
      }
    }
  })()
  return {
    heard,
    close: async () => {
      if (!socket.closed) socket.close()
      await reading
    },
  }
}

/** Waits until both have heard equally much and nothing comes any more. */
export async function quiet(one: Ear, other: Ear): Promise<void> {
  let before = -1
  for (let tries = 0; tries < 40; tries++) {
    const sum = one.heard.length + other.heard.length
    if (sum === before && one.heard.length === other.heard.length) return
    before = sum
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}
