import { createHash } from 'node:crypto'
import { createDevnet, createDevnetInProcess } from '@kaccy/devnet'
import { p2wpkh, Transaction } from '@scure/btc-signer'
import { pubECDSA } from '@scure/btc-signer/utils.js'
import { startBitcoind } from '../../../test/counterparts/bitcoind.ts'
import { findBtcd, startBtcd } from '../../../test/counterparts/btcd.ts'
import { buildBlock, OWN_SCRIPT, type OwnCoin } from '../../../test/counterparts/contract/build.ts'
import { serveDevnet } from '../../../test/counterparts/devnet.ts'
import type { TestNode } from '../../../test/counterparts/node.ts'
import { costLine, type Report, rateLine, rates } from '../measure.ts'

export const name = 'devnet'

const PAYMENTS = 1000
const BLOCKS = 100
const FEE = 1_000n

interface Contender {
  readonly name: string
  start(): Promise<TestNode>
}
async function others(): Promise<readonly Contender[]> {
  const btcd = await findBtcd()
  if ('missing' in btcd) process.stderr.write(`SKIPPED: btcd: ${btcd.missing}\n`)
  return [
    ...('found' in btcd ? [{ name: 'btcd', start: () => startBtcd() }] : []),
    ...(process.env['BITCOIND'] ? [{ name: 'Bitcoin Core', start: () => startBitcoind() }] : []),
  ]
}

const sha256 = (text: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(text).digest())
interface Work {
  /** Blocks that make a chain with `PAYMENTS` coins, each of another key. */
  readonly blocks: readonly string[]
  /** One payment from each. */
  readonly payments: readonly string[]
}
/** The same chain and the same payments for every node. */
function makeWork(genesis: string): Work {
  const time = Math.floor(Date.now() / 1000) - 600
  const plain = (prev: string, height: number) => buildBlock({ prev, height, time: time + height })
  const chain = [plain(genesis, 1)]
  for (let at = chain[0]; at && chain.length < 101; at = chain[chain.length - 1]) {
    chain.push(plain(at.hash, at.height + 1))
  }
  const [first] = chain
  const last = chain[chain.length - 1]
  if (!first || !last) throw new TypeError('a chain has blocks')
  const keys = Array.from({ length: PAYMENTS }, (_, i) => sha256(`devnet bench ${i}`))
  const locks = keys.map((key) => p2wpkh(pubECDSA(key)).script)
  const value = (first.coin.amount - 100_000n) / BigInt(PAYMENTS)
  const funding = fanOut(first.coin, locks, value)
  const block = buildBlock({
    prev: last.hash,
    height: last.height + 1,
    time: time + 200,
    transactions: [funding],
  })
  const payments = keys.map((key, index) => {
    const payment = new Transaction()
    const witnessUtxo = { script: locks[index] ?? OWN_SCRIPT, amount: value }
    payment.addInput({ txid: funding.txid, index, witnessUtxo })
    payment.addOutput({ script: OWN_SCRIPT, amount: value - FEE })
    payment.sign(key)
    payment.finalize()
    return payment.hex
  })
  return { blocks: [...chain, block].map(({ hex }) => hex), payments }
}
function fanOut(coin: OwnCoin, locks: readonly Uint8Array[], value: bigint) {
  // The key of the contract suite, which owns the coinbases of `buildBlock`.
  const key = sha256('node contract suite')
  const funding = new Transaction()
  const witnessUtxo = { script: OWN_SCRIPT, amount: coin.amount }
  funding.addInput({ txid: coin.txid, index: coin.vout, witnessUtxo })
  for (const script of locks) funding.addOutput({ script, amount: value })
  funding.sign(key)
  funding.finalize()
  const fee = coin.amount - value * BigInt(locks.length)
  return { txid: funding.id, raw: funding.extract(), fee }
}

/** Seconds to take all payments, one call each, and to mine them. */
async function payAll(node: TestNode, { blocks, payments }: Work): Promise<number> {
  for (const block of blocks) await node.submitBlock(block)
  const began = performance.now()
  for (const payment of payments) await node.rpc('sendrawtransaction', [payment])
  await node.generate(1)
  const seconds = (performance.now() - began) / 1000
  const left = (await node.rpc('getrawmempool')) as readonly string[]
  if (left.length > 0) throw new TypeError(`${node.name} left ${left.length} payments unmined`)
  return seconds
}

async function emptyBlocks(report: Report, contenders: readonly Contender[]): Promise<void> {
  const inside = createDevnetInProcess({ start: 'genesis' })
  const outside = serveDevnet(await createDevnet({ start: 'genesis' }))
  for (const contender of contenders) {
    const other = await contender.start()
    try {
      const measured = await rates({
        inside: () => inside.mine(BLOCKS).length,
        outside: async () => (await outside.generate(BLOCKS)).length,
        other: async () => (await other.generate(BLOCKS)).length,
      })
      const line = (what: string, value: number) =>
        report(rateLine(what, 'blocks/s', value, `${contender.name}, over RPC`, measured.other))
      line('devnet: empty blocks, mine(100)', measured.inside)
      line('devnet: empty blocks, over RPC', measured.outside)
    } finally {
      await other.stop()
    }
  }
  await outside.stop()
}
async function payments(report: Report, contenders: readonly Contender[]): Promise<void> {
  const first = await createDevnet({ start: 'genesis' })
  const work = makeWork(first.tip.hash)
  const node = serveDevnet(first)
  const own = await payAll(node, work)
  await node.stop()
  const what = `devnet: ${PAYMENTS.toLocaleString('en')} P2WPKH payments sent and mined, over RPC`
  for (const contender of contenders) {
    const other = await contender.start()
    report(costLine(what, 's', own, contender.name, await payAll(other, work)))
    await other.stop()
  }
}
/** Until the first answer: a devnet has a thousand coins by then, the others have none. */
async function startUp(start: () => Promise<TestNode>): Promise<number> {
  const began = performance.now()
  const node = await start()
  await node.rpc('getblockcount')
  const spent = performance.now() - began
  await node.stop()
  return spent
}
async function starts(report: Report, contenders: readonly Contender[]): Promise<void> {
  const serving = async () => serveDevnet(await createDevnet())
  const first = await startUp(serving)
  const again = await startUp(serving)
  for (const contender of contenders) {
    const other = await startUp(contender.start)
    report(
      costLine(
        'devnet: first start with coins, to the first answer',
        'ms',
        first,
        contender.name,
        other,
      ),
    )
    report(
      costLine(
        'devnet: next start with coins, to the first answer',
        'ms',
        again,
        contender.name,
        other,
      ),
    )
  }
}

export async function run(report: Report): Promise<void> {
  const contenders = await others()
  await starts(report, contenders)
  await emptyBlocks(report, contenders)
  await payments(report, contenders)
}
