/**
 * Many clients of the stream in a process of their own, so that the server's memory can be read alone.
 * Arguments: address, key, how many. Prints a line when all are connected, counts what comes, and prints the sum when
 * standard input says how many events each has to get; `rounds N` instead connects and disconnects N clients.
 */
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const [address = '', token = '', text = '0'] = process.argv.slice(2)
const count = Number(text)
const { port } = new URL(address)
const HEAD = `GET /v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`

const say = (line: string) => process.stdout.write(`${line}\n`)
const tally = new Map<Socket, number>()
let wanted = Number.POSITIVE_INFINITY
let done = 0

/** Counts text frames that came whole; a ping is not answered: the crowd does not live that long. */
function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(HEAD))
    let rest: Buffer = Buffer.alloc(0)
    let isOpen = false
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      if (!isOpen) {
        const end = rest.indexOf('\r\n\r\n')
        if (end < 0) return
        isOpen = true
        rest = rest.subarray(end + 4)
        tally.set(socket, 0)
        resolve(socket)
      }
      let at = 0
      let texts = 0
      while (at + 4 <= rest.length) {
        const short = (rest[at + 1] ?? 0) & 0x7f
        const start = at + (short === 126 ? 4 : 2)
        const length = short === 126 ? rest.readUInt16BE(at + 2) : short
        if (start + length > rest.length) break
        if (((rest[at] ?? 0) & 0x0f) === 1) texts += 1
        at = start + length
      }
      rest = rest.subarray(at)
      add(socket, texts)
    })
  })
}
function add(socket: Socket, texts: number): void {
  const before = tally.get(socket) ?? 0
  tally.set(socket, before + texts)
  if (before >= wanted || before + texts < wanted) return
  done += 1
  if (done === count)
    say(JSON.stringify({ type: 'done', sum: [...tally.values()].reduce((a, b) => a + b, 0) }))
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const [word, number] = line.split(' ')
  if (word === 'want') wanted = Number(number)
  if (word !== 'rounds') return
  for (let i = 0; i < Number(number); i += 50) {
    const some = await Promise.all(Array.from({ length: 50 }, open))
    for (const socket of some) socket.destroy()
    tally.clear()
  }
  say(JSON.stringify({ type: 'done', sum: 0 }))
})
for (let i = 0; i < count; i += 50)
  await Promise.all(Array.from({ length: Math.min(50, count - i) }, open))
say(JSON.stringify({ type: 'connected' }))
