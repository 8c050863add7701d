import { addressOf } from './chain/address.ts'
import { decodeBlock } from './chain/block.ts'
import { toHex, tryFromHex } from './chain/bytes.ts'
import { genesisChain } from './chain/chain.ts'
import { rejectionText } from './chain/checks.ts'
import { fundedChain, minerKey, strangerKey } from './chain/start.ts'
import { decodeTransaction, type Transaction } from './chain/transaction.ts'
import { DevnetError, must } from './failure.ts'
import { Access, type Credentials } from './powers/access.ts'
import {
  type CoinRef,
  Coins,
  type CoinsState,
  type Payment,
  type Spend,
  type SpendOptions,
  scriptOfAddress,
} from './powers/coins.ts'
import { Faults, TransportFault } from './powers/faults.ts'
import { blockRefused, Regtest, type RegtestState } from './powers/regtest.ts'
import { type BlockPoint, ChainView } from './powers/view.ts'
import { callMethod } from './rpc/dispatch.ts'
import type { Json } from './rpc/json.ts'
import type { Posture, RpcContext } from './rpc/method.ts'
import { type Responder, respond, runRequest, WARMING_UP } from './rpc/respond.ts'
import { RpcServer, urlOf } from './rpc/server.ts'
import { Wallets, type WalletsState } from './wallet/wallets.ts'

export interface DevnetOptions {
  /** Devnets with the same seed, clock and calls hold the same bytes. Default `devnet`. */
  readonly seed?: string
  /** Milliseconds since the epoch. Default: the machine's clock. */
  readonly clock?: () => number
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  readonly port?: number
  /** Folder of the cookie file. Default: a temporary one, removed by `close`. */
  readonly dir?: string
  /** User and password of the RPC; the cookie works as well. Default: a random password. */
  readonly auth?: Credentials
  /** `funded` (default): 110 blocks, mature coins for faucet and stranger. `genesis`: height 0, no coins. */
  readonly start?: 'funded' | 'genesis'
  /** False: signatures are neither made nor checked, for simulations. Default true. */
  readonly verifySignatures?: boolean
}
/** A raw transaction in hex, or the txid of one that the devnet has seen. */
export type TransactionRef = string
export interface Snapshot {
  readonly regtest: RegtestState
  readonly coins: CoinsState
  readonly wallets: WalletsState
  readonly posture: Posture
}
const TXID = /^[0-9a-f]{64}$/

/** An in-process regtest chain with the powers that a real node has not. */
export class Devnet {
  /** Calls that shall go wrong. */
  readonly faults = new Faults()
  /** The chain as plain values. */
  readonly view: ChainView
  /** What the node says of itself: may be changed at any time. */
  readonly posture: Posture = {
    initialBlockDownload: false,
    mempoolLoaded: true,
    feeRate: 5000n,
  }
  readonly #regtest: Regtest
  readonly #coins: Coins
  /** The wallets of the node, as its RPC serves them. */
  readonly wallets: Wallets
  readonly #options: DevnetOptions
  readonly #responder: Responder
  #access: Access | undefined
  #server: RpcServer | undefined
  #startedMs: number
  #state: 'up' | 'down' | 'warming' | 'closed' = 'up'
  #waiting: readonly Transaction[] = []

  constructor(options: DevnetOptions = {}) {
    const { clock = Date.now, seed = 'devnet', verifySignatures = true } = options
    this.#options = options
    const funded = options.start !== 'genesis'
    const base = funded ? fundedChain(clock() / 1000) : genesisChain()
    this.#regtest = new Regtest({ base, verifySignatures, clock, seed })
    this.#coins = new Coins(this.#regtest, verifySignatures ? 'real' : 'dummy')
    this.wallets = new Wallets({
      regtest: this.#regtest,
      seed,
      feeRate: () => this.posture.feeRate,
    })
    this.view = new ChainView(this.#regtest)
    // As if it ran since an hour: a restart then shows at once to whoever compares uptimes.
    this.#startedMs = clock() - 3_600_000
    this.#responder = {
      context: this.#context(),
      faults: this.faults,
      warmingUp: () => (this.#state === 'warming' ? WARMING_UP : undefined),
    }
  }
  #context(walletPath?: string): RpcContext {
    return {
      regtest: this.#regtest,
      wallets: this.wallets,
      posture: this.posture,
      uptimeMs: () => this.#regtest.milliseconds() - this.#startedMs,
      // Like Core, the node still answers the call that ends it.
      stop: () => void setImmediate(() => this.down()),
      ...(walletPath === undefined ? {} : { walletPath }),
    }
  }

