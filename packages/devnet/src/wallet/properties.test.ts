import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDevnetInProcess, type Devnet, type Json } from '../index.ts'

type View = Readonly<Record<string, Json>>
const TYPES = ['legacy', 'p2sh-segwit', 'bech32', 'bech32m'] as const

interface Step {
  readonly kind: 'deposit' | 'send' | 'mine' | 'reorg' | 'evict' | 'bump' | 'theft'
  readonly amount: number
  readonly choice: number
}
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('deposit', 'send', 'send', 'mine', 'reorg', 'evict', 'bump', 'theft'),
    amount: fc.integer({ min: 2000, max: 15_000_000 }),
    choice: fc.nat(1000),
  }),
  { minLength: 5, maxLength: 25 },
)
/** A devnet with a wallet, and an outsider's view of what is on the chain. */
class World {
  readonly devnet = createDevnetInProcess({ clock: () => 1_795_370_832_000 })
  #thefts = 0
  readonly #mine = new Map<string, boolean>()

  constructor() {
    this.devnet.call('createwallet', ['w'])
  }
  call<T = Json>(method: string, ...params: readonly unknown[]): T {
    return this.devnet.call(method, params) as T
  }
  address(choice: number): string {
    return this.call<string>('getnewaddress', '', TYPES[choice % 4])
  }
  #isMine(address: string): boolean {
    const known = this.#mine.get(address)
    if (known) return known
    const mine = this.call<View>('getaddressinfo', address)['ismine'] === true
    this.#mine.set(address, mine)
    return mine
  }
  /** Satoshi of all coins that `gettxout` has for addresses of the wallet. */
  coins(): bigint {
    const { view } = this.devnet
    const txids = new Set(view.mempool())
    for (let height = 111; height <= view.tip().height; height++) {
      for (const txid of view.blockTxids(view.hashAt(height) ?? '') ?? []) txids.add(txid)
    }
    let sum = 0n
    for (const txid of txids) {
      const raw = this.devnet.rawTransaction(txid)
      const { vout } = this.call<View>('decoderawtransaction', raw) as {
        readonly vout: readonly { readonly scriptPubKey: View }[]
      }
      vout.forEach(({ scriptPubKey }, n) => {
        const { address } = scriptPubKey
        if (typeof address !== 'string' || !this.#isMine(address)) return
        const coin = this.call<{ readonly value: bigint } | null>('gettxout', txid, n, true)
        sum += coin?.value ?? 0n
      })
    }
    return sum
  }
  balance(): bigint {
    const { mine } = this.call<View>('getbalances') as unknown as {
      readonly mine: Record<string, bigint>
    }
    return Object.values(mine).reduce((sum, value) => sum + value, 0n)
  }
  /** Gives up what waits outside the mempool: its coins are free again, for chain and wallet alike. */
  abandonAll(): void {
    const { ledger } = this.devnet.wallets.loaded.get('w') ?? {}
    for (const { transaction, standing } of ledger?.ordered ?? []) {
      const waits = standing.kind === 'inactive' && !standing.abandoned
      if (waits) this.call('abandontransaction', transaction.txid)
    }
  }
  take({ kind, amount, choice }: Step): void {
    const { devnet } = this
    switch (kind) {
      case 'deposit':
        devnet.pay(this.address(choice), amount)
        return
      case 'send':
        this.send(amount, choice)
        return
      case 'mine':
        devnet.mine(1 + (choice % 2), choice % 3 === 0 ? { to: this.address(choice) } : {})
        return
      case 'reorg': {
        const depth = Math.min(1 + (choice % 3), devnet.tip.height - 110)
        if (depth < 1) return
        devnet.reorg(depth, choice % 2 === 0 ? { drop: 'all' } : {})
        return
      }
      case 'evict': {
        const waiting = devnet.view.mempool()
        const txid = waiting[choice % Math.max(1, waiting.length)]
        if (txid !== undefined) devnet.evict(txid)
        return
      }
      case 'bump':
        this.#bump(choice)
        return
      case 'theft':
        this.#steal(amount)
        return
    }
  }
  /** A deposit that a block turns out to spend otherwise. */
  #steal(amount: number): void {
    const { devnet } = this
    this.#thefts += 1
    const from = `thief ${this.#thefts}`
    const outs = [{ address: this.address(2), amount }]
    devnet.send(devnet.spend({ from, outs }).raw)
    const other = devnet.spend({ from, outs: [{ address: devnet.strangerAddress, amount }] })
    devnet.mineBlock({ transactions: [other.raw] })
  }
  #bump(choice: number): void {
    const { ledger } = this.devnet.wallets.loaded.get('w') ?? {}
    const own = (ledger?.ordered ?? []).filter(
      (entry) => entry.standing.kind === 'mempool' && (ledger?.debit(entry.transaction) ?? 0n) > 0n,
    )
    const entry = own[choice % Math.max(1, own.length)]
    if (!entry) return
    try {
      this.call('bumpfee', entry.transaction.txid)
    } catch (error) {
      // Descendants or too little money: Core refuses as well.
      expect(String(error)).toMatch(/descendants|Unable to create|already bumped|too high/)
    }
  }
  /** Pays somebody; the transaction must be one that the mempool takes, for the fee that was asked. */
  send(amount: number, choice: number): void {
    const rate = 1 + (choice % 40)
    const outputs = [{ [this.devnet.strangerAddress]: (amount / 1e8).toFixed(8) }]
    const options = { fee_rate: rate, add_to_wallet: false }
    let made: View
    try {
      made = this.call<View>('send', outputs, null, 'unset', null, options)
    } catch (error) {
      expect(String(error)).toContain('Insufficient funds')
      return
    }
    const [verdict] = this.call<readonly View[]>('testmempoolaccept', [made['hex']])
    expect(verdict).toMatchObject({ allowed: true })
    const { vsize, fees } = verdict as unknown as { vsize: number; fees: { base: bigint } }
    const paid = Number(fees.base) / vsize
    const { vout } = this.call<View>('decoderawtransaction', made['hex']) as { vout: unknown[] }
    // Without change the rest of the coins goes to the miner as well.
    if (vout.length === 2) expect(Math.abs(paid - rate)).toBeLessThan(1)
    else expect(paid).toBeGreaterThan(rate - 0.01)
    this.call('sendrawtransaction', made['hex'])
  }
}

describe('a wallet over random histories', () => {
  it('holds what the chain holds for its addresses, and every payment is taken at the rate asked', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const world = new World()
        for (const step of history) {
          world.take(step)
          world.abandonAll()
          expect(world.balance()).toBe(world.coins())
        }
      }),
      { numRuns: 12 },
    )
  }, 120_000)

  it('is the same after being unloaded, and after a walk through text', () => {
    const state = (devnet: Devnet) => [
      devnet.call('getbalances'),
      devnet.call('listunspent', [0]),
      devnet.call('listsinceblock'),
    ]
    fc.assert(
      fc.property(steps, (history) => {
        const world = new World()
        for (const step of history) world.take(step)
        const { devnet } = world
        const before = state(devnet)
        devnet.wallets.fromJson(devnet.wallets.toJson())
        expect(state(devnet)).toEqual(before)
        const saved = devnet.snapshot()
        devnet.mine(3)
        devnet.restore(saved)
        expect(state(devnet)).toEqual(before)
      }),
      { numRuns: 8 },
    )
  }, 120_000)
})
