import { toHex, tryFromHex } from './chain/bytes.ts'
import { genesisChain } from './chain/chain.ts'
import { fundedChain } from './chain/start.ts'
import { decodeTransaction, type Transaction } from './chain/transaction.ts'
import { DevnetError } from './failure.ts'
import { Access, type Credentials } from './powers/access.ts'
import { type ClockSource, NodeClock } from './powers/clock.ts'
import { SILENT, TransportFault } from './powers/faults.ts'
import { Powers } from './powers/powers.ts'
import { Waits } from './powers/waits.ts'
import { answerRest } from './rest/rest.ts'
import { callMethod } from './rpc/dispatch.ts'
import type { Json } from './rpc/json.ts'
import type { RpcContext } from './rpc/method.ts'
import { type Responder, respond, runRequest, WARMING_UP } from './rpc/respond.ts'
import { RpcServer, urlOf } from './rpc/server.ts'
import { Keeper, type StatePart } from './storage/keeper.ts'
import { clockPart, coinsTable, mempoolPart, posturePart, walletsTable } from './storage/parts.ts'
import { publishHappenings } from './zmq/notify.ts'
import type { ZmqOptions, ZmqPublisher } from './zmq/publisher.ts'

const NONE = new Uint8Array()

export interface DevnetOptions {
  /** Devnets with the same seed, clock and calls hold the same bytes. Default `devnet`. */
  readonly seed?: string
  /**
   * A function that gives milliseconds since the epoch, or an instant: the clock then stands there and only `travel` moves it.
   * Default: the machine's clock.
   */
  readonly clock?: ClockSource
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  readonly port?: number
  /** Folder of the cookie file, and of everything else with `persist`. Default: a temporary one, removed by `close`. */
  readonly dir?: string
  /**
   * True: chain, mempool, clock and wallets are kept in `dir` and come back with the next devnet there. What a call changed is
   * written before it is answered, so that a kill of the process at any moment takes nothing back.
   */
  readonly persist?: boolean
  /** With `persist`: true also waits for the disk each time, so that a power cut takes nothing back either. Slow. Default false. */
  readonly fsync?: boolean
  /** User and password of the RPC; the cookie works as well. Default: `devnet` and a random password. */
  readonly auth?: Partial<Credentials>
  /** `funded` (default): 110 blocks, mature coins for faucet and stranger. `genesis`: height 0, no coins. */
  readonly start?: 'funded' | 'genesis'
  /** Bytes of memory, as Core counts them, above which the mempool drops the worst payers. Default 300,000,000. */
  readonly maxMempoolBytes?: number
  /** False: signatures are neither made nor checked, for simulations. Default true. */
  readonly verifySignatures?: boolean
  /** Core's ZeroMQ notifications: `true` for all topics on one free port. Opened by `listen`. Default: none. */
  readonly zmq?: boolean | ZmqOptions
  /** Core's REST interface below `/rest/` of the RPC port, without a password. Default true. */
  readonly rest?: boolean
  /** True: the server keeps the process alive, as a program that serves others wants. Default false: a test run ends by itself. */
  readonly keepAlive?: boolean
  /** Called when a caller ended the node by the RPC `stop`. */
  readonly onStop?: () => void
}

/** An in-process regtest chain with the powers that a real node has not. */
export class Devnet extends Powers {
  readonly #options: DevnetOptions
  readonly #responder: Responder
  readonly #waits: Waits
  /** Present with the option `zmq`: addresses and counts of the publisher. */
  readonly zmq: ZmqPublisher | undefined
  readonly #keeper: Keeper | undefined
  #access: Access | undefined
  #server: RpcServer | undefined
  #startedMs: number
  #state: 'up' | 'down' | 'warming' | 'closed' = 'up'
  #waiting: readonly Transaction[] = []

