import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDevnetInProcess, type Devnet, type Json, type Snapshot } from '../index.ts'

type View = Readonly<Record<string, Json>>
/** Satoshi as the text of a whole number of bitcoins with eight decimals, without a double between. */
const bitcoins = (satoshi: number): string => {
  const digits = String(satoshi).padStart(9, '0')
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`
}
const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const TYPES = ['legacy', 'p2sh-segwit', 'bech32', 'bech32m'] as const

const KINDS = [
  ...['deposit', 'send', 'send', 'chain', 'mine', 'reorg', 'evict', 'bump', 'theft', 'abandon'],
  ...['double', 'snapshot', 'restore', 'reload', 'restart', 'rescan'],
] as const
interface Step {
  readonly kind: (typeof KINDS)[number]
  readonly amount: number
  readonly choice: number
}
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    amount: fc.integer({ min: 2000, max: 15_000_000 }),
    choice: fc.nat(1000),
  }),
  { minLength: 5, maxLength: 25 },
)
interface Seen {
  readonly inputs: readonly string[]
  readonly outputs: readonly { readonly value: bigint; readonly mine: boolean }[]
}
/** A devnet with a wallet, and what follows for it from blocks, mempool and gettxout alone. */
class World {
  readonly devnet = createDevnetInProcess({ clock: () => 1_795_370_832_000 })
  #thefts = 0
  #saved: { snapshot: Snapshot; seen: Map<string, Seen>; abandoned: Set<string> } | undefined
  /** Every transaction of the wallet that ever was in a block or in the mempool, by txid. */
  #seen = new Map<string, Seen>()
  #abandoned = new Set<string>()
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
  #isMine(address: unknown): boolean {
    if (typeof address !== 'string') return false
    const known = this.#mine.get(address)
    if (known) return known
    const mine = this.call<View>('getaddressinfo', address)['ismine'] === true
    this.#mine.set(address, mine)
    return mine
  }
  /** Remembers a transaction that pays the wallet or spends from it. */
  #learn(txid: string): void {
    if (this.#seen.has(txid)) return
    const raw = this.devnet.rawTransaction(txid)
    const { vin, vout } = this.call<View>('decoderawtransaction', raw) as unknown as {
      readonly vin: readonly { readonly txid?: string; readonly vout?: number }[]
      readonly vout: readonly { readonly value: bigint; readonly scriptPubKey: View }[]
    }
    const inputs = vin.flatMap((own) => (own.txid ? [`${own.txid}:${own.vout}`] : []))
    const outputs = vout.map(({ value, scriptPubKey }) => ({
      value,
      mine: this.#isMine(scriptPubKey['address']),
    }))
    const spends = inputs.some((key) => this.#output(key)?.mine)
    if (spends || outputs.some(({ mine }) => mine)) this.#seen.set(txid, { inputs, outputs })
  }
  #output(key: string): Seen['outputs'][number] | undefined {
    return this.#seen.get(key.slice(0, 64))?.outputs[Number(key.slice(65))]
  }
  /** What Core's rules make of the wallet: spendable outpoints, the three balances, confirmations by txid. */
  reckon() {
    const { view } = this.devnet
    const heights = new Map<string, number>()
    for (let height = 111; height <= view.tip().height; height++) {
      for (const txid of view.blockTxids(view.hashAt(height) ?? '') ?? []) heights.set(txid, height)
    }
    const pool = new Set(view.mempool())
    for (const txid of [...heights.keys(), ...pool]) this.#learn(txid)
    const rivals = (txid: string, where: (other: string) => boolean): boolean => {
      const { inputs = [] } = this.#seen.get(txid) ?? {}
      const direct = [...this.#seen].some(
        ([other, own]) =>
          other !== txid && where(other) && own.inputs.some((key) => inputs.includes(key)),
      )
      return direct || inputs.some((key) => rivals(key.slice(0, 64), where))
    }
    const isWaiting = (txid: string) => !heights.has(txid) && !pool.has(txid)
    const reserved = new Set<string>()
    for (const [txid, { inputs }] of this.#seen) {
      if (!isWaiting(txid) || this.#abandoned.has(txid)) continue
      if (rivals(txid, (other) => !isWaiting(other))) continue
      for (const key of inputs) reserved.add(key)
    }
    const trusted = (txid: string): boolean =>
      heights.has(txid) ||
      (pool.has(txid) &&
        (this.#seen.get(txid)?.inputs ?? []).every(
          (key) => this.#output(key)?.mine && trusted(key.slice(0, 64)),
        ))
    const sums = { trusted: 0n, untrusted_pending: 0n, immature: 0n }
    const coins: string[] = []
    for (const [txid, { outputs }] of this.#seen) {
      if (isWaiting(txid)) continue
      outputs.forEach(({ mine, value }, n) => {
        const coin = mine && this.call<View | null>('gettxout', txid, n, true)
        if (!coin) return
        if (coin['coinbase'] === true && Number(coin['confirmations']) <= 100) {
          sums.immature += value
        } else if (!reserved.has(`${txid}:${n}`)) {
          sums[trusted(txid) ? 'trusted' : 'untrusted_pending'] += value
          coins.push(`${txid}:${n}`)
        }
      })
    }
    const depths = [...this.#seen.keys()].map((txid) => {
      const height = heights.get(txid)
      return [txid, height === undefined ? 0 : view.tip().height - height + 1] as const
    })
    return { sums, coins: coins.sort(), depths }
  }
  /** The same, as the wallet says it. Of what a block conflicts with, Core counts below zero: no matter here. */
  claim(txids: readonly string[]) {
    const { mine } = this.call<View>('getbalances') as unknown as { readonly mine: View }
    const coins = this.call<readonly View[]>('listunspent', 0)
    return {
      sums: mine,
      coins: coins.map(({ txid, vout }) => `${txid}:${vout}`).sort(),
      depths: txids.map((txid) => {
        const { confirmations } = this.call<View>('gettransaction', txid)
        return [txid, Math.max(0, Number(confirmations))]
      }),
    }
  }
  check(): void {
    const expected = this.reckon()
    expect(this.claim(expected.depths.map(([txid]) => txid))).toEqual(expected)
  }
  #abandon(choice: number): void {
    const { ledger } = this.devnet.wallets.loaded.get('w') ?? {}
    const waiting = (ledger?.ordered ?? []).filter(
      ({ standing }) => standing.kind === 'inactive' && !standing.abandoned,
    )
    const one = waiting[choice % Math.max(1, waiting.length)]
    if (!one) return
    const marked = [one.transaction.txid]
    this.call('abandontransaction', marked[0])
    // All that builds on it goes with it.
    for (let txid = marked.pop(); txid !== undefined; txid = marked.pop()) {
      this.#abandoned.add(txid)
      for (const [other, { inputs }] of this.#seen) {
        if (inputs.some((key) => key.startsWith(`${txid}:`))) marked.push(other)
      }
    }
  }
  /** What was given up and then mined or heard of again is no longer given up. */
  #forgive(): void {
    const { ledger } = this.devnet.wallets.loaded.get('w') ?? {}
    for (const { transaction, standing } of ledger?.ordered ?? []) {
      if (standing.kind !== 'inactive') this.#abandoned.delete(transaction.txid)
    }
  }
  async take(step: Step): Promise<void> {
    const { devnet } = this
    switch (step.kind) {
      case 'snapshot':
        this.#saved = {
          snapshot: devnet.snapshot(),
          seen: new Map(this.#seen),
          abandoned: new Set(this.#abandoned),
        }
        break
      case 'restore':
        if (!this.#saved) break
        devnet.restore(this.#saved.snapshot)
        this.#seen = new Map(this.#saved.seen)
        this.#abandoned = new Set(this.#saved.abandoned)
        break
      case 'reload':
        devnet.call('unloadwallet', ['w'])
        if (step.choice % 2) devnet.mine()
        devnet.call('loadwallet', ['w'])
        break
      case 'restart':
        await devnet.restart({ mempool: step.choice % 2 ? 'kept' : 'lost' })
        break
      default:
        this.#act(step)
    }
    this.#forgive()
  }
  #act({ kind, amount, choice }: Step): void {
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
      case 'double':
        this.#double(choice)
        return
      case 'chain':
        this.#chain(amount, choice)
        return
      case 'rescan':
        this.call('rescanblockchain', choice % 110)
        return
      case 'abandon':
        this.#abandon(choice)
        return
      default:
        return
    }
  }
  /** A payment to oneself, on which others may build. */
  #chain(amount: number, choice: number): void {
    try {
      this.call('sendtoaddress', this.address(choice), bitcoins(amount))
    } catch (error) {
      expect(String(error)).toMatch(/Insufficient funds|rejected by the mempool/)
    }
  }
  /** The sender of a deposit takes it back while it waits. */
  #double(choice: number): void {
    const { devnet } = this
    const waiting = devnet.view.mempool()
    const txid = waiting[choice % Math.max(1, waiting.length)]
    if (txid === undefined) return
    try {
      devnet.replace(txid, { to: devnet.strangerAddress })
    } catch (error) {
      // Transactions of the wallet itself are not the stranger's to sign.
      expect(error).toMatchObject({ code: expect.stringMatching(/KEY_UNKNOWN|REFUSED|SHORT/) })
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
    const outputs = [{ [this.devnet.strangerAddress]: bitcoins(amount) }]
    const options = { fee_rate: rate, add_to_wallet: false }
    let made: View
    try {
      made = this.call<View>('send', outputs, null, 'unset', null, options)
    } catch (error) {
      expect(String(error)).toMatch(/Insufficient funds|rejected by the mempool/)
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
  it('holds what chain and mempool hold for its addresses, and every payment is taken at the rate asked', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const world = new World()
        for (const step of history) {
          await world.take(step)
          world.check()
        }
      }),
      { numRuns: Math.max(25, Math.round(250 * SCALE)) },
    )
  }, 600_000)

  it('is the same after a walk through text, and after being restored', async () => {
    const state = (devnet: Devnet) => [
      devnet.call('getbalances'),
      devnet.call('listunspent', [0]),
      devnet.call('listsinceblock'),
    ]
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const world = new World()
        for (const step of history) await world.take(step)
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
