import { connect, type Socket } from 'node:net'
import { addressOf, createDevnet, type Devnet, namedKey } from '@kaccy/devnet'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { Subscriber } from 'zeromq'

const NOW = 1_795_370_832_000
const shop = addressOf(namedKey('shop').script) ?? ''
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const open: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

type Options = Parameters<typeof createDevnet>[0]
async function publishing(zmq: NonNullable<Options>['zmq'] = true): Promise<Devnet> {
  const devnet = await createDevnet({ clock: () => NOW, verifySignatures: false, zmq })
  open.push(() => devnet.close())
  return devnet
}
interface Heard {
  readonly topic: string
  readonly body: Buffer
  readonly count: number
}
/** A real subscriber that writes down what it hears. */
async function listen(devnet: Devnet, prefixes: readonly string[] = ['']) {
  const before = devnet.zmq?.subscribers ?? 0
  const addresses = new Set(Object.values(devnet.zmq?.addresses ?? {}))
  const socket = new Subscriber({ receiveHighWaterMark: 0, linger: 0 })
  const heard: Heard[] = []
  for (const address of addresses) socket.connect(address)
  socket.subscribe(...prefixes)
  const reading = (async () => {
    for await (const [topic, body, count] of socket) {
      if (!topic || !body || !count) continue
      heard.push({ topic: topic.toString(), body, count: count.readUInt32LE() })
    }
  })()
  const close = async () => {
    if (!socket.closed) socket.close()
    await reading
  }
  open.push(close)
  while ((devnet.zmq?.subscribers ?? 0) < before + addresses.size) await pause(2)
  await subscribed(devnet, heard)
  return { heard, close }
}
/** The subscription travels after the handshake: a probe tells when it has arrived. */
async function subscribed(devnet: Devnet, heard: Heard[]): Promise<void> {
  for (let i = 0; heard.length === 0 && i < 200; i++) {
    for (const topic of ['hashblock', 'hashtx', 'rawblock', 'rawtx', 'sequence'] as const) {
      devnet.zmq?.publish({ topic, body: PROBE })
    }
    await pause(5)
  }
  await pause(30)
  heard.length = 0
}
const PROBE = Buffer.from('probe')
const until = async (isDone: () => boolean, ms = 5000) => {
  for (let waited = 0; !isDone() && waited < ms; waited += 5) await pause(5)
}
const text = ({ topic, body }: Heard): string => {
  if (topic.startsWith('raw')) return `${topic} ${body.length}`
  const label = body.length > 32 ? ` ${String.fromCharCode(body[32] ?? 0)}` : ''
  const number = body.length === 41 ? ` ${body.readBigUInt64LE(33)}` : ''
  return `${topic} ${body.subarray(0, 32).toString('hex')}${label}${number}`
}
const block = (devnet: Devnet, hash: string) => {
  const txids = devnet.view.blockTxids(hash) ?? []
  const transactions = txids.flatMap((txid) => [
    `hashtx ${txid}`,
    `rawtx ${(devnet.rawTransaction(txid)?.length ?? 0) / 2}`,
  ])
  return { transactions, raw: `rawblock ${devnet.view.block(hash)?.length}` }
}

