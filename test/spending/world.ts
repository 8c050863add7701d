import type { StoreTx } from '@kaccy/bitcoin'
import {
  type BitcoindSource,
  createBitcoindBroadcaster,
  createBitcoindMempool,
  createBitcoindSource,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { type Broadcast, type Broadcaster, createBroadcast } from '@kaccy/bitcoin/broadcast'
import { createFees, createFollower, type Follower } from '@kaccy/bitcoin/chain'
import type { Coin } from '@kaccy/bitcoin/coins'
import { createIntake, createWatch, DEFAULT_THRESHOLDS } from '@kaccy/bitcoin/deposits'
import {
  assert,
  type Network,
  type SatPerKvB,
  type SpendId,
  sat,
  satPerKvB,
  silentLogger,
  silentMetrics,
  silentTracer,
  type Transactor,
  type Txid,
  type WalletId,
  type WithdrawalId,
  weight,
} from '@kaccy/bitcoin/kernel'
import type { Descriptor } from '@kaccy/bitcoin/protocol/descriptor'
import { finalizePsbt, parsePsbt, takeSignatures } from '@kaccy/bitcoin/protocol/psbt'
import { txidOf, weightOf } from '@kaccy/bitcoin/protocol/transaction'
import {
  commitSpend,
  createFeeQuotes,
  createFollow,
  createSpending,
  type DraftPayment,
  type DraftRequest,
  descriptorOf,
  draftSpend,
  type FeeQuotes,
  followedBy,
  needsPrevious,
  nextVersion,
  type OwedPayment,
  previousOf,
  type SpendMove,
  type SpendOwner,
  type SpendRecord,
  type Spending,
  steadyCoins,
  tipOf,
  type VersionRecord,
} from '@kaccy/bitcoin/spending'
import { createWallets, createWatchedScripts, revealAddress } from '@kaccy/bitcoin/wallet'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { seededEntropy } from '../../tools/scenarios/engine.ts'
import { type Kind, Keys, recipient } from './keys.ts'

export const START = 1_780_000_000_000
export const MINUTE = 60_000
const NETWORK: Network = 'regtest'

export interface WorldOptions {
  readonly kind?: Kind
  readonly seed?: number
  /** Puts something between us and the node that takes transactions. */
  readonly between?: (broadcaster: Broadcaster) => Broadcaster
  readonly owner?: Partial<SpendOwner<StoreTx>>
  readonly order?: 'bip69' | 'random'
  /** Default: memory. */
  readonly store?: Transactor<StoreTx>
}

/** Spends over a devnet behind its HTTP face, with keys that sign, on virtual time. */
export class World {
  readonly devnet: Devnet
  readonly source: BitcoindSource
  readonly store: Transactor<StoreTx>
  readonly moves: SpendMove[] = []
  readonly spending: Spending<StoreTx>
  readonly broadcast: Broadcast
  readonly quotes: FeeQuotes
  readonly keys: Keys
  now = START
  #follower: Follower
  readonly #wallets: ReturnType<typeof createWallets>
  readonly #owed = new Map<WithdrawalId, OwedPayment>()
  readonly #entropy: ReturnType<typeof seededEntropy>
  #wallet: WalletId | undefined
  #requests = 0
  readonly #makeFollower: () => Follower

  private constructor(devnet: Devnet, source: BitcoindSource, options: WorldOptions) {
    const { kind = 'p2wpkh', seed = 1, between = (one) => one, order } = options
    this.devnet = devnet
    this.source = source
    this.keys = new Keys(kind)
    const { store = createMemoryStore() } = options
    this.store = store
    const clock = { now: () => this.now }
    const entropy = seededEntropy(seed)
    this.#entropy = entropy
    const scripts = createWatchedScripts({ store, entropy })
    const watch = createWatch(store, scripts)
    this.#wallets = createWallets({ store, clock, entropy, network: NETWORK, onWatched: () => {} })
    const intake = createIntake({
      watch,
      wallets: this.#wallets,
      thresholds: DEFAULT_THRESHOLDS,
      restartGraceMs: 10 * MINUTE,
      adopt: async () => undefined,
      changed: async () => {},
    })
    const owner: SpendOwner<StoreTx> = {
      moved: async (_, move) => {
        this.moves.push(move)
      },
      owed: async (_, version) => this.owedBy(version),
      ...options.owner,
    }
    const owners = { payout: owner, consolidation: owner }
    this.#makeFollower = () =>
      createFollower({
        source,
        store,
        consumer: followedBy<StoreTx>(intake, createFollow<StoreTx>({ owners })),
        watch,
        network: NETWORK,
        clock,
        logger: silentLogger,
        metrics: silentMetrics,
        tracer: silentTracer,
        blocksPerCommit: 16,
      })
    this.#follower = this.#makeFollower()
    this.quotes = createFeeQuotes({
      report: createFees({ source, clock, metrics: silentMetrics }),
      clock,
      fixed: satPerKvB(5_000n),
    })
    const shared = { store, clock, entropy, network: NETWORK, owners }
    const mempool = createBitcoindMempool(source)
    this.spending = createSpending({
      ...shared,
      source,
      mempool,
      quotes: this.quotes,
      ...(order === undefined ? {} : { order }),
    })
    const broadcaster = between(createBitcoindBroadcaster(source))
    this.broadcast = createBroadcast({ ...shared, broadcaster })
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    let world: World | undefined
    const devnet = await createDevnet({
      seed: 'spending',
      clock: () => world?.now ?? START,
    })
    const source = createBitcoindSource({
      url: devnet.rpcUrl,
      auth: { cookieFile: devnet.cookiePath },
      retry: { attempts: 1 },
    })
    world = new World(devnet, source, options)
    await world.look()
    await world.#register()
    await world.look()
    return world
  }
  async close(): Promise<void> {
    await this.source.close()
    await this.devnet.close()
  }

  get wallet(): WalletId {
    assert(this.#wallet, 'no wallet')
    return this.#wallet
  }
  async #register(): Promise<void> {
    const registered = await this.#wallets.register(
      {
        name: 'wallet',
        xpub: this.keys.account.publicExtendedKey,
        scriptType: this.keys.kind,
        lookahead: 100,
      },
      'operator:test',
    )
    assert(registered.ok, registered.ok ? '' : registered.error.message)
    this.#wallet = registered.value.wallet.id
  }
  descriptor(): Promise<Descriptor> {
    return this.store.read((tx) => descriptorOf(tx, NETWORK, this.wallet))
  }

  look() {
    return this.#follower.look()
  }
  /** A new process over the same store. */
  restart(): void {
    this.#follower = this.#makeFollower()
  }
  async mine(blocks = 1): Promise<void> {
    for (let i = 0; i < blocks; i++) {
      this.devnet.mine(1)
      await this.look()
    }
  }
  /** Coins of these sizes at fresh addresses, deep enough to be spent. */
  async fund(...amounts: readonly number[]): Promise<void> {
    for (const amount of amounts) {
      const revealed = await this.store.transact((tx) =>
        revealAddress(tx, { wallet: this.wallet, at: this.now, shown: true }),
      )
      assert(revealed.ok, 'an address')
      await this.look()
      this.devnet.pay(revealed.value.address, BigInt(amount))
    }
    await this.mine(3)
  }
  free(ownChange = true): Promise<readonly Coin[]> {
    return this.store.read((tx) =>
      tx.coins.freeCoins({ wallet: this.wallet, ownChange, limit: 1000 }),
    )
  }

  payment(amount: number, script?: Uint8Array): DraftPayment {
    this.#requests += 1
    const id = `wdr_${this.#requests}` as WithdrawalId
    const to = script ?? recipient(this.#requests % 256)
    const part = { withdrawal: id, amount: sat(BigInt(amount)) }
    this.#owed.set(id, { id, parts: [part], script: to, amount: part.amount })
    return { script: to, amount: sat(BigInt(amount)), withdrawals: [id] }
  }
  owedBy({ transaction, kind }: VersionRecord): readonly OwedPayment[] {
    if (kind === 'cancel') return []
    return transaction.outputs.flatMap(({ role }) =>
      role.kind === 'payment' ? role.withdrawals.flatMap((id) => this.#owed.get(id) ?? []) : [],
    )
  }
  async request(payments: readonly DraftPayment[], more: Partial<DraftRequest> = {}) {
    const tip = await this.store.read(tipOf)
    return {
      wallet: this.wallet,
      descriptor: await this.descriptor(),
      purpose: 'payout',
      coins: await this.free(),
      payments,
      feeFrom: 'change',
      fee: {
        rate: satPerKvB(2_000n),
        longTermRate: satPerKvB(10_000n),
        maxFee: sat(100_000n),
        maxRate: satPerKvB(100_000n),
      },
      tipHeight: tip.height,
      order: 'random',
      entropy: this.#entropy,
      ...more,
    } as const satisfies DraftRequest
  }
  async draft(payments: readonly DraftPayment[], more: Partial<DraftRequest> = {}) {
    return draftSpend(await this.request(payments, more))
  }
  /** Plans and commits a payout of these payments. */
  async plan(payments: readonly DraftPayment[], more: Partial<DraftRequest> = {}) {
    const request = await this.request(payments, more)
    const drafted = draftSpend(request)
    assert(drafted.ok, drafted.ok ? '' : drafted.error.message)
    const draft = drafted.value
    const points = needsPrevious(request.descriptor) ? draft.coins.map(({ point }) => point) : []
    const previous = await previousOf(this, points)
    assert(previous.ok, 'previous transactions')
    const committed = await this.store.transact((tx) =>
      commitSpend(
        tx,
        { clock: { now: () => this.now }, entropy: this.#entropy },
        {
          draft,
          descriptor: request.descriptor,
          previous: previous.value,
          actor: 'operator:test',
          at: this.now,
          approvalsNeeded: 0,
          policyVersion: 1,
          bumpAt: this.now + 30 * MINUTE,
        },
      ),
    )
    return committed
  }
  async pay(...amounts: readonly number[]): Promise<SpendRecord> {
    const committed = await this.plan(amounts.map((amount) => this.payment(amount)))
    assert(committed.ok, committed.ok ? '' : committed.error.message)
    return committed.value.spend
  }
  /** Pays if there are coins for it that nobody takes away. */
  async tryPay(amounts: readonly number[]): Promise<void> {
    const payments = amounts.map((amount) => this.payment(amount))
    const tip = await this.store.read(tipOf)
    const request = await this.request(payments, { tipHeight: tip.height })
    const coins = await this.store.read((tx) => steadyCoins(tx, request.coins))
    const drafted = draftSpend({ ...request, coins })
    if (!drafted.ok) return
    const committed = await this.plan(payments, { coins })
    assert(committed.ok, 'steady coins are free')
  }
  /** Pays from the one coin of this size. */
  async payFrom(coin: number, ...amounts: readonly number[]): Promise<SpendRecord> {
    const coins = (await this.free()).filter(({ amount }) => amount === BigInt(coin))
    const committed = await this.plan(
      amounts.map((amount) => this.payment(amount)),
      { coins },
    )
    assert(committed.ok, committed.ok ? '' : committed.error.message)
    return committed.value.spend
  }
  rate(rate: number): { readonly kind: 'rate'; readonly rate: SatPerKvB } {
    return { kind: 'rate', rate: satPerKvB(BigInt(rate)) }
  }

  async versions(id: SpendId): Promise<readonly VersionRecord[]> {
    const view = await this.spending.get(id)
    assert(view, 'a spend')
    return view.versions
  }
  async current(id: SpendId): Promise<VersionRecord> {
    const view = await this.spending.get(id)
    const version = view?.versions.find((one) => one.id === view.spend.current)
    assert(version, 'a version')
    return version
  }
  async status(id: SpendId): Promise<string> {
    const view = await this.spending.get(id)
    const versions = view?.versions.map(({ kind, status }) => `${kind} ${status}`).join(', ')
    return `${view?.spend.status}: ${versions}`
  }
  /** Signs the current version as a signer would, and stores its final bytes. */
  async sign(id: SpendId): Promise<VersionRecord> {
    const version = await this.current(id)
    const ours = parsePsbt(version.psbt)
    const theirs = parsePsbt(this.keys.sign(version))
    assert(ours.ok && theirs.ok, 'two PSBTs')
    const taken = takeSignatures(ours.value, theirs.value)
    assert(taken.ok, taken.ok ? '' : taken.error.message)
    const done = finalizePsbt(taken.value.psbt)
    assert(done.ok, done.ok ? '' : done.error.message)
    const { transaction, bytes } = done.value
    return this.store.transact(async (tx) => {
      await tx.spending.lockSpends([id])
      const fresh = await tx.spending.version(version.id)
      assert(fresh, 'the version')
      const status = nextVersion(fresh.status, 'finalized')
      assert(status, `${fresh.status} cannot be finalised`)
      const final: VersionRecord = {
        ...fresh,
        status,
        raw: bytes,
        finalWeight: weight(weightOf(transaction)),
        txid: txidOf(transaction),
        exposedAt: this.now,
        nextAt: this.now,
        updatedAt: this.now,
      }
      await tx.spending.saveVersion(final)
      return final
    })
  }
  /** As somebody with a hand in the database would do it. */
  async tamper(id: SpendId, how: (version: VersionRecord) => VersionRecord): Promise<void> {
    const version = await this.current(id)
    await this.store.transact((tx) => tx.spending.saveVersion(how(version)))
  }
  /** Final bytes that a signer made for himself: nobody here hears of them. */
  async signedOutside(id: SpendId): Promise<Uint8Array> {
    return this.keys.finish(await this.current(id))
  }
  /** Signs, sends and looks. */
  async send(id: SpendId): Promise<Txid> {
    const { txid } = await this.sign(id)
    await this.broadcast.sendDue()
    await this.look()
    assert(txid, 'final bytes have an id')
    return txid
  }
  inMempool(txid: string | undefined): boolean {
    return this.devnet.view.mempool().some((one) => one === txid)
  }
  async told(type: string): Promise<readonly string[]> {
    const events = await this.store.read((tx) => tx.events.list({ after: 0, limit: 100_000 }))
    return events.filter((event) => event.type === type).map(({ subject }) => subject)
  }
  async alerts(): Promise<readonly string[]> {
    const all = await this.store.read((tx) => tx.alerts.list({ limit: 1000 }))
    // Nobody has orders here: what funds us is unmatched, which is not what these stories are about.
    return all.map(({ kind }) => kind).filter((kind) => kind !== 'unmatched_payment')
  }
}
