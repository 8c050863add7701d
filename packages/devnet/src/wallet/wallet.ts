import { sha256 } from '@noble/hashes/sha2.js'
import { addressOf, scriptOf } from '../chain/address.ts'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import type { Transaction, TransactionOutput } from '../chain/transaction.ts'
import type { OutputType } from '../descriptor/node.ts'
import { Provider } from '../descriptor/provider.ts'
import type { Regtest } from '../powers/regtest.ts'
import { classifyScript, type ScriptKind } from '../script/script.ts'
import { copyEntry, type Entry, INACTIVE } from './entry.ts'
import { WalletError } from './error.ts'
import { Ledger } from './ledger.ts'
import { DescriptorRecord, type RecordState } from './record.ts'

/** What a wallet needs of its node. */
export interface WalletHost {
  readonly regtest: Regtest
  /** Of the devnet: everything that a wallet draws comes from it. */
  readonly seed: string
  /** Satoshi per 1000 vbytes that the node estimates; undefined: it does not know. */
  readonly feeRate: () => bigint | undefined
}
export interface Label {
  readonly label: string
  readonly purpose: 'receive' | 'send'
}
interface Owner {
  readonly record: DescriptorRecord
  readonly index: number
}
/** What a wallet is beside its labels and transactions. */
export interface WalletHead {
  readonly name: string
  readonly privateKeys: boolean
  readonly blank: boolean
  readonly records: readonly RecordState[]
  /** `type:internal` to the place in `records`. */
  readonly active: readonly (readonly [string, number])[]
  /** With whether the lock outlives the process. */
  readonly locks: readonly (readonly [string, boolean])[]
  readonly draws: number
  readonly payRate: bigint
  /** Of a wallet that is put aside: the last block that it heard of. A loaded one is always at the tip. */
  readonly lastBlock?: { readonly hash: string; readonly height: number }
}
/** Everything of a wallet that is kept, as plain values; transactions are shared. */
export interface WalletState extends WalletHead {
  readonly labels: readonly (readonly [string, Label])[]
  readonly entries: readonly Entry[]
  readonly nextOrder: number
}
const ADDRESS_ORDER: readonly ScriptKind[] = [
  'pubkeyhash',
  'scripthash',
  'witness_v0_scripthash',
  'witness_v0_keyhash',
  'witness_v1_taproot',
  'anchor',
  'witness_unknown',
]
const roleOf = (type: OutputType, internal: boolean): string => `${type}:${internal}`
export const OUTPUT_TYPES: readonly OutputType[] = ['legacy', 'p2sh-segwit', 'bech32', 'bech32m']

/** A descriptor wallet: the addresses it watches and, in its ledger, the transactions that concern them. */
export class Wallet {
  readonly name: string
  readonly host: WalletHost
  readonly privateKeys: boolean
  readonly blank: boolean
  readonly records: DescriptorRecord[] = []
  readonly active = new Map<string, DescriptorRecord>()
  readonly #labels = new Map<string, Label>()
  readonly labels: ReadonlyMap<string, Label> = this.#labels
  /** Addresses that were named since this was last cleared. */
  readonly named = new Set<string>()
  readonly ledger: Ledger
  /** Outpoints that must not be spent, each with whether the lock outlives the process. */
  readonly locks = new Map<string, boolean>()
  /** Satoshi per 1000 vbytes set by `settxfee`; 0 none. Lives as long as the process. */
  payRate = 0n
  /** False: nothing but labels and transactions can have changed since this was last set to false. */
  touched = true
  readonly #owners = new Map<string, Owner[]>()
  #draws = 0

  constructor(
    host: WalletHost,
    options: { readonly name: string; readonly privateKeys: boolean; readonly blank: boolean },
  ) {
    this.host = host
    this.name = options.name
    this.privateKeys = options.privateKeys
    this.blank = options.blank
    this.ledger = new Ledger(host.regtest, {
      isMine: (script) => this.isMine(script),
      markUsed: (script) => this.#markUsed(script),
      markSpent: (key) => {
        if (this.locks.delete(key)) this.touched = true
      },
    })
  }

