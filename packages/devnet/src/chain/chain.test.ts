import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hex } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { assembleBlock } from './assemble.ts'
import { type Block, decodeBlock, genesisHex, grindBlock, subsidyAt } from './block.ts'
import { type AcceptOutcome, Chain, genesisChain } from './chain.ts'
import { namedKey, signTransaction } from './keys.ts'
import type { BlockNode } from './node.ts'
import {
  fundedChain,
  minerKey,
  START_HEIGHT,
  STRANGER_COIN_VALUE,
  strangerKey,
  strangerSource,
} from './start.ts'
import { decodeTransaction, encodeTransaction, type Transaction } from './transaction.ts'

const NOW = 1_700_000_000
/** A relative lock in units of 512 seconds. Source: BIP 68. */
const TIME = 1 << 22
const options = { verifySignatures: true, now: () => NOW }
const decode = (bytes: Uint8Array): Transaction => {
  const transaction = decodeTransaction(bytes)
  if (!transaction) throw new TypeError('not a transaction')
  return transaction
}
let counter = 0
interface Plan {
  readonly prev?: BlockNode
  readonly transactions?: readonly Transaction[]
  readonly fees?: bigint
}
const blockOn = (chain: Chain, { prev = chain.tip, transactions = [], fees = 0n }: Plan = {}) => {
  counter += 1
  const extra = Uint8Array.of(counter & 255, (counter >> 8) & 255, 7)
  const coinbaseScript = minerKey.script
  return assembleBlock({ prev, transactions, fees, coinbaseScript, extra, now: NOW })
}
const reason = (outcome: AcceptOutcome): string =>
  outcome.kind === 'refused' ? outcome.rejection.reason : outcome.kind
/** The unspent set as one comparable value. */
const coinsOf = (chain: Chain) =>
  [...chain.coins.entries()].map(([key, coin]) => `${key} ${coin.value} ${coin.height}`).sort()
/** A signed spend of the stranger's coin number `k`. */
function spendCoin(chain: Chain, k: number, value: bigint, more: Partial<Spend> = {}): Transaction {
  const source = strangerSource(chain)
  const output = source?.outputs[k]
  if (!source || !output) throw new TypeError('no start coins')
  const input = {
    txid: source.txid,
    vout: k,
    script: new Uint8Array(),
    sequence: more.sequence ?? 0xffffffff,
    witness: [],
  }
  const unsigned = encodeTransaction({
    version: 2,
    inputs: more.twice ? [input, input] : [input],
    outputs: [{ value, script: strangerKey.script }],
    locktime: more.locktime ?? 0,
  })
  return decode(signTransaction(decode(unsigned), [output], [strangerKey]).raw)
}
interface Spend {
  readonly sequence: number
  readonly locktime: number
  readonly twice: boolean
}
const funded = () => new Chain(fundedChain(NOW), options)

describe('the chain of Core', () => {
  it("starts at Core's genesis", () => {
    const block = decodeBlock(hex.decode(genesisHex))
    expect(block?.header.hash).toBe(
      '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206',
    )
    expect(new Chain(genesisChain(), options).coins.size).toBe(0)
  })

  it("takes Core's 104 regtest blocks and gives the same bytes back", () => {
    const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
    const { blocks } = JSON.parse(
      readFileSync(join(shared, 'vectors/chain/core_rpc_getblockstats.json'), 'utf8'),
    ) as { blocks: readonly string[] }
    const chain = new Chain(genesisChain(), options)
    for (const raw of blocks.slice(1)) {
      const block = decodeBlock(hex.decode(raw))
      if (!block) throw new TypeError('block does not decode')
      expect(reason(chain.accept(block))).toBe('stored')
      expect(chain.tip.hash).toBe(block.header.hash)
      expect(hex.encode(block.raw)).toBe(raw)
    }
    expect(chain.tip.height).toBe(103)
    expect(blocks).toHaveLength(104)
  })

  it('halves the subsidy every 150 blocks', () => {
    expect([0, 149, 150, 299, 300].map(subsidyAt)).toEqual([
      5_000_000_000n,
      5_000_000_000n,
      2_500_000_000n,
      2_500_000_000n,
      1_250_000_000n,
    ])
  })
})