describe('notifications', () => {
  it('come in the order and the bytes of Core', async () => {
    const devnet = await publishing()
    const { heard } = await listen(devnet)
    const first = devnet.spend({ from: 'a', outs: [{ address: shop, amount: 5000 }], rbf: true })
    const second = devnet.spend({ from: 'a', outs: [{ address: shop, amount: 6000 }], rbf: true })
    devnet.send(first.raw)
    devnet.send(second.raw)
    const [hash = ''] = devnet.mine()
    const mined = block(devnet, hash)
    const coinbase = mined.transactions.slice(0, 2)
    devnet.call('invalidateblock', [hash])
    await until(() => heard.length >= 22)
    const accepted = ({ txid, raw }: { txid: string; raw: string }, number: number) => [
      `hashtx ${txid}`,
      `rawtx ${raw.length / 2}`,
      `sequence ${txid} A ${number}`,
    ]
    const ofSecond = accepted(second, 3).slice(0, 2)
    expect(heard.map(text)).toEqual([
      ...accepted(first, 1),
      // A replaced transaction leaves before the new one comes.
      `sequence ${first.txid} R 2`,
      ...accepted(second, 3),
      // A mined one is told of by its block alone.
      ...coinbase,
      ...ofSecond,
      `sequence ${hash} C`,
      `hashblock ${hash}`,
      mined.raw,
      // What leaves the chain is told of like what enters it, and there is no new tip.
      ...coinbase,
      ...ofSecond,
      `sequence ${hash} D`,
      ...accepted(second, 5),
    ])
    expect(heard.find(({ topic }) => topic === 'rawblock')?.body.toString('hex')).toBe(
      Buffer.from(devnet.view.block(hash) ?? []).toString('hex'),
    )
  })

  it('of a reorganisation settle the mempool before the new blocks', async () => {
    const devnet = await publishing({ topics: ['sequence', 'hashblock'] })
    const back = devnet.pay(shop, 5000n)
    const gone = devnet.strangerCoin('gone')
    const lost = devnet.spend({ from: 'gone', outs: [{ address: shop, amount: 1000 }] })
    const [old = ''] = devnet.mine()
    devnet.send(lost.raw)
    const { heard } = await listen(devnet)
    const double = devnet.spend({ from: `${gone.txid}:${gone.vout}`, outs: [], fee: 900n })
    const before = Number(
      (devnet.call('getrawmempool', [false, true]) as { mempool_sequence: number })
        .mempool_sequence,
    )
    const { mined } = devnet.reorg(1, { blocks: [[double.raw], []] })
    await until(() => heard.length >= 6)
    expect(heard.map(text)).toEqual([
      `sequence ${old} D`,
      `sequence ${lost.txid} R ${before}`,
      `sequence ${back.txid} A ${before + 1}`,
      `sequence ${mined[0]} C`,
      `sequence ${mined[1]} C`,
      `hashblock ${mined[1]}`,
    ])
  })

  it('tell random histories so that a follower knows chain and mempool', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('pay'), n: fc.nat(9) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('mine'), n: fc.nat(2) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('reorg'), n: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('evict'), n: fc.nat(9) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('invalidate'), n: fc.nat(2) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const devnet = await publishing()
        const { heard, close } = await listen(devnet)
        const start = [...Array(devnet.tip.height + 1)].map((_, i) => devnet.view.hashAt(i))
        for (const { kind, n } of steps) perform(devnet, kind, n)
        devnet.mine()
        const last = devnet.tip.hash
        await until(() => heard.at(-1)?.topic === 'rawblock' && isTip(heard, last))
        const { chain, mempool } = follow(start, heard)
        expect(chain.at(-1)).toBe(last)
        expect(chain).toEqual(
          [...Array(devnet.tip.height + 1)].map((_, i) => devnet.view.hashAt(i)),
        )
        expect([...mempool].sort()).toEqual([...devnet.view.mempool()].sort())
        await close()
        await devnet.close()
      }),
      { numRuns: 15 },
    )
  }, 60_000)
})
const isTip = (heard: readonly Heard[], hash: string): boolean =>
  heard.some(({ topic, body }) => topic === 'hashblock' && body.toString('hex') === hash)
function perform(devnet: Devnet, kind: string, n: number): void {
  const { height } = devnet.tip
  if (kind === 'mine') devnet.mine(n)
  else if (kind === 'reorg') devnet.reorg(Math.min(n, height - 110), {})
  else if (kind === 'evict') devnet.evict(...devnet.view.mempool().slice(n, n + 1))
  else if (kind === 'invalidate' && height - n > 110) {
    devnet.call('invalidateblock', [devnet.view.hashAt(height - n) ?? ''])
  } else if (kind === 'pay') {
    // Every third is a double spend: it replaces or is refused.
    devnet.trySend(
      devnet.spend({ from: `coin ${n % 3}`, outs: [{ address: shop, amount: 5000 }], rbf: true })
        .raw,
    )
  }
}
/** Chain and mempool as a program builds them from what it hears; it also checks every counter. */
function follow(start: readonly (string | undefined)[], heard: readonly Heard[]) {
  const chain = [...start]
  const mempool = new Set<string>()
  const counters = new Map<string, number>()
  let inBlock: string[] = []
  for (const { topic, body, count } of heard) {
    const known = counters.get(topic)
    if (known !== undefined) expect(count).toBe(known + 1)
    counters.set(topic, count)
    const hash = body.subarray(0, 32).toString('hex')
    if (topic === 'hashtx') inBlock.push(hash)
    if (topic !== 'sequence') continue
    const label = String.fromCharCode(body[32] ?? 0)
    if (label === 'A') mempool.add(hash)
    if (label === 'R') expect(mempool.delete(hash)).toBe(true)
    if (label === 'D') expect(chain.pop()).toBe(hash)
    if (label === 'C') {
      chain.push(hash)
      for (const txid of inBlock) mempool.delete(txid)
    }
    inBlock = []
  }
  return { chain, mempool }
}

