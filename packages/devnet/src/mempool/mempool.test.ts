import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { formatMoney } from '../chain/checks.ts'
import { createDevnetInProcess, type Devnet, type DevnetError, namedKey } from '../index.ts'
import { dustThreshold, feeAt, formatRate } from './policy.ts'

const NOW = 1_700_000_000_000
let devnet: Devnet
let now = NOW
const script = namedKey('shop').script
beforeEach(() => {
  now = NOW
  devnet = createDevnetInProcess({ clock: () => now, verifySignatures: false })
})
const pay = (from: string, amount: bigint, fee: bigint, more: { locktime?: number } = {}) =>
  devnet.spend({ from, outs: [{ script, amount }], fee, ...more })
const sent = (spend: { readonly raw: string }): string => devnet.send(spend.raw)
const refusal = (spend: { readonly raw: string }): string | undefined => devnet.trySend(spend.raw)
/** `length` transactions, each spending output 0 of the one before. */
function family(length: number, from = 'first'): string[] {
  const txids: string[] = []
  let coin = from
  let amount = 1_000_000n
  for (let i = 0; i < length; i++) {
    amount -= 1000n
    const outs = [{ script: namedKey('kaccy devnet stranger').script, amount }]
    const spend = devnet.spend({ from: coin, outs, fee: 1000n })
    const reason = devnet.trySend(spend.raw)
    if (reason !== undefined) return [...txids, reason]
    txids.push(spend.txid)
    coin = `${spend.txid}:0`
  }
  return txids
}

describe('numbers of policy', () => {
  it('are those of Core', () => {
    expect(dustThreshold({ value: 0n, script })).toBe(294n)
    const legacy = Uint8Array.from({ length: 25 }, (_, i) => [0x76, 0xa9, 20][i] ?? 0)
    expect(dustThreshold({ value: 0n, script: legacy })).toBe(546n)
    expect(dustThreshold({ value: 0n, script: Uint8Array.of(0x6a) })).toBe(0n)
    expect(feeAt(1000n, 188)).toBe(188n)
    expect(feeAt(1001n, 110)).toBe(111n)
    expect(formatRate(454_545n)).toBe('0.00454545 BTC/kvB')
    expect([0n, 1n, 100_000n, 150_000_000n].map(formatMoney)).toEqual([
      '0.00',
      '0.00000001',
      '0.001',
      '1.50',
    ])
  })
})

describe('replacement', () => {
  it('takes a better payer without any signal, and forgets the one before', () => {
    const first = sent(pay('x', 50_000n, 1000n))
    const second = sent(pay('x', 40_000n, 2000n))
    expect(devnet.view.mempool()).toEqual([second])
    expect(devnet.view.mempoolTransaction(first)).toBeUndefined()
  })
  it('wants a better rate, more fee than all it evicts, and payment for its own relay', () => {
    const first = sent(pay('x', 50_000n, 1000n))
    expect(refusal(pay('x', 40_000n, 1000n))).toMatch(
      /^insufficient fee, rejecting replacement [0-9a-f]{64}; new feerate 0\.0000\d+ BTC\/kvB <= old feerate/,
    )
    expect(refusal(pay('x', 40_000n, 1100n))).toMatch(
      /not enough additional fees to relay; 0.000001 < /,
    )
    const child = devnet.spend({
      from: `${first}:1`,
      outs: [{ script, amount: 9000n }],
      fee: 50_000n,
    })
    sent(child)
    expect(refusal(pay('x', 40_000n, 5000n))).toMatch(
      /less fees than conflicting txs; 0.00005 < 0.00051$/,
    )
    const winner = sent(pay('x', 40_000n, 60_000n))
    expect(devnet.view.mempool()).toEqual([winner])
  })
  it('refuses new unconfirmed inputs', () => {
    const parent = sent(pay('parent', 50_000n, 1000n))
    sent(pay('x', 50_000n, 1000n))
    const outs = [{ script, amount: 50_000n }]
    const greedy = devnet.spend({ from: [`${parent}:1`, 'x'], outs, fee: 90_000n })
    expect(refusal(greedy)).toBe(
      `replacement-adds-unconfirmed, replacement ${greedy.txid} adds unconfirmed input, idx 0`,
    )
  })
  it('refuses to spend what it replaces', () => {
    const first = sent(pay('x', 50_000n, 1000n))
    const outs = [{ script, amount: 50_000n }]
    const circle = devnet.spend({ from: [`${first}:1`, 'x'], outs, fee: 90_000n })
    expect(refusal(circle)).toBe(
      `bad-txns-spends-conflicting-tx, ${circle.txid} spends conflicting transaction ${first}`,
    )
  })
  it('evicts at most 100', () => {
    const names = Array.from({ length: 5 }, (_, i) => `n${i}`)
    for (const name of names) expect(family(21, name)).toHaveLength(21)
    const outs = [{ script, amount: 50_000n }]
    const spend = devnet.spend({ from: names, outs, fee: 5_000_000n })
    expect(refusal(spend)).toMatch(/^too many potential replacements, .* \(105 > 100\)\n$/)
    const fewer = devnet.spend({ from: names.slice(1), outs, fee: 5_000_000n })
    expect(refusal(fewer)).toBeUndefined()
    expect(devnet.view.mempool()).toHaveLength(22)
  })
})

