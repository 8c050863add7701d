import { X509Certificate } from 'node:crypto'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import type { BlockHash } from '@kaccy/bitcoin/kernel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBtcd, startBtcd } from './btcd.ts'
import { reasonToSkip, type TestNode, untilTip } from './node.ts'

const reason = reasonToSkip('btcd', await findBtcd())

describe.skipIf(reason)('btcd', () => {
  let one: TestNode
  let two: TestNode
  beforeAll(async () => {
    ;[one, two] = await Promise.all([startBtcd(), startBtcd()])
  })
  afterAll(async () => {
    await Promise.all([one?.stop(), two?.stop()])
  })

  it('is trusted by the fingerprint of its own certificate alone', async () => {
    const ca = one.source.tls?.ca ?? ''
    const pins = [new X509Certificate(ca).fingerprint256]
    const source = createBitcoindSource({ ...one.source, tls: { pins } })
    expect((await source.info()).network).toBe('regtest')
    await source.close()
  })

  it('two nodes cut apart and joined make a real reorganisation', async () => {
    const source = createBitcoindSource(one.source)
    const [common = ''] = await one.generate(1)
    await two.connect(one)
    await untilTip(two, common)
    await two.disconnect(one)
    const ours = (await one.generate(2)) as BlockHash[]
    const theirs = await two.generate(3)
    expect((await source.info()).tip.hash).toBe(ours[1])
    await two.connect(one)
    await untilTip(one, theirs[2] ?? '')
    const [left, tip] = ours
    expect(await source.header(tip ?? ('' as BlockHash))).toMatchObject({
      height: 3,
      prev: left,
      onBestChain: false,
    })
    expect(await source.hashAt(3)).toBe(theirs[1])
    await source.close()
  })

  it('a restart is seen as another life, and calls go on', async () => {
    const source = createBitcoindSource(one.source)
    // A restart within seconds of the start cannot be told from it.
    while (Number(await one.rpc('uptime')) < 4) await new Promise((done) => setTimeout(done, 200))
    const before = await source.mempool()
    expect((await source.mempool()).epoch).toBe(before.epoch)
    await one.restart()
    expect((await source.mempool()).epoch).not.toBe(before.epoch)
    await source.close()
  })

  it('lacks what it lacks, and says so', async () => {
    const source = createBitcoindSource(one.source)
    const { methods, saysInitialBlockDownload } = await source.capabilities()
    expect(methods).toMatchObject({
      getnetworkinfo: false,
      estimatesmartfee: false,
      scantxoutset: false,
      uptime: true,
      gettxspendingprevout: true,
    })
    expect(saysInitialBlockDownload).toBe(false)
    await expect(source.client.estimateSmartFee(6)).rejects.toMatchObject({
      code: 'NODE_METHOD_MISSING',
    })
    const { tip } = await source.info()
    expect((await source.client.getBlockTransactions(tip.hash))?.transactions).toHaveLength(1)
    expect((await source.client.getMiningInfo()).blocks).toBe(tip.height)
    expect((await source.client.getChainTips()).length).toBeGreaterThan(0)
    await source.close()
  })
})
