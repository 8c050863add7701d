import { type OutPoint, outPointKey, toHex, txid } from '@kaccy/bitcoin/kernel'
import { merkleRootOf, scanBlock } from '@kaccy/bitcoin/protocol/block'
import { TransactionScan, transactionOfOutput, txidAt } from '@kaccy/bitcoin/protocol/transaction'
import { createOutpointSet, createWatchSet } from '@kaccy/bitcoin/wallet'
import { Block } from 'bitcoinjs-lib'
import { costLine, type Report, rates } from '../measure.ts'
import { fullBlock, scriptNumber, seeded } from '../synthetic.ts'

export const name = 'scan'

const WATCHED = 1_000_000
const COINS = 100_000
/** Different blocks in turn, so that caches are as cold as in life. */
const BLOCKS = 8

const entropy = { bytes: (length: number) => seeded(99).bytes(length) }

interface World {
  readonly blocks: readonly Buffer[]
  readonly coins: readonly OutPoint[]
}
function prepare(): World {
  const random = seeded(5)
  const coins = Array.from({ length: COINS }, () => ({
    txid: txid(toHex(random.bytes(32))),
    vout: random.int(3),
  }))
  const blocks = Array.from({ length: BLOCKS }, (_, i) =>
    Buffer.from(fullBlock(i + 1, (n) => scriptNumber(n, 0), coins).bytes),
  )
  return { blocks, coins }
}

/** Finds what pays us or spends from us, as the engine does: ids of hits only. Answers how many hits there were. */
function ours({ blocks, coins }: World): (i: number) => number {
  const scripts = createWatchSet(entropy, WATCHED)
  for (let i = 0; i < WATCHED; i++) scripts.add(scriptNumber(i, 0), i)
  const points = createOutpointSet(entropy, COINS)
  for (const coin of coins) points.add(coin)
  const scan = new TransactionScan()
  return (i) => {
    const bytes = blocks[i % BLOCKS] as Buffer
    const scanned = scanBlock(bytes, scan)
    if (!scanned.ok) throw new TypeError(scanned.error.message)
    let hits = 0
    for (let o = 0; o < scan.outputCount; o++) {
      if (scripts.find(bytes, scan.script[o] as number, scan.scriptLength[o] as number) < 0)
        continue
      hits += txidAt(scan, transactionOfOutput(scan, o)) === '' ? 0 : 1
    }
    for (let n = 0; n < scan.inputCount; n++) {
      if (points.has(bytes, scan.outpoint[n] as number)) hits++
    }
    return hits
  }
}

/** The usual way: the block as objects, scripts and outpoints as text in a Map and a Set. */
function usual({ blocks, coins }: World): (i: number) => number {
  const scripts = new Map<string, number>()
  for (let i = 0; i < WATCHED; i++) scripts.set(Buffer.from(scriptNumber(i, 0)).toString('hex'), i)
  const points = new Set(coins.map(outPointKey))
  return (i) => {
    const block = Block.fromBuffer(blocks[i % BLOCKS] as Buffer)
    let hits = 0
    for (const transaction of block.transactions ?? []) {
      for (const output of transaction.outs) {
        if (scripts.get(Buffer.from(output.script).toString('hex')) === undefined) continue
        hits += transaction.getId() === '' ? 0 : 1
      }
      for (const { hash, index } of transaction.ins) {
        if (points.has(`${Buffer.from(hash).reverse().toString('hex')}:${index}`)) hits++
      }
    }
    return hits
  }
}

const counting = (work: (i: number) => unknown): (() => number) => {
  let i = 0
  return () => {
    work(i++)
    return 1
  }
}

export async function run(report: Report): Promise<void> {
  const world = prepare()
  const [find, findUsually] = [ours(world), usual(world)]
  for (let i = 0; i < BLOCKS; i++) {
    const [hits, expected] = [find(i), findUsually(i)]
    if (hits !== expected || hits === 0) throw new TypeError(`${hits} hits instead of ${expected}`)
  }
  const scan = new TransactionScan()
  const block = (i: number): Buffer => world.blocks[i % BLOCKS] as Buffer
  const measured = await rates({
    match: counting(find),
    usual: counting(findUsually),
    scan: counting((i) => scanBlock(block(i), scan)),
    parse: counting((i) => Block.fromBuffer(block(i))),
    root: counting((i) => {
      scanBlock(block(i), scan)
      return merkleRootOf(scan)
    }),
    rootUsually: counting((i) =>
      Block.calculateMerkleRoot(Block.fromBuffer(block(i)).transactions ?? []),
    ),
  })
  const cost = (what: string, value: number, baseline: string, other: number) =>
    report(costLine(what, 'ms/block', 1000 / value, baseline, 1000 / other))
  cost(
    'match a full block against 1,000,000 scripts',
    measured.match,
    'bitcoinjs-lib Block.fromBuffer + Map',
    measured.usual,
  )
  cost('scan a full block', measured.scan, 'bitcoinjs-lib Block.fromBuffer', measured.parse)
  cost(
    'scan a full block and hash its merkle root',
    measured.root,
    'bitcoinjs-lib calculateMerkleRoot',
    measured.rootUsually,
  )
}