describe('families', () => {
  it('grow to 25', () => {
    const chain = family(26)
    expect(chain).toHaveLength(26)
    expect(chain[25]).toMatch(
      /^too-long-mempool-chain, (too many descendants for tx [0-9a-f]{64}|too many unconfirmed ancestors) \[limit: 25\]$/,
    )
  })
  it('hold 25 and one small child more', () => {
    const stranger = namedKey('kaccy devnet stranger').script
    const outs = Array.from({ length: 27 }, () => ({ script: stranger, amount: 10_000n }))
    const parent = sent(devnet.spend({ from: 'x', outs }))
    const child = (vout: number) =>
      devnet.spend({ from: `${parent}:${vout}`, outs: [{ script, amount: 5000n }] })
    for (let vout = 0; vout < 25; vout++) expect(refusal(child(vout))).toBeUndefined()
    expect(refusal(child(25))).toBe(
      `too-long-mempool-chain, too many descendants for tx ${parent} [limit: 25]`,
    )
  })
  it('leave together', () => {
    const chain = family(5)
    expect(new Set(devnet.evict(chain[1] ?? ''))).toEqual(new Set(chain.slice(1)))
    expect(devnet.view.mempool()).toEqual([chain[0]])
  })
  it('are counted both ways', () => {
    const [first, second, third] = family(3)
    const entry = devnet.call('getmempoolentry', [second ?? '']) as Record<string, unknown>
    expect(entry).toMatchObject({
      ancestorcount: 2,
      descendantcount: 2,
      depends: [first],
      spentby: [third],
      fees: { base: 1000n, ancestor: 2000n, descendant: 2000n },
    })
  })
})

describe('blocks', () => {
  it('take what they hold and throw out what conflicts, with descendants', () => {
    const loser = sent(pay('x', 50_000n, 1000n))
    sent(devnet.spend({ from: `${loser}:1`, outs: [{ script, amount: 1000n }], fee: 500n }))
    const stays = sent(pay('y', 50_000n, 1000n))
    devnet.mineBlock({ transactions: [pay('x', 60_000n, 10n).raw] })
    expect(devnet.view.mempool()).toEqual([stays])
    devnet.mine()
    expect(devnet.view.mempool()).toEqual([])
  })
  it('give their transactions back when they leave, but for the lost', () => {
    const kept = sent(pay('x', 50_000n, 1000n))
    const lost = sent(pay('y', 50_000n, 1000n))
    const child = sent(devnet.spend({ from: `${lost}:1`, outs: [{ script, amount: 9n * 1000n }] }))
    devnet.mine()
    devnet.reorg(1, { drop: [lost] })
    expect(devnet.view.mempool()).toEqual([kept])
    expect(devnet.view.coin(child, 0)).toBeUndefined()
  })
  it('that leave give back a child of a later block after its parent', () => {
    const parent = sent(pay('x', 50_000n, 1000n))
    devnet.mine()
    const outs = [{ script, amount: 9000n }]
    const child = sent(devnet.spend({ from: `${parent}:1`, outs }))
    devnet.mine()
    devnet.reorg(2)
    expect(devnet.view.mempool()).toEqual([parent, child])
  })
  it('that leave take unconfirmed spends of their coinbase with them', () => {
    devnet.mine(1, { to: devnet.strangerAddress })
    const [coinbase = ''] = devnet.view.blockTxids(devnet.tip.hash) ?? []
    devnet.mine(99)
    const outs = [{ script, amount: 5000n }]
    sent(devnet.spend({ from: `${coinbase}:0`, outs }))
    devnet.reorg(1, { blocks: 1 })
    expect(devnet.view.mempool()).toHaveLength(1)
    devnet.reorg(2, { blocks: 1 })
    expect(devnet.view.mempool()).toHaveLength(0)
  })
  it('hold parents before children and the better package first', () => {
    const poor = sent(pay('poor', 50_000n, 300n))
    const middle = sent(pay('middle', 50_000n, 3000n))
    const outs = [{ script, amount: 1000n }]
    const rich = sent(devnet.spend({ from: `${poor}:1`, outs, fee: 50_000n }))
    devnet.mine()
    expect(devnet.view.blockTxids(devnet.tip.hash)?.slice(1)).toEqual([poor, rich, middle])
  })
})

