import { sha256 } from '@noble/hashes/sha2.js'
import { addressOf } from '../chain/address.ts'
import { toHex } from '../chain/bytes.ts'
import { signTransaction, type TestKey, testKey } from '../chain/keys.ts'
import { minerKey, strangerKey, strangerSource } from '../chain/start.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
} from '../chain/transaction.ts'
import { DevnetError, must } from '../failure.ts'
import { dustThreshold, feeAt } from '../mempool/policy.ts'
import { outputOf, type Payment, scriptOfAddress, wholeSatoshi } from './payment.ts'
import type { Regtest } from './regtest.ts'
import {
  type Draft,
  type ReplaceOptions,
  replacementFee,
  sameOutputs,
  settle,
  sumOf,
} from './replacement.ts'

/** The name of a stranger's coin, or `txid:vout`, or the outpoint itself. */
export type CoinRef = string | { readonly txid: string; readonly vout: number }

export interface SpendOptions {
  readonly from: CoinRef | readonly CoinRef[]
  readonly outs: readonly Payment[]
  /** Signals replacement (BIP 125). Default false; Core 28 replaces either way. */
  readonly rbf?: boolean
  /** Satoshi; the rest goes back to the stranger. Default: 5 sat/vB or the mempool minimum, more with every earlier spend of the same coin. */
  readonly fee?: bigint | number
  /** False: what the outputs do not take is fee. Default true. */
  readonly change?: boolean
  /** 32-byte private keys for coins that are not the stranger's or the miner's. */
  readonly keys?: readonly Uint8Array[]
  readonly locktime?: number
}
export interface Spend {
  readonly raw: string
  readonly txid: string
  /** Satoshi. */
  readonly fee: bigint
}
export interface CoinsState {
  readonly named: ReadonlyMap<string, string>
  readonly used: ReadonlySet<string>
  readonly spends: ReadonlyMap<string, number>
  readonly next: number
}

interface Source {
  readonly key: string
  readonly txid: string
  readonly vout: number
  readonly output: TransactionOutput
}
const DEFAULT_RATE = 5000n
const RATE_STEP = 20_000n
const OUTPOINT = /^[0-9a-f]{64}:\d+$/

/** The wallet of the tests: names for coins, and transactions that are the same in every run. */
export class Coins {
  readonly #regtest: Regtest
  readonly #signing: 'real' | 'dummy'
  readonly #known = new Map<string, Transaction>()
  /** Learned since the last look of whoever writes them down. */
  #news: Transaction[] = []
  #named = new Map<string, string>()
  #used = new Set<string>()
  #spends = new Map<string, number>()
  #next = 0
  /** Rows since the last look of whoever writes them down; undefined: other coins took the place of all. */
  #rows: Map<string, string> | undefined = new Map()
  /** Keys that the work in progress took: given back when it fails. */
  #taken: string[] = []
  readonly #first: number