  // --- scripts --------------------------------------------------------------------------------
  ownersOf(script: Uint8Array): readonly Owner[] {
    return this.#owners.get(toHex(script)) ?? []
  }
  isMine(script: Uint8Array): boolean {
    return this.#owners.has(toHex(script))
  }
  /** What is known for spending a script; undefined when it is not the wallet's. */
  providerOf(script: Uint8Array): Provider | undefined {
    const owners = this.ownersOf(script)
    if (owners.length === 0) return undefined
    const provider = new Provider()
    for (const { record, index } of owners) provider.merge(record.provider(index))
    return provider
  }
  /** Ours, but nobody named it: what comes back from a payment. */
  isChange(script: Uint8Array): boolean {
    if (!this.isMine(script)) return false
    const address = addressOf(script)
    return address === undefined || !this.labels.has(address)
  }
  addRecord(record: DescriptorRecord): void {
    this.records.push(record)
    this.topUp(record)
  }
  topUp(record: DescriptorRecord): void {
    this.touched = true
    record.topUp()
    this.#derive(record)
  }
  #derive(record: DescriptorRecord): void {
    record.derive((script, index) => {
      const owners = this.#owners.get(script) ?? []
      if (owners.some((owner) => owner.record === record)) return
      owners.push({ record, index })
      this.#owners.set(script, owners)
    })
  }
  /** An address or the descriptor leaves the wallet: from now on its scripts can be paid to. */
  show(record: DescriptorRecord): void {
    if (record.shown) return
    record.shown = true
    this.topUp(record)
  }
  activate(record: DescriptorRecord, type: OutputType, internal: boolean): void {
    this.active.set(roleOf(type, internal), record)
    // One descriptor does not serve both sides.
    if (this.active.get(roleOf(type, !internal)) === record) {
      this.active.delete(roleOf(type, !internal))
    }
  }
  deactivate(record: DescriptorRecord, type: OutputType, internal: boolean): void {
    if (this.active.get(roleOf(type, internal)) === record) {
      this.active.delete(roleOf(type, internal))
    }
  }
  activeRecord(type: OutputType, internal: boolean): DescriptorRecord | undefined {
    return this.active.get(roleOf(type, internal))
  }
  /** Undefined unless the descriptor is active. */
  isInternal(record: DescriptorRecord): boolean | undefined {
    for (const [role, own] of this.active) if (own === record) return role.endsWith(':true')
    return undefined
  }
  hasActive(internal: boolean): boolean {
    return OUTPUT_TYPES.some((type) => this.activeRecord(type, internal))
  }
  /** The next unused address. @throws WalletError. */
  newScript(type: OutputType, internal: boolean): Uint8Array {
    const record = this.activeRecord(type, internal)
    if (!record) {
      throw new WalletError(`Error: No ${type} addresses available.`)
    }
    this.show(record)
    this.topUp(record)
    const script = tryFromHex(record.scriptAt(record.nextIndex) ?? '')
    if (!script) throw new WalletError('Error: Keypool ran out, please call keypoolrefill first')
    record.nextIndex += 1
    return script
  }
  #markUsed(script: Uint8Array): void {
    for (const { record, index } of this.ownersOf(script)) {
      const internal = this.isInternal(record)
      for (; record.nextIndex <= index && record.descriptor.ranged; record.nextIndex++) {
        const own = tryFromHex(record.scriptAt(record.nextIndex) ?? '')
        const address = own && addressOf(own)
        if (internal !== false || address === undefined || this.labels.has(address)) continue
        this.label(address, { label: '', purpose: 'receive' })
      }
      this.topUp(record)
    }
  }
  /** Keeps an outpoint from being spent; what outlives the process does so from now on. */
  lock(key: string, lasting: boolean): void {
    this.locks.set(key, lasting || this.locks.get(key) === true)
  }
  label(address: string, label: Label): void {
    this.#labels.set(address, label)
    this.named.add(address)
  }
  /** Bytes that are the same in every run. */
  draw(): Uint8Array {
    this.touched = true
    this.#draws += 1
    const text = `${this.host.seed} wallet ${this.name} draw ${this.#draws}`
    return sha256(new TextEncoder().encode(text))
  }

  /** Named addresses in Core's order: by kind, then by hash. */
  sortedLabels(): readonly (readonly [string, Label])[] {
    const place = (address: string): string => {
      const { kind, data } = classifyScript(scriptOf(address) ?? new Uint8Array())
      return `${ADDRESS_ORDER.indexOf(kind)}${toHex(data)}`
    }
    const placed = [...this.labels].map((entry) => ({ entry, at: place(entry[0]) }))
    placed.sort((a, b) => (a.at < b.at ? -1 : 1))
    return placed.map(({ entry }) => entry)
  }

  // --- transactions ---------------------------------------------------------------------------
  output(txid: string, vout: number): TransactionOutput | undefined {
    return this.ledger.entries.get(txid)?.transaction.outputs[vout]
  }
  /** Notes a transaction that the wallet made and hands it to the node; a refusal leaves it with the wallet. */
  commit(transaction: Transaction, notes: ReadonlyMap<string, string>): void {
    this.ledger.add(transaction, INACTIVE)
    for (const [key, value] of notes) this.ledger.note(transaction.txid, key, value)
    for (const { script } of transaction.outputs) if (this.isMine(script)) this.#markUsed(script)
    this.host.regtest.offer(transaction, { unbroadcast: true })
  }
  /** Looks for own transactions in blocks of the best chain and, up to the tip, in the mempool. */
  rescan(start: number, stop?: number): void {
    const { chain, mempool } = this.host.regtest
    this.ledger.refresh()
    let latest = 0
    for (let height = Math.max(0, start - 11); height <= (stop ?? chain.tip.height); height++) {
      const node = chain.active[height]
      if (!node) break
      latest = Math.max(latest, node.header.time)
      if (height < start) continue
      chain.blockOf(node)?.transactions.forEach((transaction, index) => {
        const standing = { kind: 'confirmed', hash: node.hash, height, index } as const
        this.ledger.sync(transaction, standing, latest)
      })
    }
    if (stop !== undefined) return
    for (const { transaction } of mempool.pool.entries.values()) this.ledger.added(transaction)
  }
  /** Chain or mempool were replaced: where every transaction stands is derived anew. */
  resync(): void {
    const { chain, mempool } = this.host.regtest
    const { ledger } = this
    ledger.forgetStandings()
    ledger.lastBlock = { hash: chain.tip.hash, height: chain.tip.height }
    for (const node of chain.active) {
      chain.blockOf(node)?.transactions.forEach((transaction, index) => {
        const { hash, height } = node
        const standing = { kind: 'confirmed', hash, height, index } as const
        ledger.sync(transaction, standing, node.header.time, true)
      })
    }
    for (const { transaction } of mempool.pool.entries.values()) ledger.added(transaction, true)
    for (const entry of ledger.entries.values()) {
      const { transaction, standing } = entry
      if (transaction.isCoinbase && standing.kind === 'inactive') ledger.add(transaction, INACTIVE)
    }
    ledger.refresh()
  }

  // --- keeping --------------------------------------------------------------------------------
  /** The process that had the wallet has ended and another takes it up: what only memory held is gone. Source: Core's loading. */
  wake(): void {
    for (const [key, lasting] of [...this.locks]) if (!lasting) this.locks.delete(key)
    this.payRate = 0n
    this.touched = true
    for (const record of this.records) this.topUp(record)
  }
  head(): WalletHead {
    const place = (record: DescriptorRecord): number => this.records.indexOf(record)
    return {
      name: this.name,
      privateKeys: this.privateKeys,
      blank: this.blank,
      records: this.records.map((record) => record.save()),
      active: [...this.active].map(([role, record]) => [role, place(record)] as const),
      locks: [...this.locks],
      draws: this.#draws,
      payRate: this.payRate,
    }
  }
  save(): WalletState & Required<Pick<WalletState, 'lastBlock'>> {
    return {
      ...this.head(),
      labels: [...this.labels],
      entries: [...this.ledger.entries.values()].map(copyEntry),
      lastBlock: this.ledger.lastBlock,
      nextOrder: this.ledger.nextOrder,
    }
  }
  static load(host: WalletHost, state: WalletState): Wallet {
    const wallet = new Wallet(host, state)
    // As they were, not topped up: what comes back from a file or a snapshot is the same to the byte.
    for (const own of state.records) {
      const record = new DescriptorRecord(own)
      wallet.records.push(record)
      wallet.#derive(record)
    }
    for (const [role, at] of state.active) {
      const record = wallet.records[at]
      if (record) wallet.active.set(role, record)
    }
    for (const [address, label] of state.labels) wallet.#labels.set(address, label)
    for (const entry of state.entries) wallet.ledger.restore(entry)
    for (const [key, lasting] of state.locks) wallet.locks.set(key, lasting)
    if (state.lastBlock) wallet.ledger.lastBlock = state.lastBlock
    wallet.ledger.nextOrder = state.nextOrder
    wallet.ledger.refresh()
    wallet.#draws = state.draws
    wallet.payRate = state.payRate
    return wallet
  }
}