describe('refusals', () => {
  it("name the rule in Core's words", () => {
    const value = devnet.strangerCoin('x').value
    expect(refusal(pay('x', 50_000n, 20n))).toMatch(/^min relay fee not met, 20 < \d+$/)
    expect(refusal(pay('x', 50_000n, 900n, { locktime: 5000 }))).toBe('non-final')
    const twice = pay('x', 50_000n, 900n)
    sent(twice)
    expect(devnet.call('testmempoolaccept', [[twice.raw]])).toMatchObject([
      { allowed: false, 'reject-reason': 'txn-already-in-mempool' },
    ])
    const data = Uint8Array.of(0x6a, 1, 7)
    const two = [data, data].map((output) => ({ script: output, amount: 0n }))
    expect(refusal(devnet.spend({ from: 'd', outs: two }))).toBe('multi-op-return')
    const odd = [{ script: Uint8Array.of(0x51), amount: 5000n }]
    expect(refusal(devnet.spend({ from: 'd', outs: odd }))).toBe('scriptpubkey')
    const dusty = [0, 1].map(() => ({ script, amount: 10n }))
    expect(refusal(devnet.spend({ from: 'd', outs: dusty }))).toBe('dust')
    expect(() => devnet.spend({ from: 'x', outs: [{ script, amount: value + 1n }] })).toThrow(
      expect.objectContaining<Partial<DevnetError>>({ code: 'DEVNET_FUNDS_SHORT' }),
    )
  })
  it('come from a full mempool in a fee spike, which also drops the poor', () => {
    const poor = sent(pay('poor', 50_000n, 500n))
    const rich = sent(pay('rich', 50_000n, 50_000n))
    expect(devnet.feeSpike(20)).toEqual([poor])
    expect(devnet.view.mempool()).toEqual([rich])
    expect(refusal(pay('poor', 50_000n, 600n))).toMatch(/^mempool min fee not met, 600 < \d+$/)
    devnet.feeSpike(1)
    expect(refusal(pay('poor', 50_000n, 700n))).toBeUndefined()
  })
  it('expire after two weeks', () => {
    const old = sent(pay('x', 50_000n, 500n))
    now += 14 * 86_400_000 - 5000
    const young = sent(pay('y', 50_000n, 500n))
    devnet.mineBlock()
    expect(devnet.view.mempool()).toEqual([old, young])
    now += 6000
    devnet.mineBlock()
    // As in Core, the next arrival makes the old ones go.
    expect(devnet.view.mempool()).toEqual([old, young])
    const next = sent(pay('z', 50_000n, 5000n))
    expect(devnet.view.mempool()).toEqual([young, next])
  })
})

it('never holds a double spend or an orphan, whatever happens', () => {
  const action = fc.record({
    kind: fc.constantFrom('spend', 'spend', 'spend', 'mine', 'block', 'reorg', 'evict', 'lose'),
    coin: fc.nat(6),
    fee: fc.integer({ min: 200, max: 90_000 }),
    pick: fc.nat(20),
  })
  fc.assert(
    fc.property(fc.array(action, { minLength: 10, maxLength: 60 }), (actions) => {
      const chain = createDevnetInProcess({ clock: () => NOW, verifySignatures: false })
      const coins = Array.from({ length: 7 }, (_, i) => `c${i}`)
      const made: string[] = []
      for (const { kind, coin, fee, pick } of actions) {
        const pool = chain.view.mempool()
        const chosen = pool[pick % Math.max(1, pool.length)]
        if (kind === 'mine') chain.mine()
        else if (kind === 'block') chain.mineBlock({ txids: pool.slice(0, 1) })
        else if (kind === 'evict' && chosen) chain.evict(chosen)
        else if (kind === 'reorg') chain.reorg(Math.min(2, chain.tip.height - 110), { blocks: 3 })
        else if (kind === 'lose' && made.length > 0 && chain.tip.height > 111) {
          chain.reorg(2, { blocks: 1, drop: made.slice(0, 2) })
        } else if (kind === 'spend') {
          const earlier = made[pick % Math.max(1, made.length)]
          const from = pick % 3 === 0 && earlier ? `${earlier}:1` : (coins[coin] ?? 'c0')
          const spend = chain.spend({ from, outs: [{ script, amount: 1000n }], fee: BigInt(fee) })
          if (chain.trySend(spend.raw) === undefined) made.push(spend.txid)
        }
        checkMempool(chain)
      }
    }),
    { numRuns: 60 },
  )
}, 60_000)

/** Every input exists exactly once: as a coin of the chain or as an output of a transaction that stands before it. */
function checkMempool(chain: Devnet): void {
  const spent = new Set<string>()
  const before = new Set<string>()
  for (const entry of Object.entries(chain.call('getrawmempool', [true]) as object)) {
    const [txid] = entry
    const view = chain.call('getrawtransaction', [txid, 1]) as unknown as {
      readonly vin: readonly { readonly txid: string; readonly vout: number }[]
    }
    for (const input of view.vin) {
      const key = `${input.txid}:${input.vout}`
      expect(spent.has(key)).toBe(false)
      spent.add(key)
      const confirmed = chain.call('gettxout', [input.txid, input.vout, false]) !== null
      expect(confirmed || before.has(input.txid)).toBe(true)
    }
    before.add(txid)
  }
}