  // --- access ---------------------------------------------------------------------------------
  /** Starts the HTTP server; `createDevnet` has done it. */
  async listen(): Promise<void> {
    this.#access ??= new Access(this.#options.auth, this.#options.dir)
    const access = this.#access
    this.#server ??= new RpcServer(
      {
        authorize: (credentials) => access.authorize(credentials),
        respond: (body, walletPath) =>
          respond({ ...this.#responder, context: this.#context(walletPath) }, body),
      },
      this.#options.port ?? 0,
    )
    await this.#server.listen()
  }
  /** `http://127.0.0.1:<port>`. @throws DevnetError DEVNET_USAGE before `listen`. */
  get rpcUrl(): string {
    return urlOf(this.#server)
  }
  get auth(): Credentials {
    return must(this.#access, 'listen first').auth
  }
  get cookiePath(): string {
    return must(this.#access, 'listen first').cookiePath
  }
  /**
   * One call without HTTP: the same answers and armed faults. Amounts come as bigint satoshi.
   * @throws RpcError with Core's code; TransportFault where a network would fail.
   */
  async rpc(method: string, params: readonly unknown[] | Record<string, unknown> = []) {
    if (this.#state === 'down' || this.#state === 'closed') throw new TransportFault('down')
    const { result, error, fault } = runRequest(this.#responder, method, params)
    const silent = ['timeout_before', 'timeout_after', 'reset', 'garbage']
    if (fault && silent.includes(fault.kind)) throw new TransportFault(fault.kind)
    if (error) throw error
    return result ?? null
  }
  /** One call at once, past faults and downtime. @throws RpcError. */
  call(method: string, params: readonly unknown[] | Record<string, unknown> = []): Json {
    return callMethod(this.#responder.context, method, params)
  }

  // --- blocks ---------------------------------------------------------------------------------
  /** Mines `count` blocks from the mempool. Returns their hashes. */
  mine(count = 1, options: { readonly to?: string } = {}): readonly string[] {
    const script = this.#coinbaseScript(options.to)
    return Array.from({ length: count }, () => this.#regtest.mine(script).hash)
  }
  /** Mines one block with exactly these transactions in this order, also such that the mempool refused. @throws DEVNET_BLOCK_REFUSED. */
  mineBlock(
    block: {
      readonly transactions?: readonly TransactionRef[]
      readonly txids?: readonly string[]
      readonly coinbaseTo?: string
    } = {},
  ): string {
    const refs = [...(block.txids ?? []), ...(block.transactions ?? [])]
    const transactions = refs.map((ref) => this.#transaction(ref))
    return this.#regtest.mineExactly(transactions, this.#coinbaseScript(block.coinbaseTo)).hash
  }
  /**
   * Drops the last `depth` blocks and mines these instead, in one step. Dropped transactions that are not mined again
   * return to the mempool but for `lose`. Returns the new hashes. @throws DEVNET_BLOCK_REFUSED: then nothing changed.
   */
  reorg(
    depth: number,
    blocks: readonly (readonly TransactionRef[])[],
    options: { readonly lose?: readonly string[]; readonly coinbaseTo?: string } = {},
  ): readonly string[] {
    const height = this.view.tip().height
    if (depth < 0 || depth > height) {
      throw new DevnetError('DEVNET_USAGE', `cannot drop ${depth} blocks of ${height}`)
    }
    const contents = blocks.map((refs) => refs.map((ref) => this.#transaction(ref)))
    const lose = new Set(options.lose)
    const script = this.#coinbaseScript(options.coinbaseTo)
    return this.#regtest.reorganize(depth, contents, lose, script).map(({ hash }) => hash)
  }
  /** Takes a raw block (hex) as from a peer. @throws DEVNET_BLOCK_REFUSED. */
  submitBlock(hex: string): void {
    const bytes = tryFromHex(hex)
    const block = bytes && decodeBlock(bytes)
    if (!block) throw blockRefused({ reason: 'block decode failed' })
    const outcome = this.#regtest.submit(block)
    if (outcome.kind === 'refused') throw blockRefused(outcome.rejection)
  }
  /** Deletes the blocks up to this height, as a pruned node does. */
  prune(height: number): void {
    this.#regtest.prune(height)
  }
  #coinbaseScript(address: string | undefined): Uint8Array {
    return address === undefined ? minerKey.script : scriptOfAddress(address)
  }

  // --- transactions ---------------------------------------------------------------------------
  /** Hands a raw transaction (hex) to the mempool. @throws DEVNET_TRANSACTION_REFUSED with Core's reason; the devnet still knows it. */
  send(raw: string): string {
    const transaction = this.#transaction(raw)
    if (this.#regtest.mempool.pool.entries.has(transaction.txid)) return transaction.txid
    const verdict = this.#regtest.offer(transaction)
    if (verdict.ok) return transaction.txid
    const reason = rejectionText(verdict.rejection)
    throw new DevnetError('DEVNET_TRANSACTION_REFUSED', `refused: ${reason}`, reason)
  }
  /** As `send`, but a refusal is an answer: undefined when taken, else Core's reason. */
  trySend(raw: string): string | undefined {
    try {
      this.send(raw)
      return undefined
    } catch (fault) {
      if (fault instanceof DevnetError && fault.reason !== undefined) return fault.reason
      throw fault
    }
  }
  /** Builds and signs a transaction from a stranger's coin, without sending it. The same in every run. */
  spend(options: SpendOptions): Spend {
    return this.#coins.spend(options)
  }
  /** Pays an address from the stranger's wallet, unconfirmed. The payment is output 0. */
  pay(
    address: string,
    amount: bigint | number,
    options: {
      readonly rbf?: boolean
      /** Satoshi per vbyte. */
      readonly feeRate?: bigint
      readonly inputs?: readonly CoinRef[]
    } = {},
  ): Spend {
    const payment: Payment = { address, amount }
    const spend = this.#coins.pay(payment, options)
    this.send(spend.raw)
    return spend
  }
  /** Pays and mines: the coin has `confirmations` (default 1). */
  faucet(
    address: string,
    amount: bigint | number,
    options: { readonly confirmations?: number } = {},
  ): Spend {
    const spend = this.pay(address, amount)
    this.mine(options.confirmations ?? 1)
    return spend
  }
  /** The stranger's coin of this name: two spends of one name conflict. */
  strangerCoin(name: string): {
    readonly txid: string
    readonly vout: number
    readonly value: bigint
  } {
    return this.#coins.named(name)
  }
  /** Throws transactions out of the mempool with everything that builds on them. Returns all that left. */
  evict(...txids: readonly string[]): readonly string[] {
    return txids.flatMap((txid) => this.#regtest.mempool.pool.removeFamily(txid, 'evicted'))
  }
  /** Raises the mempool's minimum to `rate` satoshi per vbyte and drops what pays less. 1 is the normal floor. */
  feeSpike(rate: bigint | number): readonly string[] {
    const floor = BigInt(rate) * 1000n
    const { mempool } = this.#regtest
    mempool.minFeeRate = floor
    const poor = [...mempool.pool.entries.values()].filter(
      ({ fee, transaction }) => fee * 1000n < floor * BigInt(transaction.vsize),
    )
    return poor.flatMap(({ transaction }) =>
      mempool.pool.removeFamily(transaction.txid, 'sizelimit'),
    )
  }
  /** Raw hex of any transaction that the devnet has seen. */
  rawTransaction(txid: string): string | undefined {
    const transaction = this.#coins.transaction(txid)
    return transaction && toHex(transaction.raw)
  }
  #transaction(ref: TransactionRef): Transaction {
    if (TXID.test(ref)) {
      const known = this.#coins.transaction(ref)
      if (known) return known
      throw new DevnetError('DEVNET_TRANSACTION_UNKNOWN', `no transaction ${ref} was seen`)
    }
    const bytes = tryFromHex(ref)
    const transaction = bytes && decodeTransaction(bytes)
    if (!transaction) throw new DevnetError('DEVNET_TRANSACTION_INVALID', 'not a transaction')
    this.#coins.known.set(transaction.txid, transaction)
    return transaction
  }
  /** Where change and mined coins go: a stranger's P2WPKH address. */
  get strangerAddress(): string {
    return must(addressOf(strangerKey.script), 'a key has an address')
  }

  // --- the node's life ------------------------------------------------------------------------
  /** Refuses connections until `up`. The chain goes on: powers still work. */
  async down(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'down'
    await this.#server?.stop()
  }
  /** Accepts connections again, on the same port. `warmingUp`: answers -28 until `up` is called once more. */
  async up(options: { readonly warmingUp?: boolean } = {}): Promise<void> {
    if (this.#state === 'closed') throw new DevnetError('DEVNET_CLOSED', 'this devnet was closed')
    this.#state = options.warmingUp ? 'warming' : 'up'
    if (this.#server) await this.#server.listen()
  }
  /**
   * The node process ends and starts again: new cookie, uptime from zero. The mempool is `kept` (Core stores it),
   * `lost`, or `loading`: empty and not `loaded` until `finishLoading`.
   */
  async restart(options: { readonly mempool?: 'kept' | 'lost' | 'loading' } = {}): Promise<void> {
    await this.down()
    const { pool } = this.#regtest.mempool
    if (options.mempool === 'loading') {
      this.#waiting = pool.sorted().map(({ transaction }) => transaction)
      this.posture.mempoolLoaded = false
    }
    if (options.mempool === 'lost' || options.mempool === 'loading') {
      for (const txid of [...pool.entries.keys()]) pool.remove(txid, 'evicted')
    }
    pool.sequence = 1
    this.#startedMs = this.#regtest.milliseconds()
    this.#access?.renewCookie()
    await this.up()
  }
  /** Ends `restart({ mempool: 'loading' })`: what is still valid is back. */
  finishLoading(): void {
    for (const transaction of this.#waiting) this.#regtest.offer(transaction)
    this.#waiting = []
    this.posture.mempoolLoaded = true
  }
  /** Joins two networks: blocks and transactions pass from now on, and the longer chain wins. */
  connect(other: Devnet): void {
    this.#regtest.connect(other.#regtest)
  }
  /** Cuts the connection to `other`, or all. */
  partition(other?: Devnet): void {
    for (const peer of other ? [other.#regtest] : [...this.#regtest.peers]) {
      this.#regtest.disconnect(peer)
    }
  }
  /** Chain, mempool, coins and posture as they are now. Cheap: shares what does not change. */
  snapshot(): Snapshot {
    return {
      regtest: this.#regtest.save(),
      coins: this.#coins.save(),
      wallets: this.wallets.save(),
      posture: { ...this.posture },
    }
  }
  /** Back to a snapshot, as often as wanted. */
  restore(snapshot: Snapshot): void {
    this.#regtest.load(snapshot.regtest)
    this.#coins.load(snapshot.coins)
    this.wallets.load(snapshot.wallets)
    Object.assign(this.posture, snapshot.posture)
  }
  /** Ends the server and removes its files. */
  async close(): Promise<void> {
    this.partition()
    this.#state = 'closed'
    await this.#server?.stop()
    this.#access?.removeFiles()
  }
  get tip(): BlockPoint {
    return this.view.tip()
  }
}

/** A devnet whose RPC listens. */
export async function createDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const devnet = new Devnet(options)
  await devnet.listen()
  return devnet
}
/** A devnet without server, files or waiting: thousands of them are cheap. `listen` may follow. */
export const createDevnetInProcess = (options: DevnetOptions = {}): Devnet => new Devnet(options)
