import { deepStrictEqual, strictEqual } from 'node:assert'
import { createEngine, type Engine, type EngineOptions, type Store } from '@kaccy/bitcoin'
import {
  type BitcoindSource,
  createBitcoindBroadcaster,
  createBitcoindMempool,
  createBitcoindSource,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import type { Broadcaster } from '@kaccy/bitcoin/broadcast'
import {
  assert,
  equalBytes,
  fromHex,
  Secret,
  sat,
  satPerKvB,
  type Txid,
  type WalletId,
  type WithdrawalId,
} from '@kaccy/bitcoin/kernel'
import { decodeTransaction } from '@kaccy/bitcoin/protocol/transaction'
import { createReceiptKey, type Signer } from '@kaccy/bitcoin/signing'
import type { WithdrawalInput, WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import { addressOf, createDevnet, type Devnet } from '@kaccy/devnet'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { seededEntropy } from '../../tools/scenarios/engine.ts'
import { softSigner } from './soft-signer.ts'

export const START = 1_780_000_000_000
export const MINUTE = 60_000
const HURRY_MS = 150
const TPUB = { private: 0x04358394, public: 0x043587cf }
/** Published test words (BIP 39): their coins exist on test chains only. */
export const ROOT = HDKey.fromMasterSeed(
  mnemonicToSeedSync(
    'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
  ),
  TPUB,
)
export const RECEIPT_KEY = createReceiptKey(new Secret(new Uint8Array(32).fill(7)))
export type Kind = 'p2wpkh' | 'p2tr' | 'p2pkh' | 'p2sh-p2wpkh'
const PURPOSE: Readonly<Record<Kind, number>> = {
  p2wpkh: 84,
  p2tr: 86,
  p2pkh: 44,
  'p2sh-p2wpkh': 49,
}

export interface DeskOptions {
  readonly kind?: Kind
  readonly store?: Store
  readonly seed?: number
  /** Puts something between us and the node that takes transactions. */
  readonly between?: (broadcaster: Broadcaster) => Broadcaster
  readonly signer?: Signer
  /** False: people bring signatures. */
  readonly signs?: boolean
  readonly payouts?: Partial<NonNullable<EngineOptions['payouts']>>
}
export type Ask = Partial<Omit<WithdrawalInput, 'amount' | 'wallet'>> & { readonly amount: number }

/** A whole engine that pays out over a devnet behind its HTTP face, with a signer, on virtual time. */
export class Desk {
  readonly devnet: Devnet
  readonly source: BitcoindSource
  readonly store: Store
  now = START
  /** The node has no time to answer: for calls that will never be answered. */
  isHurried = false
  readonly #options: DeskOptions
  #engine: Engine | undefined
  #wallet: WalletId | undefined
  #opened = 0
  #asked = 0

  private constructor(devnet: Devnet, options: DeskOptions) {
    this.devnet = devnet
    this.#options = options
    this.store = options.store ?? createMemoryStore()
    this.source = createBitcoindSource({
      url: devnet.rpcUrl,
      auth: { cookieFile: devnet.cookiePath },
      retry: { attempts: 1 },
      timers: {
        after: (ms, action) => {
          const timer = setTimeout(action, this.isHurried ? Math.min(ms, HURRY_MS) : ms)
          return () => clearTimeout(timer)
        },
      },
    })
  }
  static async open(options: DeskOptions = {}): Promise<Desk> {
    let desk: Desk | undefined
    const devnet = await createDevnet({ seed: 'desk', clock: () => desk?.now ?? START })
    desk = new Desk(devnet, options)
    await desk.restart()
    await desk.look()
    await desk.#register()
    await desk.look()
    return desk
  }
  async close(): Promise<void> {
    await this.source.close?.()
    await this.devnet.close()
  }
  /** A new process over the same store. */
  async restart(): Promise<void> {
    this.#opened += 1
    const {
      seed = 1,
      between = (one) => one,
      signs = true,
      payouts,
      kind = 'p2wpkh',
    } = this.#options
    const signer = this.#options.signer ?? softSigner(ROOT, `soft ${kind}`)
    this.#engine = await createEngine({
      network: 'regtest',
      store: this.store,
      source: this.source,
      clock: { now: () => this.now },
      entropy: seededEntropy(seed * 1000 + this.#opened),
      payouts: {
        broadcaster: between(createBitcoindBroadcaster(this.source)),
        mempool: createBitcoindMempool(this.source),
        signersOf: () => (signs ? [signer] : []),
        receiptKey: RECEIPT_KEY,
        fixedFeeRate: satPerKvB(5_000n),
        ...payouts,
      },
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
  async #register(): Promise<void> {
    const { kind = 'p2wpkh' } = this.#options
    const purpose = PURPOSE[kind]
    const account = ROOT.derive(`m/${purpose}'/1'/0'`)
    const fingerprint = ROOT.fingerprint.toString(16).padStart(8, '0')
    const registered = await this.engine.wallets.register(
      {
        name: 'desk',
        xpub: `[${fingerprint}/${purpose}h/1h/0h]${account.publicExtendedKey}`,
        scriptType: kind,
        lookahead: 50,
      },
      'operator:test',
    )
    assert(registered.ok, registered.ok ? '' : registered.error.message)
    this.#wallet = registered.value.wallet.id
  }

  look() {
    return this.engine.sync()
  }
  async mine(blocks = 1): Promise<void> {
    for (let i = 0; i < blocks; i++) {
      this.devnet.mine(1)
      await this.look()
    }
  }
  /** Coins of these sizes, each an order of its own, deep enough to be spent. */
  async fund(...amounts: readonly number[]): Promise<void> {
    for (const amount of amounts) {
      const created = await this.engine.orders.create(
        { wallet: this.wallet, amount: sat(BigInt(amount)) },
        'operator:test',
      )
      assert(created.ok, created.ok ? '' : created.error.message)
      await this.look()
      this.devnet.pay(created.value.order.address, BigInt(amount))
    }
    await this.mine(3)
  }

  /** An address that nobody here has keys of. */
  stranger(n: number): string {
    const address = addressOf(Uint8Array.of(0, 20, ...new Uint8Array(19).fill(9), n % 256))
    assert(address, 'an address')
    return address
  }
  async ask({ amount, ...more }: Ask): Promise<WithdrawalRecord> {
    const made = await this.try({ amount, ...more })
    assert(made.ok, made.ok ? '' : `${made.error.code}: ${made.error.message}`)
    return made.value.withdrawal
  }
  try({ amount, ...more }: Ask) {
    this.#asked += 1
    return this.engine.withdrawals.request(
      {
        wallet: this.wallet,
        externalId: `payout ${this.#asked}`,
        address: this.stranger(this.#asked),
        speed: { kind: 'priority', priority: 'high' },
        ...more,
        amount: sat(BigInt(amount)),
      },
      'api:key_test',
    )
  }
  /** Turns of paying out until one does nothing. */
  async work(): Promise<void> {
    const { payouts } = this.engine
    for (let turn = 0; turn < 20; turn++) {
      let done = 0
      for (const step of ['plan', 'sign', 'send', 'bump'] as const) done += await payouts[step]()
      if (done === 0) return
    }
    assert(false, 'paying out never comes to rest')
  }
  async get(id: WithdrawalId): Promise<WithdrawalRecord> {
    const found = await this.engine.withdrawals.get(id)
    assert(found, 'the withdrawal is there')
    return found
  }
  async status(id: WithdrawalId): Promise<string> {
    return (await this.get(id)).status
  }
  inMempool(txid: Txid | undefined): boolean {
    return this.devnet.view.mempool().some((one) => one === txid)
  }
  async told(area: string): Promise<readonly string[]> {
    const events = await this.engine.events({ after: 0, limit: 100_000 })
    return events.filter(({ type }) => type.startsWith(`${area}.`)).map(({ type }) => type)
  }
  async alerts(): Promise<readonly string[]> {
    return (await this.engine.alerts.list({ limit: 1000 })).map(({ kind }) => kind)
  }

  /** Books, events, trail and leases: all of it adds up. */
  async expectSound(): Promise<void> {
    deepStrictEqual((await this.engine.ledger.verify()).differences, [])
    strictEqual((await this.engine.audit.verify()).ok, true)
    const events = await this.engine.events({ after: 0, limit: 100_000 })
    deepStrictEqual(
      events.map(({ seq }) => seq),
      events.map((_, i) => i + 1),
    )
    const spends = await this.engine.spends.list({ limit: 1000 })
    const holders = new Map<string, string>()
    for (const { id } of spends) {
      const view = await this.engine.spends.get(id)
      assert(view, 'a spend')
      const anchor = `${view.spend.anchor.txid}:${view.spend.anchor.vout}`
      for (const version of view.versions) {
        const points = version.transaction.inputs.map(({ txid, vout }) => `${txid}:${vout}`)
        assert(points.includes(anchor), `a version of ${id} without its anchor`)
        const live = view.spend.status === 'open' || view.spend.status === 'mined'
        if (live)
          for (const point of points) {
            strictEqual(holders.get(point) ?? id, id, `two live spends spend ${point}`)
            holders.set(point, id)
          }
      }
    }
  }
  /** How often, and how much, the best chain pays this script. */
  paidTo(script: Uint8Array): { readonly times: number; readonly amount: bigint } {
    const { view } = this.devnet
    const paid = { times: 0, amount: 0n }
    for (let height = 1; height <= view.tip().height; height++) {
      const hash = view.hashAt(height) ?? ''
      for (const txid of (view.blockTxids(hash) ?? []).slice(1))
        for (const output of this.#transaction(txid, hash).outputs)
          if (equalBytes(output.script, script)) {
            paid.times += 1
            paid.amount += output.amount
          }
    }
    return paid
  }
  #transaction(txid: string, block: string) {
    const raw = this.devnet.call('getrawtransaction', [txid, 0, block])
    const decoded = decodeTransaction(fromHex(String(raw)))
    assert(decoded.ok, 'a transaction of the chain')
    return decoded.value
  }
}
