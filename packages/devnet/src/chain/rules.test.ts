import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { assembleBlock, withReservedValue } from './assemble.ts'
import { type Block, decodeBlock, grindBlock } from './block.ts'
import { sha256d } from './bytes.ts'
import { type AcceptOutcome, Chain, genesisChain } from './chain.ts'
import { LayeredMap } from './layered.ts'
import { ancestorAt, type BlockNode, makeNode } from './node.ts'
import { fundedChain, minerKey } from './start.ts'
import { decodeTransaction, encodeTransaction, type Transaction } from './transaction.ts'

const NOW = 1_700_000_000
const options = { verifySignatures: true, now: () => NOW }
const funded = () => new Chain(fundedChain(NOW), options)
let counter = 0
const blockOn = (chain: Chain, prev: BlockNode = chain.tip, fees = 0n): Block => {
  counter += 1
  const extra = Uint8Array.of(counter & 255, counter >> 8, 9)
  const coinbaseScript = minerKey.script
  return assembleBlock({ prev, transactions: [], fees, coinbaseScript, extra, now: NOW })
}
const reason = (outcome: AcceptOutcome): string =>
  outcome.kind === 'refused' ? outcome.rejection.reason : outcome.kind
const nodeOf = (chain: Chain, block: Block): BlockNode => {
  const node = chain.nodes.get(block.header.hash)
  if (!node) throw new TypeError('not in the tree')
  return node
}
/** Other header fields, with work for whatever the bits claim when it can be had in a few tries. */
function header(block: Block, edit: (view: DataView) => void): Block {
  const raw = Uint8Array.from(block.raw)
  const view = new DataView(raw.buffer)
  edit(view)
  for (let nonce = 0; (sha256d(raw.subarray(0, 80))[31] ?? 255) >= 0x7f; nonce++) {
    view.setUint32(76, nonce, true)
  }
  const changed = decodeBlock(raw)
  if (!changed) throw new TypeError('still a block')
  return changed
}
const version = (value: number) => (chain: Chain) =>
  header(blockOn(chain), (view) => view.setUint32(0, value, true))
const bits = (value: number) => (chain: Chain) =>
  header(blockOn(chain), (view) => view.setUint32(72, value, true))
/** The same block with another coinbase, and a merkle root that fits. */
function coinbase(block: Block, edit: (first: Transaction) => Partial<Transaction>): Block {
  const [first] = block.transactions
  if (!first) throw new TypeError('a block has a coinbase')
  const changed = decodeTransaction(encodeTransaction({ ...first, ...edit(first) }))
  if (!changed) throw new TypeError('still a transaction')
  return grindBlock(block.header, [changed])
}
const script = (bytes: Uint8Array) => (chain: Chain) =>
  coinbase(blockOn(chain), ({ inputs }) => ({
    inputs: inputs.map((input) => ({ ...input, script: bytes })),
  }))
const witness = (items: readonly Uint8Array[]) => (chain: Chain) =>
  coinbase(blockOn(chain), ({ inputs }) => ({
    inputs: inputs.map((input) => ({ ...input, witness: items })),
  }))
const output = (bytes: Uint8Array) => (chain: Chain) =>
  coinbase(blockOn(chain), ({ outputs }) => ({
    outputs: [{ value: 0n, script: bytes }, ...outputs.slice(1)],
  }))
/** Twice the same transaction: the root is that of a list with an odd end. Source: CVE-2012-2459. */
const repeated = (chain: Chain): Block => {
  const { header, transactions } = blockOn(chain)
  return grindBlock(header, [...transactions, ...transactions])
}
const RESERVED = new Uint8Array(32)
const CHECKSIG = 0xac

