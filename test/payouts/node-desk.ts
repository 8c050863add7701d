import { createEngine, type Engine } from '@kaccy/bitcoin'
import {
  type BitcoindSource,
  createBitcoindBroadcaster,
  createBitcoindMempool,
  createBitcoindSource,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import {
  assert,
  equalBytes,
  Secret,
  sat,
  satPerKvB,
  type Txid,
  type WalletId,
  type WithdrawalId,
} from '@kaccy/bitcoin/kernel'
import { addressOf } from '@kaccy/bitcoin/protocol/address'
import { parseCoreAmount } from '@kaccy/bitcoin/protocol/amounts'
import { isJsonObject, jsonBigInt } from '@kaccy/bitcoin/protocol/json'
import { type Transaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import { createReceiptKey } from '@kaccy/bitcoin/signing'
import type { SpendView, VersionRecord } from '@kaccy/bitcoin/spending'
import type { WithdrawalInput, WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import { HDKey } from '@scure/bip32'
import type { RegtestChain } from '../../tools/regtest/chain.ts'
import { Strangers } from '../../tools/regtest/strangers.ts'
import { seededEntropy } from '../../tools/scenarios/engine.ts'
import type { TestNode } from '../counterparts/node.ts'
import { softSigner } from './soft-signer.ts'

export type WalletKind = 'p2wpkh' | 'p2tr' | 'wsh(sortedmulti)'
const TPUB = { private: 0x04358394, public: 0x043587cf }
/** Three people's keys, on test chains only. */
const ROOTS = [1, 2, 3].map((byte) => HDKey.fromMasterSeed(new Uint8Array(32).fill(byte), TPUB))
const MINUTE = 60_000
/** Satoshi per 1000 vbytes of what is sent first. */
const RATE = satPerKvB(2_000n)

function keyOf(root: HDKey, path: string): string {
  const fingerprint = root.fingerprint.toString(16).padStart(8, '0')
  const { publicExtendedKey } = root.derive(`m/${path.replaceAll('h', "'")}`)
  return `[${fingerprint}/${path}]${publicExtendedKey}/<0;1>/*`
}
const single = (path: string) => ROOTS.slice(0, 1).map((root) => keyOf(root, path))
const DESCRIPTORS: Readonly<Record<WalletKind, string>> = {
  p2wpkh: `wpkh(${single('84h/1h/0h')})`,
  p2tr: `tr(${single('86h/1h/0h')})`,
  'wsh(sortedmulti)': `wsh(sortedmulti(2,${ROOTS.map((root) => keyOf(root, '48h/1h/0h/2h'))}))`,
}
/** Of three, the first and the last sign. */
const signersOf = (kind: WalletKind) =>
  ROOTS.filter((_, i) => (kind === 'wsh(sortedmulti)' ? i !== 1 : i === 0)).map((root, i) =>
    softSigner(root, `soft ${i}`),
  )

export interface NodeDeskOptions {
  readonly node: TestNode
  readonly chain: RegtestChain
  /** Who pays us. */
  readonly strangers: Strangers
  readonly kind: WalletKind
  /** Makes payers and payees of one story others than those of the next one on the same chain. */
  readonly story: string
}

/** A whole engine that pays out over a real node, with signers that really sign; blocks hold exactly what a test says. */
export class NodeDesk {
  readonly chain: RegtestChain
  readonly kind: WalletKind
  readonly #name: string
  readonly #strangers: Strangers
  readonly #source: BitcoindSource
  readonly engine: Engine
  readonly wallet: WalletId
  #asked = 0
  readonly #clock: { ahead: number }

  private constructor(
    { chain, strangers, kind, story }: NodeDeskOptions,
    source: BitcoindSource,
    engine: Engine,
    wallet: WalletId,
    clock: { ahead: number },
  ) {
    this.chain = chain
    this.#strangers = strangers
    this.kind = kind
    this.#name = `${kind} ${story}`
    this.#source = source
    this.engine = engine
    this.wallet = wallet
    this.#clock = clock
  }
  static async open(options: NodeDeskOptions): Promise<NodeDesk> {
    const { node, kind } = options
    const source = createBitcoindSource(node.source)
    const clock = { ahead: 0 }
    const engine = await createEngine({
      network: 'regtest',
      store: createMemoryStore(),
      source,
      clock: { now: () => Date.now() + clock.ahead },
      entropy: seededEntropy(kind.length),
      payouts: {
        broadcaster: createBitcoindBroadcaster(source),
        mempool: createBitcoindMempool(source),
        signersOf: () => signersOf(kind),
        receiptKey: createReceiptKey(new Secret(new Uint8Array(32).fill(7))),
        fixedFeeRate: RATE,
        rhythm: { batchWaitMs: 0 },
      },
    })
    await engine.sync()
    const descriptor = DESCRIPTORS[kind]
    const registered = await engine.wallets.register(
      { name: kind, descriptor, lookahead: 50 },
      'operator:test',
    )
    assert(registered.ok, registered.ok ? '' : registered.error.message)
    return new NodeDesk(options, source, engine, registered.value.wallet.id, clock)
  }
  close(): Promise<void> {
    return this.#source.close()
  }

  /** Coins of these sizes, each at an address of its own, deep enough to be spent. */
  async fund(...amounts: readonly number[]): Promise<void> {
    for (const amount of amounts) {
      const made = await this.engine.orders.create({ wallet: this.wallet }, 'operator:test')
      assert(made.ok, made.ok ? '' : made.error.message)
      const coin = this.#strangers.named(`${this.#name}/${made.value.order.id}`)
      const output = { script: made.value.order.script, amount: sat(BigInt(amount)) }
      const options = { fee: sat(1000n), rbf: false }
      const { transaction } = this.#strangers.spend([coin], [output], options)
      await this.chain.mine([transaction])
    }
    await this.bury()
  }
  /** So deep that it is settled. */
  async bury(): Promise<void> {
    for (let i = 0; i < 6; i++) await this.chain.mine([])
    await this.turn()
  }
  /** One block with the whole mempool. */
  async mine(): Promise<void> {
    await this.chain.mine(await this.chain.mempool())
    await this.turn()
  }
  /** Time enough for whatever is sent again by itself. */
  async wait(): Promise<void> {
    this.#clock.ahead += 31 * MINUTE
    await this.turn()
  }
  /** A look at the chain, and turns of paying out until one does nothing. */
  async turn(): Promise<void> {
    await this.engine.sync()
    const { payouts } = this.engine
    for (let turn = 0; turn < 20; turn++) {
      let done = 0
      for (const step of ['plan', 'sign', 'send'] as const) done += await payouts[step]()
      if (done === 0) {
        // What was sent is in the mempool now.
        await this.engine.sync()
        return
      }
    }
    assert(false, 'paying out never comes to rest')
  }

  /** Asks for payouts to people of whom nobody has heard, and sends them, in one transaction if it can be. */
  async pay(...amounts: readonly number[]): Promise<readonly WithdrawalRecord[]> {
    const asked: WithdrawalRecord[] = []
    for (const amount of amounts) asked.push(await this.#ask({ amount: sat(BigInt(amount)) }))
    await this.turn()
    return Promise.all(asked.map(({ id }) => this.get(id)))
  }
  /** Pays for a fee of so much at most: the wallet need not have more. */
  async payWithin(amount: number, fee: number): Promise<readonly WithdrawalRecord[]> {
    const asked = await this.#ask({ amount: sat(BigInt(amount)), maxFee: sat(BigInt(fee)) })
    await this.turn()
    return [await this.get(asked.id)]
  }
  #payee(n: number): Strangers {
    return new Strangers(`${this.#name} payee ${n}`)
  }
  async #ask(input: Pick<WithdrawalInput, 'amount' | 'maxFee'>): Promise<WithdrawalRecord> {
    this.#asked += 1
    const address = addressOf(this.#payee(this.#asked).script, 'regtest')
    assert(address.ok, 'an address')
    const made = await this.engine.withdrawals.request(
      {
        wallet: this.wallet,
        externalId: `payout ${this.#asked}`,
        address: address.value,
        ...input,
        speed: { kind: 'rate', rate: RATE },
      },
      'operator:test',
    )
    assert(made.ok, made.ok ? '' : `${made.error.code}: ${made.error.message}`)
    return made.value.withdrawal
  }
  async get(id: WithdrawalId): Promise<WithdrawalRecord> {
    const found = await this.engine.withdrawals.get(id)
    assert(found, 'the withdrawal is there')
    return found
  }
  /** The first payee spends what he got by the first output. */
  spentByPayee(transaction: Transaction): Transaction {
    const payee = this.#payee(1)
    const coin = payee.coinOf({ txid: txidOf(transaction), transaction, hex: '' }, 0)
    const change = this.#strangers.script
    return payee.spend([coin], [], { fee: sat(1_000n), rbf: false, change }).transaction
  }
  /** Sends the bytes again without a look at the chain, as a process does that does not know what became of them. */
  async sendAgain({ id }: VersionRecord): Promise<void> {
    assert(await this.engine.spends.sendSoon(id), 'bytes to send')
    await this.engine.payouts.send()
  }
  async alerts(): Promise<readonly string[]> {
    return (await this.engine.alerts.list({ limit: 1000 })).map(({ kind }) => kind)
  }
  statuses(asked: readonly WithdrawalRecord[]): Promise<readonly string[]> {
    return Promise.all(asked.map(async ({ id }) => (await this.get(id)).status))
  }
  async #spendOf(id: WithdrawalId): Promise<SpendView> {
    const { spend } = await this.get(id)
    const view = spend && (await this.engine.spends.get(spend))
    assert(view, 'a spend')
    return view
  }
  /** The version that is sent now. */
  async current(id: WithdrawalId): Promise<VersionRecord> {
    const { spend, versions } = await this.#spendOf(id)
    const version = versions.find((one) => one.id === spend.current)
    assert(version, 'a version')
    return version
  }

  /**
   * What the node itself says of a transaction in its mempool: fee in satoshi, weight in weight units. Bitcoin Core has its fees
   * in a group, btcd one fee; both in whole coins.
   */
  async inMempool(txid: Txid | undefined): Promise<{ fee: bigint; weight: number } | undefined> {
    const all = await this.#source.client.call('getrawmempool', [true])
    const entry = txid && isJsonObject(all) ? all[txid] : undefined
    if (!isJsonObject(entry)) return undefined
    const { fees, weight } = entry
    const fee = parseCoreAmount(isJsonObject(fees) ? fees['base'] : entry['fee'])
    assert(fee.ok, 'the fee of a transaction in the mempool')
    return { fee: fee.value, weight: Number(jsonBigInt(weight)) }
  }
  /** How often, and how much, the best chain pays this script. */
  paidTo(script: Uint8Array): { readonly times: number; readonly amount: bigint } {
    const paid = this.chain.mined
      .flatMap(({ outputs }) => outputs)
      .filter((output) => equalBytes(output.script, script))
    return { times: paid.length, amount: paid.reduce((sum, { amount }) => sum + amount, 0n) }
  }
}
