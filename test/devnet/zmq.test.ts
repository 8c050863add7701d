import type { Devnet } from '@kaccy/devnet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  countsIn,
  type Heard,
  isTip,
  listen,
  pause,
  publishing,
  rawSubscriber,
  shop,
  subscribed,
  until,
} from './subscriber.ts'

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
