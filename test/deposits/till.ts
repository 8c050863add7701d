import { createEngine, type Engine, type EngineOptions, type Store } from '@kaccy/bitcoin'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import type { ChainSource } from '@kaccy/bitcoin/chain'
import type { OrderInput, OrderRecord, PaymentRecord } from '@kaccy/bitcoin/deposits'
import { assert, type OrderId, sat, type WalletId } from '@kaccy/bitcoin/kernel'
import { createDevnetInProcess, type Devnet, type Spend } from '@kaccy/devnet'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { expect } from 'vitest'
import { devnetSource } from '../../tools/regtest/devnet-source.ts'
import type { Switchable } from '../../tools/regtest/switchable.ts'
import { seededEntropy } from '../../tools/scenarios/engine.ts'

export const START = 1_780_000_000_000
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
/** Somebody who is not us. */
export const THIEF = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(7))
const TPUB = { private: 0x04358394, public: 0x043587cf }
/** Published test words (BIP 39): their coins exist on test chains only. */
const ROOT = HDKey.fromMasterSeed(
  mnemonicToSeedSync(
    'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
  ),
  TPUB,
)
export const accountKey = (account: number): string =>
  ROOT.derive(`m/84'/1'/${account}'`).publicExtendedKey

export interface TillOptions extends Partial<Omit<EngineOptions, 'store' | 'source' | 'clock'>> {
  readonly store?: Store
  /** Puts something between the engine and the node. */
  readonly between?: (source: Switchable) => ChainSource
  readonly devnet?: Devnet
  /** False: the wallet is left to the test. */
  readonly registers?: boolean
  readonly lookahead?: number
}
export type Ask = Partial<Omit<OrderInput, 'amount'>> & { readonly amount?: number }

/** An engine over a devnet in this process, on virtual time: what a story needs in one line each. */
export class Till {
  readonly devnet: Devnet
  readonly source: Switchable
  readonly store: Store
  now = START
  readonly #options: TillOptions
  #engine: Engine | undefined
  #wallet: WalletId | undefined
  #opened = 0