  constructor(regtest: Regtest, signing: 'real' | 'dummy') {
    this.#regtest = regtest
    this.#signing = signing
    const hash = sha256(new TextEncoder().encode(regtest.options.seed))
    this.#first = new DataView(hash.buffer, hash.byteOffset).getUint32(0)
  }
  save(): CoinsState {
    return {
      named: new Map(this.#named),
      used: new Set(this.#used),
      spends: new Map(this.#spends),
      next: this.#next,
    }
  }
  load(state: CoinsState): void {
    this.#named = new Map(state.named)
    this.#used = new Set(state.used)
    this.#spends = new Map(state.spends)
    this.#next = state.next
    this.#rows = undefined
  }
  /** What is new since the last call, as `rowsOf` writes it; undefined: everything may be. */
  takeRows(): ReadonlyMap<string, string> | undefined {
    const rows = this.#rows
    this.#rows = new Map()
    return rows
  }
  /** Runs `work`: when it throws, the coins that it took are free again. */
  whole<T>(work: () => T): T {
    const next = this.#next
    this.#taken = []
    try {
      return work()
    } catch (fault) {
      const taken = new Set(this.#taken)
      for (const key of taken) this.#used.delete(key)
      for (const [name, key] of this.#named) if (taken.has(key)) this.#named.delete(name)
      this.#next = next
      this.#rows = undefined
      throw fault
    }
  }
  #take(key: string): void {
    if (this.#used.has(key)) return
    this.#used.add(key)
    this.#taken.push(key)
    this.#rows?.set(`used ${key}`, '')
  }

  /** Every transaction that a power made or was given, also refused ones. */
  known(): readonly Transaction[] {
    return [...this.#known.values()]
  }
  /** Keeps a transaction, so that powers may name it by its txid. */
  learn(transaction: Transaction): void {
    if (this.#known.has(transaction.txid)) return
    this.#known.set(transaction.txid, transaction)
    this.#news.push(transaction)
  }
  /** What was learned since the last call. */
  takeNews(): readonly Transaction[] {
    return this.#news.splice(0)
  }
  /** A transaction from anywhere: made here, in the mempool, or in a block. */
  transaction(txid: string): Transaction | undefined {
    const { chain, mempool } = this.#regtest
    const place = chain.index.get(txid)
    return (
      this.#known.get(txid) ??
      mempool.pool.entries.get(txid)?.transaction ??
      (place && chain.blocks.get(place.hash)?.transactions[place.position])
    )
  }
  /** The coin that stands for this name, chosen at the first use. @throws DevnetError DEVNET_FUNDS_SHORT. */
  named(name: string): { readonly txid: string; readonly vout: number; readonly value: bigint } {
    let key = this.#named.get(name)
    if (key === undefined) {
      key = this.#fresh().key
      this.#named.set(name, key)
      this.#rows?.set(`named ${name}`, key)
    }
    const { txid, vout, output } = this.#resolve(key)
    return { txid, vout, value: output.value }
  }
  /**
   * The next small coin that no power used yet, however the chain looks now, but for coins that another devnet spent. Each seed
   * begins elsewhere, so that devnets which part and join again do not pay with the same coins by accident.
   */
  #small(): Source | undefined {
    const { chain, mempool } = this.#regtest
    const source = strangerSource(chain)
    while (source && this.#next < source.outputs.length) {
      const key = `${source.txid}:${(this.#first + this.#next++) % source.outputs.length}`
      if (this.#used.has(key) || !chain.coins.has(key) || mempool.pool.spenders.has(key)) continue
      this.#rows?.set('next', `${this.#next}`)
      this.#take(key)
      return this.#resolve(key)
    }
    return undefined
  }
  /** A small coin, or a mature coinbase where there is none: on a chain from genesis, or after a thousand payments. */
  #fresh(): Source {
    const source = this.#small() ?? this.#freshCoinbase()
    if (source) return source
    const text = 'no mature coin is left: mine some blocks (a coinbase needs 100 more on top)'
    throw new DevnetError('DEVNET_FUNDS_SHORT', text)
  }
  /** A mature coinbase of the miner that no power used yet. */
  #freshCoinbase(): Source | undefined {
    const { chain, mempool } = this.#regtest
    const script = toHex(minerKey.script)
    for (const node of chain.active) {
      if (node.height + 100 > chain.tip.height + 1) return undefined
      const coinbase = chain.blockOf(node)?.transactions[0]
      const output = coinbase?.outputs[0]
      if (!coinbase || !output || toHex(output.script) !== script) continue
      const key = `${coinbase.txid}:0`
      if (this.#used.has(key) || !chain.coins.has(key) || mempool.pool.spenders.has(key)) continue
      this.#take(key)
      return { key, txid: coinbase.txid, vout: 0, output }
    }
    return undefined
  }
  #resolve(ref: CoinRef): Source {
    const text = typeof ref === 'string' ? ref : `${ref.txid}:${ref.vout}`
    const key = OUTPOINT.test(text) ? text : this.#key(text)
    const txid = key.slice(0, 64)
    const vout = Number(key.slice(65))
    const coin = this.#regtest.chain.coins.get(key)
    const output = coin ?? this.transaction(txid)?.outputs[vout]
    if (!output) throw new DevnetError('DEVNET_COIN_UNKNOWN', `no transaction has output ${key}`)
    return { key, txid, vout, output }
  }
  #key(name: string): string {
    const { txid, vout } = this.named(name)
    return `${txid}:${vout}`
  }

  /** Builds and signs; sends nothing. @throws DevnetError DEVNET_KEY_UNKNOWN, DEVNET_FUNDS_SHORT, DEVNET_ADDRESS_INVALID. */
  spend(options: SpendOptions): Spend {
    const refs = Array.isArray(options.from) ? options.from : [options.from ?? []].flat()
    const sources = (refs as readonly CoinRef[]).map((ref) => this.#resolve(ref))
    if (sources.length === 0)
      throw new DevnetError('DEVNET_USAGE', 'a spend needs a coin in `from`')
    const earlier = Math.max(...sources.map(({ key }) => this.#spends.get(key) ?? 0))
    for (const { key } of sources) {
      this.#spends.set(key, earlier + 1)
      this.#rows?.set(`spends ${key}`, `${earlier + 1}`)
      this.#take(key)
    }
    return this.#build(sources, options, this.#enough(DEFAULT_RATE + RATE_STEP * BigInt(earlier)))
  }
  /** The rate, or the mempool's minimum in a fee spike: what nobody gave a fee for shall go through. */
  #enough(rate: bigint): bigint {
    const { minFeeRate } = this.#regtest.mempool
    return rate > minFeeRate ? rate : minFeeRate
  }
  /** Pays from whatever small coins are free. The payment is output 0. */
  pay(
    payment: Payment,
    options: {
      readonly rbf?: boolean
      readonly feeRate?: bigint | number
      readonly inputs?: readonly CoinRef[]
    },
  ): Spend {
    const rate =
      options.feeRate === undefined
        ? this.#enough(DEFAULT_RATE)
        : wholeSatoshi(options.feeRate) * 1000n
    const { value } = outputOf(payment)
    const sources = (options.inputs ?? []).map((ref) => this.#resolve(ref))
    for (const { key } of sources) this.#take(key)
    const total = () => sumOf(sources.map(({ output }) => output))
    const needed = () => value + feeAt(rate, 110 + 70 * sources.length)
    while (options.inputs === undefined && total() < needed()) {
      const large = value > 5n * 19_000_000n
      sources.push((large ? this.#freshCoinbase() : undefined) ?? this.#fresh())
    }
    const rbf = options.rbf ?? false
    return this.#build(sources, { from: [], outs: [payment], rbf }, rate)
  }

  #build(sources: readonly Source[], options: SpendOptions, rate: bigint): Spend {
    const outputs: TransactionOutput[] = options.outs.map(outputOf)
    const rest = sumOf(sources.map(({ output }) => output)) - sumOf(outputs)
    if (rest < 0n) {
      throw new DevnetError('DEVNET_FUNDS_SHORT', `the coins hold ${-rest} satoshi too little`)
    }
    const size = 12 + 69 * sources.length + 43 * (outputs.length + 1)
    const fee = options.fee === undefined ? feeAt(rate, size) : wholeSatoshi(options.fee)
    const back = { value: rest - fee, script: strangerKey.script }
    const change = options.change !== false && back.value >= dustThreshold(back)
    if (change) outputs.push(back)
    const sequence = options.rbf ? 0xfffffffd : 0xfffffffe
    return this.#finish(
      {
        version: 2,
        sources: sources.map((source) => ({ ...source, sequence })),
        outputs,
        locktime: options.locktime ?? 0,
      },
      options.keys ?? [],
      change ? fee : rest,
    )
  }
  /**
   * Builds and signs what takes the place of a mempool transaction: the same coins, by default the same outputs with the
   * higher fee taken from our change, and one more of our coins where that is too little.
   * @throws DevnetError DEVNET_TRANSACTION_UNKNOWN, DEVNET_KEY_UNKNOWN, DEVNET_FUNDS_SHORT, DEVNET_ADDRESS_INVALID.
   */
  replacement(txid: string, options: ReplaceOptions = {}): Spend {
    const { mempool } = this.#regtest
    const entry = mempool.pool.entries.get(txid)
    if (!entry) {
      throw new DevnetError('DEVNET_TRANSACTION_UNKNOWN', `${txid} is not in the mempool`)
    }
    const old = entry.transaction
    const sources = old.inputs.map((input) => ({
      ...this.#resolve({ txid: input.txid, vout: input.vout }),
      sequence: input.sequence,
    }))
    for (const { key } of sources) this.#take(key)
    const draft = draftOf(old, options)
    const left = (): bigint => {
      const grown = {
        inputs: sources.length - old.inputs.length,
        outputs: draft.fixed.length + 1 - old.outputs.length,
      }
      const fee = replacementFee(mempool, entry, options, grown)
      return sumOf(sources.map(({ output }) => output)) - sumOf(draft.fixed) - fee
    }
    while (left() < 0n) sources.push({ ...this.#fresh(), sequence: 0xfffffffd })
    const outputs = settle(draft, left())
    if (outputs.length === 0) {
      throw new DevnetError('DEVNET_FUNDS_SHORT', 'the fee leaves nothing to pay out')
    }
    const fee = sumOf(sources.map(({ output }) => output)) - sumOf(outputs)
    const { version, locktime } = old
    return this.#finish({ version, sources, outputs, locktime }, options.keys ?? [], fee)
  }
  #finish(
    parts: {
      readonly version: number
      readonly sources: readonly (Source & { readonly sequence: number })[]
      readonly outputs: readonly TransactionOutput[]
      readonly locktime: number
    },
    keys: readonly Uint8Array[],
    fee: bigint,
  ): Spend {
    const { sources } = parts
    const inputs = sources.map(({ txid, vout, sequence }) => ({
      txid,
      vout,
      script: new Uint8Array(),
      sequence,
      witness: [],
    }))
    const transaction = this.#sign(encodeTransaction({ ...parts, inputs }), sources, keys)
    this.learn(transaction)
    return { raw: toHex(transaction.raw), txid: transaction.txid, fee }
  }
  #sign(
    unsigned: Uint8Array,
    sources: readonly Source[],
    more: readonly Uint8Array[],
  ): Transaction {
    const keys: TestKey[] = [strangerKey, minerKey, ...more.map(testKey)]
    const draft = must(decodeTransaction(unsigned), 'our own transaction decodes')
    const spent = sources.map(({ output }) => output)
    const { raw, complete } = signTransaction(draft, spent, keys, this.#signing)
    if (!complete && this.#signing === 'real') {
      const strange = spent.map(({ script }) => addressOf(script) ?? toHex(script)).join(', ')
      throw new DevnetError('DEVNET_KEY_UNKNOWN', `no key for one of ${strange}: pass \`keys\``)
    }
    return must(decodeTransaction(raw), 'our own transaction decodes')
  }
}

const OURS = new Set([strangerKey, minerKey].map(({ script }) => toHex(script)))
function draftOf(old: Transaction, { to, outs }: ReplaceOptions): Draft {
  const fixed = outs?.map(outputOf) ?? []
  if (to !== undefined) return { fixed, rest: { script: scriptOfAddress(to), at: 0 } }
  if (outs) return { fixed, rest: { script: strangerKey.script, at: fixed.length } }
  return sameOutputs(old, (script) => OURS.has(toHex(script)), strangerKey.script)
}