describe('the publisher', () => {
  it('lists its addresses, one for all topics or one for each', async () => {
    const one = await publishing()
    const addresses = new Set(Object.values(one.zmq?.addresses ?? {}))
    expect(addresses.size).toBe(1)
    const two = await publishing({ topics: { rawtx: 0, hashblock: 0 }, highWaterMark: 5 })
    const listed = two.call('getzmqnotifications') as readonly object[]
    expect(listed).toEqual([
      { type: 'pubhashblock', address: two.zmq?.addresses.hashblock, hwm: 5 },
      { type: 'pubrawtx', address: two.zmq?.addresses.rawtx, hwm: 5 },
    ])
    expect(two.zmq?.addresses.hashblock).not.toBe(two.zmq?.addresses.rawtx)
    const { heard } = await listen(two)
    const [hash = ''] = two.mine()
    await until(() => heard.length >= 2)
    expect(heard.map(({ topic }) => topic).sort()).toEqual(['hashblock', 'rawtx'])
    expect(isTip(heard, hash)).toBe(true)
    const wrong = { topics: ['hashblocks'] } as unknown as { topics: ['hashblock'] }
    await expect(publishing(wrong)).rejects.toThrow('zmq has no topic hashblocks')
    await expect(publishing({ highWaterMark: 0 })).rejects.toThrow('1 or more')
  })
  it('filters by prefix', async () => {
    const devnet = await publishing()
    const { heard } = await listen(devnet, ['hash'])
    devnet.pay(shop, 5000n)
    devnet.mine()
    await until(() => heard.length >= 4)
    await pause(30)
    expect(heard.map(({ topic }) => topic)).toEqual(['hashtx', 'hashtx', 'hashtx', 'hashblock'])
  })
  it('serves 10,000 messages to a fast subscriber without losing one', async () => {
    const devnet = await publishing({ topics: ['hashtx', 'rawtx'] })
    const { heard } = await listen(devnet)
    const first = heard.length
    for (let i = 0; i < 100; i++) {
      devnet.mine(50)
      await pause(0)
    }
    await until(() => heard.length - first >= 10_000, 20_000)
    expect(heard.length - first).toBe(10_000)
    expect(devnet.zmq?.dropped).toBe(0)
    const counts = heard.filter(({ topic }) => topic === 'hashtx').map(({ count }) => count)
    expect(counts).toEqual(Array.from({ length: 5000 }, (_, i) => (counts[0] ?? 0) + i))
  }, 60_000)
  it('drops for a slow subscriber, which sees the gap in the counter', async () => {
    const devnet = await publishing({ topics: ['rawblock'], highWaterMark: 10 })
    const slow = await rawSubscriber(devnet)
    slow.pause()
    const body = Buffer.alloc(1_000_000)
    for (let i = 0; i < 60; i++) {
      devnet.zmq?.publish({ topic: 'rawblock', body })
      await pause(1)
    }
    const dropped = devnet.zmq?.dropped ?? 0
    expect(dropped).toBeGreaterThan(0)
    expect(dropped).toBeLessThan(50)
    const counts = countsIn(slow, body.length)
    slow.resume()
    await until(() => counts().length >= 60 - dropped)
    devnet.zmq?.publish({ topic: 'rawblock', body })
    await until(() => counts().length > 60 - dropped)
    const seen = counts()
    expect(seen).toHaveLength(61 - dropped)
    expect(seen.at(-1)).toBe(60)
    expect((seen.at(-1) ?? 0) - (seen[0] ?? 0) + 1 - seen.length).toBe(dropped)
  }, 30_000)
  it('takes a subscriber back after a restart, with counters from 0', async () => {
    const devnet = await publishing({ topics: ['hashblock'] })
    const { heard } = await listen(devnet)
    devnet.mine()
    await until(() => heard.length >= 1)
    await devnet.down()
    devnet.mine(3)
    await devnet.up()
    await until(() => (devnet.zmq?.subscribers ?? 0) === 1)
    heard.length = 0
    await subscribed(devnet, heard)
    devnet.mine()
    await until(() => heard.length >= 1)
    const again = heard.at(-1)
    expect(again?.body.toString('hex')).toBe(devnet.tip.hash)
    // Counted while nobody could listen: the gap is visible.
    expect(again?.count).toBeGreaterThan(3)
    await devnet.restart()
    await until(() => (devnet.zmq?.subscribers ?? 0) === 1)
    heard.length = 0
    await pause(50)
    devnet.mine()
    await until(() => heard.length >= 1)
    expect(heard.at(-1)?.count).toBe(0)
  }, 20_000)
})