describe('block rules', () => {
  const cases: readonly [string, (chain: Chain) => Block][] = [
    ['high-hash', (chain) => changed(chain, 0, (bytes) => spoilWork(bytes))],
    ['bad-txnmrklroot', (chain) => regrind(blockOn(chain), (t) => [...t, ...t.slice(0, 1)], false)],
    ['prev-blk-not-found', (chain) => orphan(chain)],
    ['bad-cb-missing', (chain) => regrind(blockOn(chain), () => [spendCoin(chain, 0, 1000n)])],
    ['bad-cb-multiple', (chain) => regrind(blockOn(chain), (t) => [...t, ...coinbase(chain, 9)])],
    ['bad-cb-height', (chain) => regrind(blockOn(chain), () => coinbase(chain, 9))],
    ['bad-cb-amount', (chain) => blockOn(chain, { fees: 1n })],
    ['bad-txns-inputs-missingorspent', (chain) => twoSpends(chain)],
    ['bad-txns-in-belowout', (chain) => one(chain, spendCoin(chain, 1, STRANGER_COIN_VALUE + 1n))],
    ['bad-txns-inputs-duplicate', (chain) => one(chain, spendCoin(chain, 1, 5n, { twice: true }))],
    ['bad-txns-nonfinal', (chain) => one(chain, locked(chain, START_HEIGHT + 1))],
    ['bad-txns-nonfinal', (chain) => one(chain, spendCoin(chain, 1, 5000n, { sequence: 7 }))],
    [
      'bad-txns-nonfinal',
      (chain) => one(chain, spendCoin(chain, 1, 5000n, { sequence: TIME + 8 })),
    ],
    ['bad-txns-premature-spend-of-coinbase', (chain) => one(chain, earlyCoinbase(chain))],
    ['bad-witness-merkle-match', (chain) => strippedCommitment(chain)],
    ['unexpected-witness', (chain) => regrind(blockOn(chain), (t) => noCommitment(chain, t))],
    ['time-too-old', (chain) => regrindTime(chain, chain.tip.medianTime)],
    ['time-too-new', (chain) => regrindTime(chain, NOW + 7201 + 60)],
  ]
  test.each(cases)('%s', (expected, make) => {
    const chain = funded()
    const before = coinsOf(chain)
    const block = make(chain)
    expect(reason(chain.accept(block))).toBe(expected)
    expect(chain.tip.height).toBe(START_HEIGHT)
    expect(coinsOf(chain)).toEqual(before)
  })

  it('takes the same things when they are right', () => {
    const chain = funded()
    // The coins are of block 105 and the next is 111; six blocks between are an hour of median time.
    const relative = spendCoin(chain, 1, 5000n, { sequence: 6 })
    const timed = spendCoin(chain, 4, 5000n, { sequence: TIME + 7 })
    const absolute = spendCoin(chain, 2, 5000n, { locktime: START_HEIGHT, sequence: 0 })
    const whole = spendCoin(chain, 3, STRANGER_COIN_VALUE)
    const transactions = [relative, timed, absolute, whole, matureCoinbase(chain)]
    const outcome = chain.accept(blockOn(chain, { transactions, fees: 9n }))
    expect(reason(outcome)).toBe('stored')
  })

  it('refuses a signature with one bit flipped, by name', () => {
    const chain = funded()
    const raw = Uint8Array.from(spendCoin(chain, 3, 1000n).raw)
    const at = raw.length - 60
    raw[at] = (raw[at] ?? 0) ^ 1
    const outcome = chain.accept(blockOn(chain, { transactions: [decode(raw)] }))
    expect(reason(outcome)).toMatch(/^mandatory-script-verify-flag-failed \(/)
  })

  it('knows a block that it has', () => {
    const chain = funded()
    const block = blockOn(chain)
    expect(reason(chain.accept(block))).toBe('stored')
    expect(reason(chain.accept(block))).toBe('duplicate')
    const bad = blockOn(chain, { fees: 1n })
    expect(reason(chain.accept(bad))).toBe('bad-cb-amount')
    expect(reason(chain.accept(bad))).toBe('duplicate-invalid')
  })
})

describe('branches', () => {
  it('stays on the branch that came first until another has more work', () => {
    const chain = funded()
    const root = chain.tip
    const first = blockOn(chain)
    chain.accept(first)
    const rival = blockOn(chain, { prev: root })
    chain.accept(rival)
    expect(chain.tip.hash).toBe(first.header.hash)
    const node = chain.nodes.get(rival.header.hash)
    if (!node) throw new TypeError('the rival is stored')
    const second = blockOn(chain, { prev: node })
    const outcome = chain.accept(second)
    expect(chain.tip.hash).toBe(second.header.hash)
    if (outcome.kind !== 'stored') throw new TypeError('stored')
    expect(outcome.change.disconnected.map(({ header }) => header.hash)).toEqual([
      first.header.hash,
    ])
    expect(outcome.change.connected.map(({ node: { hash } }) => hash)).toEqual([
      rival.header.hash,
      second.header.hash,
    ])
  })

  it('goes back 150 blocks and forward again to the same coins', () => {
    const chain = funded()
    const root = chain.tip
    for (let i = 0; i < 150; i++) chain.accept(blockOn(chain))
    const before = coinsOf(chain)
    const oldTip = chain.tip
    const firstDropped = chain.active[root.height + 1]
    let prev = root
    for (let i = 0; i < 151; i++) {
      const block = blockOn(chain, { prev })
      chain.accept(block)
      prev = chain.nodes.get(block.header.hash) ?? prev
    }
    expect(chain.tip).toBe(prev)
    expect(chain.forkOf(oldTip)).toBe(root)
    const rival = chain.active[root.height + 1]
    if (!rival || !firstDropped) throw new TypeError('both branches exist')
    chain.markFailed(rival)
    chain.activateBest()
    expect(chain.tip).toBe(oldTip)
    expect(coinsOf(chain)).toEqual(before)
    chain.clearFailed(rival)
    chain.activateBest()
    expect(chain.tip).toBe(prev)
  })

  it('leaves a branch whose later block breaks a rule, and stays where it was', () => {
    const chain = funded()
    const root = chain.tip
    chain.accept(blockOn(chain))
    const tip = chain.tip
    const rival = blockOn(chain, { prev: root })
    chain.accept(rival)
    const node = chain.nodes.get(rival.header.hash)
    if (!node) throw new TypeError('the rival is stored')
    const before = coinsOf(chain)
    const outcome = chain.accept(blockOn(chain, { prev: node, fees: 5n }))
    expect(reason(outcome)).toBe('bad-cb-amount')
    expect(chain.tip).toBe(tip)
    expect(coinsOf(chain)).toEqual(before)
  })

  it('has the coins of its best chain alone, in whatever order blocks came', () => {
    const step = fc.record({
      parent: fc.nat(40),
      coin: fc.nat(5),
      value: fc.bigInt(10_000n, 19_000_000n),
      action: fc.constantFrom('mine', 'mine', 'mine', 'mine', 'invalidate', 'reconsider'),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
        const chain = new Chain(fundedChain(NOW), { ...options, verifySignatures: false })
        const nodes: BlockNode[] = [chain.tip]
        for (const { parent, coin, value, action } of steps) {
          const prev = nodes[Math.max(0, nodes.length - 1 - (parent % 6))] ?? chain.tip
          if (action === 'invalidate' && prev.height > START_HEIGHT) chain.markFailed(prev)
          if (action === 'reconsider') chain.clearFailed(prev)
          if (action !== 'mine') {
            const fork = chain.active.find((node) => chain.failures.has(node.hash))
            const change = { disconnected: [], connected: [] }
            while (fork && chain.isActive(fork)) chain.disconnectTip(change)
            chain.activateBest()
            continue
          }
          const transactions = [spendCoin(chain, coin, value)]
          const block = blockOn(chain, { prev, transactions })
          chain.accept(block)
          const node = chain.nodes.get(block.header.hash)
          if (node) nodes.push(node)
        }
        const replay = new Chain(fundedChain(NOW), { ...options, verifySignatures: false })
        for (const node of chain.active.slice(START_HEIGHT + 1)) {
          const block = chain.blockOf(node)
          if (block) expect(reason(replay.accept(block))).toBe('stored')
        }
        expect(coinsOf(chain)).toEqual(coinsOf(replay))
        expect(chain.active.every((node) => !chain.failures.has(node.hash))).toBe(true)
      }),
      { numRuns: 40 },
    )
  }, 60_000)
})

