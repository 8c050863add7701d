import { createEngine, type Engine, type EngineOptions, type Store } from '@kaccy/bitcoin'
import type { ChainSource } from '@kaccy/bitcoin/chain'
import type { OrderRecord, Thresholds } from '@kaccy/bitcoin/deposits'
import {
  assert,
  EngineError,
  type OrderId,
  type Sat,
  toHex,
  type WalletId,
} from '@kaccy/bitcoin/kernel'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { p2wpkh } from '@scure/btc-signer'
import { type Spender, signedSpend } from '../regtest/strangers.ts'
import { seededEntropy } from './entropy.ts'

export { seededEntropy }

/** A published test mnemonic (BIP 39): its coins exist on test chains only. */
const MNEMONIC =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about'
const ACCOUNT = "m/84'/1'/0'"
const TPUB = { private: 0x04358394, public: 0x043587cf }
/** The keys of the wallet under test. */
export const ROOT = HDKey.fromMasterSeed(mnemonicToSeedSync(MNEMONIC), TPUB)
const ORIGIN = `[${ROOT.fingerprint.toString(16).padStart(8, '0')}/84h/1h/0h]`
const OWNED = 200

export interface UnderTestOptions {
  readonly store: Store
  /** What survives a restart has to come from `reopen`: a memory store gives itself. */
  readonly reopen?: () => Promise<Store>
  readonly source: ChainSource & { down?: boolean }
  /** Seconds since the epoch at which the test begins. */
  readonly start: number
  readonly seed?: number
  /** Given: it pays out as well. */
  readonly payouts?: NonNullable<EngineOptions['payouts']>
}

/** The engine as a test drives it: virtual clock, restarts, looks on demand, and the invariants that hold after each step. */
export class EngineUnderTest {
  readonly #options: UnderTestOptions
  #engine: Engine | undefined
  #store: Store
  #wallet: WalletId | undefined
  #now: number
  #downUntil = 0
  readonly #seed: number
  #restarts = 0
  readonly owner: Spender