const GREETING = Buffer.concat([
  Buffer.from('ff00000000000000007f0301', 'hex'),
  Buffer.from('NULL'),
  Buffer.alloc(48),
])
const command = (name: string, data: Uint8Array) => {
  const body = Buffer.concat([Buffer.of(name.length), Buffer.from(name), data])
  return Buffer.concat([Buffer.of(4, body.length), body])
}
const property = (name: string, value: string) =>
  Buffer.concat([
    Buffer.of(name.length),
    Buffer.from(name),
    Buffer.of(0, 0, 0, value.length),
    Buffer.from(value),
  ])
const READY = command('READY', property('Socket-Type', 'SUB'))
function plain(devnet: Devnet): Promise<Socket> {
  const port = Number(new URL(Object.values(devnet.zmq?.addresses ?? {})[0] ?? '').port)
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
    open.push(() => void socket.destroy())
  })
}
async function rawSubscriber(devnet: Devnet, join = command('SUBSCRIBE', new Uint8Array())) {
  const socket = await plain(devnet)
  socket.write(Buffer.concat([GREETING, READY, join]))
  await until(() => devnet.zmq?.subscribers === 1)
  await pause(20)
  return socket
}
/** The counters in the messages that a raw connection received so far. */
function countsIn(socket: Socket, size: number): () => readonly number[] {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  const head = Buffer.from('\x01\x08rawblock', 'latin1')
  return () => {
    const bytes = Buffer.concat(parts)
    const counts: number[] = []
    for (let at = bytes.indexOf(head); at >= 0; at = bytes.indexOf(head, at + 1)) {
      const count = at + head.length + 9 + size + 2
      if (count + 4 <= bytes.length) counts.push(bytes.readUInt32LE(count))
    }
    return counts
  }
}

describe('the wire', () => {
  it('speaks ZMTP 3.0 subscriptions, 3.1 commands and heartbeats', async () => {
    const devnet = await publishing({ topics: ['hashblock'] })
    const socket = await rawSubscriber(devnet, Buffer.from('\x00\x05\x01hash', 'latin1'))
    const parts: Buffer[] = []
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.write(command('PING', Buffer.from('\x00\x00hello', 'latin1')))
    const said = () => Buffer.concat(parts).toString('latin1')
    await until(() => said().includes('PONG'))
    expect(said()).toContain('\x04\x0a\x04PONGhello')
    devnet.mine()
    await until(() => said().includes('hashblock'))
    expect(said()).toContain('\x01\x09hashblock\x01\x20')
    socket.write(Buffer.from('\x00\x05\x00hash', 'latin1'))
    await pause(30)
    parts.length = 0
    devnet.mine()
    await pause(30)
    expect(said()).toBe('')
  })
  it('closes what is no subscriber, and goes on', async () => {
    const devnet = await publishing({ topics: ['hashblock'] })
    const { heard } = await listen(devnet)
    const hostile: readonly Buffer[] = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from('ff00000000000000007f01', 'hex'),
      Buffer.concat([GREETING.subarray(0, 12), Buffer.from('PLAIN'), Buffer.alloc(47)]),
      Buffer.concat([GREETING, command('READY', property('Socket-Type', 'PUSH'))]),
      Buffer.concat([GREETING, command('READY', Buffer.from([200, 1, 2]))]),
      Buffer.concat([GREETING, Buffer.from('\x00\x01\x01', 'latin1')]),
      Buffer.concat([GREETING, READY, Buffer.from('ffffffffffffffffff', 'hex')]),
      Buffer.concat([GREETING, READY, Buffer.from('02ffffffffffffffff', 'hex')]),
      Buffer.concat([GREETING, READY, Buffer.from('0400', 'hex')]),
      Buffer.concat([GREETING, READY, command('PING', Buffer.of(1))]),
      Buffer.concat([GREETING, READY, command('ERROR', Buffer.of(0))]),
    ]
    for (const bytes of hostile) {
      const socket = await plain(devnet)
      const closed = new Promise((resolve) => socket.on('close', resolve))
      socket.on('error', () => {})
      socket.resume()
      socket.write(bytes)
      await closed
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (noise, greeted) => {
        const socket = await plain(devnet)
        socket.on('error', () => {})
        socket.end(greeted ? Buffer.concat([GREETING, READY, noise]) : noise)
        socket.destroySoon()
      }),
      { numRuns: 60 },
    )
    devnet.mine()
    await until(() => heard.length >= 1)
    expect(isTip(heard, devnet.tip.hash)).toBe(true)
  }, 20_000)
})