describe('rules of a block', () => {
  const cases: readonly [string, string, (chain: Chain) => Block][] = [
    ['other bits that the hash meets', 'bad-diffbits', bits(0x207ffffe)],
    ['bits of a work that is not there', 'high-hash', bits(0x1d00ffff)],
    ['bits easier than the limit', 'high-hash', bits(0x217fffff)],
    ['bits of nothing', 'high-hash', bits(0)],
    ['negative bits', 'high-hash', bits(0x20ffffff)],
    ['version 3', 'bad-version(0x00000003)', version(3)],
    ['version -1', 'bad-version(0xffffffff)', version(0xffffffff)],
    ['version 4', 'stored', version(4)],
    ['a tail that repeats itself', 'bad-txns-duplicate', repeated],
    ['a coinbase script of one byte', 'bad-cb-length', script(Uint8Array.of(1))],
    ['a coinbase script of 101 bytes', 'bad-cb-length', script(new Uint8Array(101))],
    ['a short reserved value', 'bad-witness-nonce-size', witness([new Uint8Array(31)])],
    ['two reserved values', 'bad-witness-nonce-size', witness([RESERVED, RESERVED])],
    ['no reserved value', 'bad-witness-nonce-size', witness([])],
    ['20,000 signature operations', 'stored', output(new Uint8Array(20_000).fill(CHECKSIG))],
    ['one more', 'bad-blk-sigops', output(new Uint8Array(20_001).fill(CHECKSIG))],
    ['a million bytes', 'bad-blk-length', output(new Uint8Array(1_000_000))],
    ['a little less than that', 'stored', output(new Uint8Array(999_600))],
    ['a weight over the limit', 'bad-blk-weight', output(new Uint8Array(999_801))],
    ['a negative output', 'bad-txns-vout-negative', (chain) => paid(chain, -1n)],
    ['too much money', 'bad-txns-vout-toolarge', (chain) => paid(chain, 2_100_000_000_000_001n)],
    ['more than the subsidy', 'bad-cb-amount', (chain) => paid(chain, 5_000_000_001n)],
    ['less than the subsidy', 'stored', (chain) => paid(chain, 1n)],
  ]
  const paid = (chain: Chain, value: bigint): Block =>
    coinbase(blockOn(chain), ({ outputs }) => ({
      outputs: [{ value, script: minerKey.script }, ...outputs.slice(1)],
    }))
  test.each(cases)('%s: %s', (_, expected, make) => {
    const chain = funded()
    expect(reason(chain.accept(make(chain)))).toBe(expected)
  })

  it('lets the time step back ten minutes every 144 blocks, and no second more (BIP 94)', () => {
    const chain = funded()
    const from = () => (chain.tip.height === 142 ? chain.tip.medianTime + 5000 : undefined)
    while (chain.tip.height < 143) {
      const time = from() ?? chain.tip.medianTime + 1
      chain.accept(grindBlock({ ...blockOn(chain).header, time }, blockOn(chain).transactions))
    }
    const { time } = chain.tip.header
    const at = (when: number) => {
      const block = blockOn(chain)
      return grindBlock({ ...block.header, time: when }, block.transactions)
    }
    expect(reason(chain.accept(at(time - 601)))).toBe('time-timewarp-attack')
    expect(reason(chain.accept(at(time - 600)))).toBe('stored')
  })

  it('takes the true block after one that was bent on its way', () => {
    const chain = funded()
    const block = blockOn(chain)
    expect(reason(chain.accept(repeated(chain)))).toBe('bad-txns-duplicate')
    const stripped = coinbase(block, ({ inputs }) => ({
      inputs: inputs.map((input) => ({ ...input, witness: [] })),
    }))
    expect(reason(chain.accept(stripped))).toBe('bad-witness-nonce-size')
    expect(chain.failures.size).toBe(0)
    expect(reason(chain.accept(withReservedValue(stripped)))).toBe('stored')
    expect(withReservedValue(block)).toBe(block)
  })

  it('marks what its hash covers, and refuses what builds on it', () => {
    const chain = funded()
    const bad = script(Uint8Array.of(1, 5, 0))(chain)
    expect(reason(chain.accept(bad))).toBe('bad-cb-height')
    expect(reason(chain.accept(bad))).toBe('duplicate-invalid')
    expect(reason(chain.accept(blockOn(chain, nodeOf(chain, bad))))).toBe('bad-prevblk')
    expect(chain.storeHeader(bad)).toEqual({ kind: 'refused', rejection: { reason: 'duplicate' } })
  })

  it('reads a block with anything behind it', () => {
    const { raw } = blockOn(funded())
    const longer = new Uint8Array(raw.length + 3)
    longer.set(raw)
    expect(decodeBlock(longer)?.raw).toEqual(raw)
  })
})