  private constructor(options: TillOptions) {
    this.#options = options
    this.store = options.store ?? createMemoryStore()
    this.devnet =
      options.devnet ??
      createDevnetInProcess({ seed: 'till', clock: () => this.now, verifySignatures: false })
    this.source = devnetSource(this.devnet)
  }
  static async open(options: TillOptions = {}): Promise<Till> {
    const till = new Till(options)
    await till.restart()
    if (options.registers === false) return till
    await till.look()
    await till.register()
    await till.look()
    return till
  }
  /** A new process over the same store. */
  async restart(): Promise<void> {
    this.#opened += 1
    const {
      between,
      store: _,
      devnet: __,
      registers: ___,
      lookahead: ____,
      ...more
    } = this.#options
    this.#engine = await createEngine({
      network: 'regtest',
      entropy: seededEntropy(this.#opened),
      ...more,
      store: this.store,
      source: between ? between(this.source) : this.source,
      clock: { now: () => this.now },
    })
  }
  get engine(): Engine {
    assert(this.#engine, 'not open')
    return this.#engine
  }
  get wallet(): WalletId {
    assert(this.#wallet, 'no wallet')
    return this.#wallet
  }
  async register(more: { readonly account?: number; readonly birthday?: number } = {}) {
    const { account = 0, birthday } = more
    const registered = await this.engine.wallets.register(
      {
        name: `wallet ${account}`,
        xpub: accountKey(account),
        scriptType: 'p2wpkh',
        lookahead: this.#options.lookahead ?? 20,
        ...(birthday === undefined ? {} : { birthday }),
      },
      'operator:test',
    )
    assert(registered.ok, 'registered')
    this.#wallet ??= registered.value.wallet.id
    return registered.value.wallet.id
  }
  look() {
    return this.engine.sync()
  }
  /** Mines blocks of the whole mempool, looking after each. */
  async mine(blocks = 1): Promise<void> {
    for (let i = 0; i < blocks; i++) {
      this.devnet.mine(1)
      await this.look()
    }
  }
  async order({ amount, ...more }: Ask = {}): Promise<OrderRecord> {
    const created = await this.engine.orders.create(
      {
        wallet: this.wallet,
        ...(amount === undefined ? {} : { amount: sat(BigInt(amount)) }),
        ...more,
      },
      'operator:test',
    )
    assert(created.ok, created.ok ? '' : created.error.message)
    return created.value.order
  }
  /** Spends a named coin of a stranger and hands it to the mempool, if that takes it. */
  pay(from: string, ...outs: readonly (readonly [OrderRecord | Uint8Array, number])[]): Spend {
    const spend = this.spend(from, ...outs)
    this.devnet.trySend(spend.raw)
    return spend
  }
  /** As `pay`, but the transaction is only made. */
  spend(from: string, ...outs: readonly (readonly [OrderRecord | Uint8Array, number])[]): Spend {
    return this.devnet.spend({
      from,
      rbf: true,
      outs: outs.map(([to, amount]) => ({
        script: to instanceof Uint8Array ? to : to.script,
        amount,
      })),
    })
  }

  async get(order: OrderRecord): Promise<OrderRecord> {
    const found = await this.engine.orders.get(order.id)
    assert(found, 'the order is there')
    return found
  }
  /** `status verdict received/credited`, with `late` and the reason of a failure where there is one. */
  async state(order: OrderRecord): Promise<string> {
    const { state } = await this.get(order)
    const reason = state.failureReason === undefined ? '' : ` (${state.failureReason})`
    const late = state.late ? ' late' : ''
    return `${state.status}${reason} ${state.verdict}${late} ${state.received}/${state.credited}`
  }
  async payments(order?: OrderRecord): Promise<readonly PaymentRecord[]> {
    return this.engine.orders.payments({ limit: 1000, ...(order ? { order: order.id } : {}) })
  }
  async payment(spend: Spend, vout = 0): Promise<PaymentRecord> {
    const found = (await this.payments()).find(
      ({ point }) => point.txid === spend.txid && point.vout === vout,
    )
    assert(found, 'the payment is there')
    return found
  }
  balance(wallet = this.wallet) {
    return this.engine.wallets.balance(wallet)
  }
  allEvents() {
    return this.engine.events({ after: 0, limit: 100_000 })
  }
  /** Types of events in their order: of one order and its payments, or all. */
  async told(order?: Pick<OrderRecord, 'id'>): Promise<readonly string[]> {
    const events = await this.allEvents()
    return events
      .filter(({ subject, data }) => !order || subject === order.id || data['order'] === order.id)
      .map(({ type }) => type)
  }
  async alerts(kind?: string): Promise<readonly string[]> {
    const all = await this.engine.alerts.list({ limit: 1000 })
    return all.filter((alert) => kind === undefined || alert.kind === kind).map(({ kind: k }) => k)
  }
  async entries(): Promise<readonly string[]> {
    const all = await this.engine.ledger.entries({ limit: 100_000 })
    return all.map(({ kind, amount }) => `${kind} ${amount}`)
  }
  async audited(): Promise<readonly string[]> {
    const trail = await this.engine.audit.list({ limit: 100_000 })
    return trail.map(({ actor, action }) => `${actor} ${action}`)
  }
  async explain(id: OrderId): Promise<{ because: string; next: string }> {
    const found = await this.engine.orders.explain(id)
    return { because: found?.because.join('\n') ?? '', next: found?.next.join('\n') ?? '' }
  }

  /** Books, events, trail, and the node's coins: all of it adds up (I1, I2, I7, I8, I9, I21, I23). */
  async expectSound(): Promise<void> {
    expect((await this.engine.ledger.verify()).differences).toEqual([])
    const live = new Map<string, number>()
    for (const { kind, payment } of await this.engine.ledger.entries({ limit: 100_000 }))
      if (payment !== undefined && (kind === 'credit' || kind === 'reversal'))
        live.set(payment, (live.get(payment) ?? 0) + (kind === 'credit' ? 1 : -1))
    expect([...live.values()].every((count) => count === 0 || count === 1)).toBe(true)
    const events = await this.allEvents()
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
    expect((await this.engine.audit.verify()).ok).toBe(true)
    const checked = await this.engine.reconcile(this.wallet)
    expect(checked).toMatchObject({ drifts: [], booked: checked.bookable, ours: checked.node })
  }
}