// --- broken blocks --------------------------------------------------------------------------------
const one = (chain: Chain, transaction: Transaction) =>
  blockOn(chain, { transactions: [transaction] })
const twoSpends = (chain: Chain) =>
  blockOn(chain, { transactions: [spendCoin(chain, 1, 2000n), spendCoin(chain, 1, 3000n)] })
const locked = (chain: Chain, locktime: number) =>
  spendCoin(chain, 1, 5000n, { locktime, sequence: 0 })
/** The same header fields with other transactions; `honest` also fixes the merkle root. */
function regrind(
  block: Block,
  edit: (transactions: readonly Transaction[]) => readonly Transaction[],
  honest = true,
): Block {
  const transactions = edit(block.transactions)
  if (honest) return grindBlock(block.header, transactions)
  return { ...block, transactions }
}
const regrindTime = (chain: Chain, time: number): Block => {
  const block = blockOn(chain)
  return grindBlock({ ...block.header, time }, block.transactions)
}
function changed(chain: Chain, at: number, edit: (bytes: Uint8Array, at: number) => void): Block {
  const raw = Uint8Array.from(blockOn(chain).raw)
  edit(raw, at)
  const block = decodeBlock(raw)
  if (!block) throw new TypeError('still a block')
  return block
}
/** Turns nonces until the work is missing. */
function spoilWork(bytes: Uint8Array): void {
  for (let nonce = 0; ; nonce++) {
    bytes[76] = nonce
    const header = decodeBlock(bytes)?.header
    if (header && Number.parseInt(header.hash.slice(0, 2), 16) >= 0x80) return
  }
}
function orphan(chain: Chain): Block {
  const block = blockOn(chain)
  return grindBlock({ ...block.header, prev: '11'.repeat(32) }, block.transactions)
}
const coinbase = (chain: Chain, height: number): readonly Transaction[] => {
  const prev = { ...chain.tip, height: height - 1 }
  return blockOn(chain, { prev }).transactions
}
const noCommitment = (chain: Chain, [first]: readonly Transaction[]): readonly Transaction[] => {
  if (!first) return []
  const raw = encodeTransaction({ ...first, outputs: first.outputs.slice(0, 1) }, false)
  return [decode(raw), spendCoin(chain, 0, 1000n)]
}
function strippedCommitment(chain: Chain): Block {
  const [first] = blockOn(chain, { transactions: [spendCoin(chain, 0, 1000n)] }).transactions
  return regrind(blockOn(chain), () => (first ? [first, spendCoin(chain, 0, 2000n)] : []))
}
/** The next block is 111: the coinbase of block 11 is just mature, that of block 12 is not. */
const matureCoinbase = (chain: Chain) => coinbaseSpend(chain, START_HEIGHT + 1 - 100)
const earlyCoinbase = (chain: Chain) => coinbaseSpend(chain, START_HEIGHT + 2 - 100)
function coinbaseSpend(chain: Chain, height: number): Transaction {
  const node = chain.active[height]
  const source = node && chain.blockOf(node)?.transactions[0]
  const output = source?.outputs[0]
  if (!source || !output) throw new TypeError('the block pays the miner')
  const unsigned = encodeTransaction({
    version: 2,
    inputs: [
      { txid: source.txid, vout: 0, script: new Uint8Array(), sequence: 0xfffffffe, witness: [] },
    ],
    outputs: [{ value: 1000n, script: namedKey('thief').script }],
    locktime: 0,
  })
  return decode(signTransaction(decode(unsigned), [output], [minerKey]).raw)
}