  constructor(options: UnderTestOptions) {
    this.#options = options
    this.#store = options.store
    this.#seed = options.seed ?? 1
    this.#now = options.start * 1000
    const account = ROOT.derive(ACCOUNT)
    this.owner = {
      spend: (inputs, outputs, more) =>
        signedSpend(inputs, outputs, more, (script) => privateKeyOf(account, script)),
    }
  }
  async open(): Promise<void> {
    this.#restarts += 1
    this.#engine = await createEngine({
      network: 'regtest',
      store: this.#store,
      source: this.#options.source,
      clock: { now: () => this.#now },
      entropy: seededEntropy(this.#seed * 1000 + this.#restarts),
      blocksPerCommit: 4,
      ...(this.#options.payouts ? { payouts: this.#options.payouts } : {}),
    })
  }
  get engine(): Engine {
    assert(this.#engine, 'not open')
    return this.#engine
  }
  get wallet(): WalletId {
    assert(this.#wallet, 'no wallet yet')
    return this.#wallet
  }
  get store(): Store {
    return this.#store
  }
  get nowSeconds(): number {
    return Math.floor(this.#now / 1000)
  }
  async registerWallet(): Promise<void> {
    const account = ROOT.derive(ACCOUNT)
    const registered = await this.engine.wallets.register(
      {
        name: 'test',
        xpub: `${ORIGIN}${account.publicExtendedKey}`,
        scriptType: 'p2wpkh',
        lookahead: 60,
      },
      'operator:test',
    )
    if (!registered.ok) throw new TypeError(`registration refused: ${registered.error.message}`)
    this.#wallet = registered.value.wallet.id
  }
  /** kill -9: nothing of the process remains but what its store had committed. */
  async restart(): Promise<void> {
    if (this.#options.reopen) this.#store = await this.#options.reopen()
    await this.open()
  }
  passSeconds(seconds: number): void {
    this.#now += seconds * 1000
  }
  async nodeDown(seconds: number): Promise<void> {
    this.#downUntil = this.#now + seconds * 1000
    await this.look()
    this.passSeconds(seconds)
  }
  /** One look; a node that does not answer is a normal thing. Then turns of paying out, if it does. */
  async look(): Promise<void> {
    this.#options.source.down = this.#now < this.#downUntil
    try {
      await this.engine.sync()
      await this.#payOut()
    } catch (error) {
      if (!(error instanceof EngineError && error.remedy === 'retry')) throw error
    }
  }
  async #payOut(): Promise<void> {
    if (!this.#options.payouts) return
    const { payouts } = this.engine
    for (let turn = 0; turn < 20; turn++) {
      let done = 0
      for (const step of ['plan', 'sign', 'send', 'bump'] as const) done += await payouts[step]()
      if (done === 0) return
    }
    assert(false, 'paying out never comes to rest')
  }
  /** Has the bytes of open payouts sent again now, before any look: what a process does that does not know what became of them. */
  async sendAgain(): Promise<void> {
    if (!this.#options.payouts) return
    const { spends } = this.engine
    for (const { current } of await spends.list({ status: 'open', limit: 1000 }))
      await spends.sendSoon(current)
    await this.#payOut()
  }

  async createOrder(input: {
    readonly externalId: string
    readonly amount: Sat | undefined
    readonly expiresInMs: number | undefined
    readonly tolerance: Sat
    readonly thresholds: Thresholds
  }): Promise<OrderRecord> {
    const { amount, expiresInMs, tolerance, ...rest } = input
    const created = await this.engine.orders.create(
      {
        wallet: this.wallet,
        ...rest,
        ...(amount === undefined ? {} : { amount }),
        ...(expiresInMs === undefined ? {} : { expiresInMs }),
        ...(tolerance === 0n ? {} : { tolerance: { kind: 'absolute', sat: tolerance } as const }),
      },
      'operator:test',
    )
    if (!created.ok) throw new TypeError(`order refused: ${created.error.message}`)
    return created.value.order
  }
  order(id: OrderId): Promise<OrderRecord | undefined> {
    return this.engine.orders.get(id)
  }
  async unassigned(): Promise<bigint> {
    return (await this.engine.wallets.balance(this.wallet)).unassigned
  }
  async reversals(): Promise<number> {
    let count = 0
    let after = 0
    for (;;) {
      const page = await this.engine.ledger.entries({ after, limit: 500 })
      count += page.filter((entry) => entry.kind === 'reversal').length
      const last = page.at(-1)
      if (!last || page.length < 500) return count
      after = last.number
    }
  }
  async alertKinds(): Promise<ReadonlySet<string>> {
    const alerts = await this.engine.alerts.list({ limit: 500 })
    return new Set(alerts.map((alert) => alert.kind))
  }

  /** What must hold after every step (section `always` of the schedules; I1, I2, I7 to I9, I21). */
  async brokenInvariants(): Promise<readonly string[]> {
    const faults: string[] = []
    const books = await this.engine.ledger.verify()
    for (const difference of books.differences)
      faults.push(`books: ${JSON.stringify(difference, show)}`)
    const entries = await this.engine.ledger.entries({ limit: 10_000 })
    const live = new Map<string, number>()
    for (const { kind, payment } of entries) {
      if (payment === undefined || (kind !== 'credit' && kind !== 'reversal')) continue
      live.set(payment, (live.get(payment) ?? 0) + (kind === 'credit' ? 1 : -1))
    }
    for (const [payment, count] of live)
      if (count !== 0 && count !== 1) faults.push(`${payment} is credited ${count} times`)
    const events = await this.engine.events({ after: 0, limit: 10_000 })
    events.forEach((event, i) => {
      if (event.seq !== i + 1) faults.push(`event ${i + 1} has number ${event.seq}`)
    })
    return faults
  }
}

const show = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)

const keys = new Map<string, Uint8Array>()
function privateKeyOf(account: HDKey, script: Uint8Array): Uint8Array {
  if (keys.size === 0)
    for (let index = 0; index < OWNED; index++) {
      const { publicKey, privateKey } = account.deriveChild(0).deriveChild(index)
      if (publicKey && privateKey) keys.set(toHex(p2wpkh(publicKey).script), privateKey)
    }
  const key = keys.get(toHex(script))
  assert(key, 'a coin that is not ours')
  return key
}