  constructor(options: DevnetOptions = {}) {
    checkOptions(options)
    const clock = new NodeClock(options.clock)
    const keeper = options.persist ? openHome(options, clock) : undefined
    const { seed = 'devnet', verifySignatures = true, start } = keeper?.home ?? options
    const fresh = () => (start === 'genesis' ? genesisChain() : fundedChain(clock.now() / 1000))
    const more = keeper ? { stored: keeper.stored } : {}
    const base = keeper?.base ?? fresh()
    const { maxMempoolBytes } = options
    super({ base, verifySignatures, clock, seed, maxMempoolBytes, ...more })
    this.#options = options
    this.#waits = new Waits(this.regtest)
    this.zmq = publishHappenings(this.regtest.happenings, options.zmq)
    // As if it ran since an hour: a restart then shows at once to whoever compares uptimes.
    this.#startedMs = clock.now() - 3_600_000
    this.#responder = {
      context: this.#context(),
      faults: this.faults,
      warmingUp: () => (this.#state === 'warming' ? WARMING_UP : undefined),
      settle: () => this.settle(undefined),
    }
    this.#keeper = keeper
    this.#beginKeeping()
    if (keeper?.found) this.#startedMs = clock.now()
  }
  #beginKeeping(): void {
    const { regtest, coins, clock, posture, wallets } = this
    this.#keeper?.begin({
      regtest,
      parts: [mempoolPart(regtest), clockPart(clock), posturePart(posture), this.#waitingPart()],
      tables: [coinsTable(coins), walletsTable(wallets)],
      known: {
        all: () => coins.known(),
        news: () => coins.takeNews(),
        learn: (transaction) => coins.learn(transaction),
      },
    })
  }
  #waitingPart(): StatePart {
    return {
      name: 'waiting',
      save: () => JSON.stringify(this.#waiting.map(({ raw }) => toHex(raw))),
      load: (text) => {
        const raws: readonly string[] = JSON.parse(text)
        this.#waiting = raws.flatMap((raw) => decodeTransaction(tryFromHex(raw) ?? NONE) ?? [])
      },
    }
  }
  protected override settle<T>(value: T): T {
    if (this.#state !== 'closed') this.#keeper?.commit()
    return value
  }
  #context(walletPath?: string): RpcContext {
    return {
      regtest: this.regtest,
      wallets: this.wallets,
      powers: this,
      clock: this.clock,
      waits: this.#waits,
      zmq: () => this.zmq?.notifiers ?? [],
      posture: this.posture,
      uptimeMs: () => this.regtest.milliseconds() - this.#startedMs,
      // Like Core, the node still answers the call that ends it.
      stop: () =>
        void setImmediate(async () => {
          await this.down()
          this.#options.onStop?.()
        }),
      ...(walletPath === undefined ? {} : { walletPath }),
    }
  }

  // --- access ---------------------------------------------------------------------------------
  /** True when this devnet came back from its folder, false for a new chain. */
  get resumed(): boolean {
    return this.#keeper?.found ?? false
  }
  /** Starts the HTTP server; `createDevnet` has done it. */
  async listen(): Promise<void> {
    this.#mustBeOpen()
    this.#access ??= new Access(this.#options.auth, this.#options.dir)
    const access = this.#access
    this.#server ??= new RpcServer(
      {
        authorize: (credentials) => access.authorize(credentials),
        respond: (body, walletPath) =>
          respond({ ...this.#responder, context: this.#context(walletPath) }, body),
        rest:
          this.#options.rest === false
            ? undefined
            : (url, body) => answerRest(this.#responder, url, body),
      },
      this.#options.port ?? 0,
      this.#options.keepAlive ?? false,
    )
    await this.#server.listen()
    await this.zmq?.listen(this.#options.keepAlive ?? false)
  }
  /** `http://127.0.0.1:<port>`. @throws DevnetError DEVNET_USAGE before `listen`. */
  get rpcUrl(): string {
    return urlOf(this.#server)
  }
  /** User and password of the RPC. @throws DevnetError DEVNET_USAGE before `listen`. */
  get auth(): Credentials {
    return this.#opened().auth
  }
  /** The file with the cookie of this life of the node. @throws DevnetError DEVNET_USAGE before `listen`. */
  get cookiePath(): string {
    return this.#opened().cookiePath
  }
  #opened(): Access {
    if (this.#access) return this.#access
    throw new DevnetError('DEVNET_USAGE', 'the RPC server is not listening: await devnet.listen()')
  }
  #mustBeOpen(): void {
    if (this.#state === 'closed') throw new DevnetError('DEVNET_CLOSED', 'this devnet was closed')
  }
  /**
   * One call without HTTP: the same answers and armed faults. Amounts come as bigint satoshi.
   * @throws RpcError with Core's code; TransportFault where a network would fail, at once instead of after a timeout.
   */
  async rpc(
    method: string,
    params: readonly unknown[] | Record<string, unknown> = [],
  ): Promise<Json> {
    if (this.#state === 'down' || this.#state === 'closed') throw new TransportFault('down')
    const { result, error, fault } = await runRequest(this.#responder, method, params)
    if (fault && SILENT.has(fault.kind)) throw new TransportFault(fault.kind)
    if (fault?.kind === 'delay') await new Promise((done) => setTimeout(done, fault.ms ?? 0))
    if (error) throw error
    return result ?? null
  }
  /** One call at once, past faults and downtime. @throws RpcError. */
  call(method: string, params: readonly unknown[] | Record<string, unknown> = []): Json {
    return this.settle(callMethod(this.#responder.context, method, params))
  }

  // --- the node's life ------------------------------------------------------------------------
  /** Refuses connections until `up`. The chain goes on: powers still work. */
  async down(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'down'
    await this.#hangUp()
  }
  /** Calls that wait for a block get their answer, as from a node that ends; then every connection breaks. */
  async #hangUp(): Promise<void> {
    if (this.#waits.size > 0) {
      this.#waits.endAll()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all([this.#server?.stop(), this.zmq?.stop()])
  }
  /** Accepts connections again, on the same port. `warmingUp`: answers -28 until `up` is called once more. */
  async up(options: { readonly warmingUp?: boolean } = {}): Promise<void> {
    this.#mustBeOpen()
    this.#state = options.warmingUp ? 'warming' : 'up'
    if (!this.#server) return
    await this.#server.listen()
    await this.zmq?.listen(this.#options.keepAlive ?? false)
  }
  /**
   * The node process ends and starts again: new cookie, uptime from zero. The mempool is `kept` (Core stores it),
   * `lost`, or `loading`: empty and not `loaded` until `finishLoading`. Loaded wallets offer what they wait for again, as
   * Core's do, and forget locks and fees that only memory held.
   */
  async restart(options: { readonly mempool?: 'kept' | 'lost' | 'loading' } = {}): Promise<void> {
    this.#mustBeOpen()
    await this.down()
    const { pool } = this.regtest.mempool
    if (options.mempool === 'loading') {
      this.#waiting = pool.sorted().map(({ transaction }) => transaction)
      this.posture.mempoolLoaded = false
    }
    if (options.mempool === 'lost' || options.mempool === 'loading') {
      for (const txid of [...pool.entries.keys()]) pool.remove(txid, 'evicted')
    }
    pool.sequence = 1
    this.#startedMs = this.regtest.milliseconds()
    this.zmq?.resetCounters()
    this.#access?.renewCookie()
    this.wallets.restart()
    this.settle(undefined)
    await this.up()
  }
  /** Ends `restart({ mempool: 'loading' })`: what is still valid is back. */
  finishLoading(): void {
    for (const transaction of this.#waiting) this.regtest.offer(transaction)
    this.#waiting = []
    this.posture.mempoolLoaded = true
    this.settle(undefined)
  }
  /** Makes two devnets one network: blocks and transactions pass from now on, and the chain with the most work wins. */
  join(other: Devnet): void {
    this.regtest.connect(other.regtest)
    this.settle(undefined)
    other.settle(undefined)
  }
  /** Cuts the connection to `other`, or all: each side goes on alone until the next `join`. */
  partition(other?: Devnet): void {
    for (const peer of other ? [other.regtest] : [...this.regtest.peers]) {
      this.regtest.disconnect(peer)
    }
  }
  /** Ends the server and removes its files. Once is enough; more does no harm. */
  async close(): Promise<void> {
    this.partition()
    this.#state = 'closed'
    await this.#hangUp()
    this.#access?.removeFiles()
    this.#keeper?.close()
  }
  /** `await using devnet = await createDevnet()` closes it at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** What a program without types may get wrong, before anything is opened. @throws DevnetError DEVNET_USAGE. */
function checkOptions({ port = 0, start = 'funded' }: DevnetOptions): void {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new DevnetError('DEVNET_USAGE', `\`port\` is a number from 0 to 65535, not ${port}`)
  }
  if (start !== 'funded' && start !== 'genesis') {
    throw new DevnetError('DEVNET_USAGE', `\`start\` is funded or genesis, not ${start}`)
  }
}
/** @throws DevnetError DEVNET_USAGE without a folder; DEVNET_STORAGE_... */
function openHome(options: DevnetOptions, clock: NodeClock): Keeper {
  const { dir: folder, fsync = false, seed, start, verifySignatures } = options
  if (folder === undefined) throw new DevnetError('DEVNET_USAGE', '`persist` needs a `dir`')
  const asked = {
    ...(seed === undefined ? {} : { seed }),
    ...(start === undefined ? {} : { start }),
    ...(verifySignatures === undefined ? {} : { verifySignatures }),
  }
  return new Keeper({ folder, fsync, now: clock.now() / 1000, ...asked })
}

/** A devnet whose RPC listens. @throws DevnetError DEVNET_USAGE, DEVNET_STORAGE_...; Node's own error for a port in use. */
export async function createDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const devnet = new Devnet(options)
  try {
    await devnet.listen()
  } catch (error) {
    // A port in use leaves neither a locked folder nor a cookie behind.
    await devnet.close()
    throw error
  }
  return devnet
}
/** A devnet without server, files or waiting: thousands of them are cheap. `listen` may follow. */
export const createDevnetInProcess = (options: DevnetOptions = {}): Devnet => new Devnet(options)