describe('the tree', () => {
  it('connects blocks whose headers came first, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (order) => {
        const chain = funded()
        const twin = funded()
        const blocks = Array.from({ length: 5 }, () => {
          const block = blockOn(twin)
          twin.accept(block)
          return block
        })
        for (const block of blocks) chain.storeHeader(block)
        for (const i of order) expect(reason(chain.accept(blocks[i] as Block))).toBe('stored')
        expect(chain.tip.hash).toBe(twin.tip.hash)
        expect(chain.coins.size).toBe(twin.coins.size)
      }),
      { numRuns: 30 },
    )
  })

  it('prefers the block that came first, not the header', () => {
    const chain = funded()
    const root = chain.tip
    const [one, two] = [blockOn(chain), blockOn(chain)]
    chain.storeHeader(one)
    chain.accept(two)
    chain.accept(one)
    expect(chain.tip.hash).toBe(two.header.hash)
    chain.prefer(nodeOf(chain, one))
    chain.activateBest()
    expect(chain.tip.hash).toBe(one.header.hash)
    chain.prefer(root)
    chain.activateBest()
    expect(chain.tip.hash).toBe(one.header.hash)
  })

  it('gives back what it tried of a branch that fails later', () => {
    const chain = funded()
    const root = chain.tip
    chain.accept(blockOn(chain))
    const old = chain.tip
    const first = blockOn(chain, root)
    chain.accept(first)
    const bad = blockOn(chain, nodeOf(chain, first), 1n)
    const outcome = chain.accept(bad)
    if (outcome.kind !== 'refused') throw new TypeError('refused')
    expect(outcome.rejection.reason).toBe('bad-cb-amount')
    expect(outcome.change?.undone?.map(({ node }) => node.hash)).toEqual([first.header.hash])
    expect(chain.tip).toBe(old)
  })

  it('walks to any ancestor as the slow way does', () => {
    const { header } = blockOn(new Chain(genesisChain(), options))
    const nodes: BlockNode[] = []
    for (let i = 0; i < 700; i++) nodes.push(makeNode(header, nodes[i - 1], i))
    fc.assert(
      fc.property(fc.nat(699), fc.nat(699), (from, to) => {
        const expected = to <= from ? nodes[to] : undefined
        expect(ancestorAt(nodes[from] as BlockNode, to)).toBe(expected)
      }),
    )
  })
})

test('a layered map and its copies hold what plain maps hold', () => {
  const step = fc.record({
    kind: fc.constantFrom('set', 'delete', 'copy'),
    map: fc.nat(5),
    key: fc.nat(12),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const base = new Map<number, string>([0, 1, 2, 3, 4, 5].map((i) => [i, `base ${i}`]))
      const pairs = [{ layered: new LayeredMap<number, string>(base), plain: new Map(base) }]
      steps.forEach(({ kind, map, key }, i) => {
        const pair = pairs[map % pairs.length]
        if (!pair) return
        const { layered, plain } = pair
        if (kind === 'copy') pairs.push({ layered: layered.copy(), plain: new Map(plain) })
        else if (kind === 'delete') expect(layered.delete(key)).toBe(plain.delete(key))
        else {
          layered.set(key, `${i}`)
          plain.set(key, `${i}`)
        }
      })
      for (const { layered, plain } of pairs) {
        expect(layered.size).toBe(plain.size)
        const sorted = (entries: Iterable<[number, string]>) =>
          [...entries].sort(([a], [b]) => a - b)
        expect(sorted(layered.entries())).toEqual(sorted(plain))
      }
    }),
  )
})
