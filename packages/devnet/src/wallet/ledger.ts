import type { Block } from '../chain/block.ts'
import type { RemovalReason } from '../chain/happenings.ts'
import type { BlockNode } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import type { Regtest } from '../powers/regtest.ts'
import { copyEntry, type Entry, INACTIVE, type OpenEntry, type Standing } from './entry.ts'

/** What the ledger asks of its wallet. */
export interface Ownership {
  readonly isMine: (script: Uint8Array) => boolean
  /** An output to this script was seen: addresses up to it count as used. */
  readonly markUsed: (script: Uint8Array) => void
  /** A transaction of the wallet spends this outpoint. */
  readonly markSpent: (key: string) => void
}
export interface OwnOutput {
  readonly txid: string
  readonly vout: number
}
const COINBASE_DEPTH = 101

/** The transactions of one wallet and how chain and mempool change them. Every step costs what the step touches. */
export class Ledger {
  readonly #entries = new Map<string, OpenEntry>()
  readonly entries: ReadonlyMap<string, Entry> = this.#entries
  /** The same, in order of arrival. */
  readonly ordered: Entry[] = []
  /** Transactions whose entries are new or other than when this was last cleared. */
  readonly changed = new Set<string>()
  /** Outpoint to the wallet's transactions that spend it. */
  readonly spends = new Map<string, Set<string>>()
  /** Own outputs that no block spends, by outpoint. */
  readonly open = new Map<string, OwnOutput>()
  lastBlock: { hash: string; height: number }
  nextOrder = 0
  readonly #regtest: Regtest
  readonly #own: Ownership

  constructor(regtest: Regtest, own: Ownership) {
    this.#regtest = regtest
    this.#own = own
    const { hash, height } = regtest.chain.tip
    this.lastBlock = { hash, height }
  }

  // --- questions ------------------------------------------------------------------------------
  /** Confirmations; negative when a block conflicts with it. */
  depth({ standing }: Entry): number {
    if (standing.kind === 'confirmed') return this.lastBlock.height - standing.height + 1
    if (standing.kind === 'conflicted') return -(this.lastBlock.height - standing.height + 1)
    return 0
  }
  isImmature(entry: Entry): boolean {
    return entry.transaction.isCoinbase && this.depth(entry) < COINBASE_DEPTH
  }
  /** Spent by a transaction that may still confirm, or has. */
  isSpent(key: string): boolean {
    for (const txid of this.spends.get(key) ?? []) {
      const entry = this.entries.get(txid)
      if (!entry || entry.mempoolConflicts.size > 0) continue
      const { standing } = entry
      if (standing.kind === 'conflicted') continue
      if (standing.kind !== 'inactive' || !standing.abandoned) return true
    }
    return false
  }
  /** The wallet's other transactions that spend one of the same coins. */
  conflicts({ transaction }: Entry): readonly string[] {
    const found = new Set<string>()
    for (const { key } of transaction.inputs) {
      for (const txid of this.spends.get(key) ?? []) found.add(txid)
    }
    found.delete(transaction.txid)
    return inWireOrder(found)
  }
  /** True when a transaction of the wallet spends one of its outputs. */
  hasSpend({ txid, outputs }: Transaction): boolean {
    return outputs.some((_, vout) => {
      for (const spender of this.spends.get(`${txid}:${vout}`) ?? []) {
        const entry = this.entries.get(spender)
        if (entry && this.depth(entry) >= 0) return true
      }
      return false
    })
  }
  /** Satoshi that it takes from the wallet's own outputs. */
  debit({ inputs }: Transaction): bigint {
    let sum = 0n
    for (const { txid, vout } of inputs) {
      const output = this.entries.get(txid)?.transaction.outputs[vout]
      if (output && this.#own.isMine(output.script)) sum += output.value
    }
    return sum
  }
  /** Safe to spend from: confirmed, or all its inputs are our own and it waits in the mempool. */
  isTrusted(entry: Entry, seen = new Map<string, boolean>()): boolean {
    const { standing, transaction } = entry
    if (standing.kind === 'confirmed') return true
    if (standing.kind !== 'mempool') return false
    const known = seen.get(transaction.txid)
    if (known !== undefined) return known
    const trusted = transaction.inputs.every(({ txid, vout }) => {
      const parent = this.entries.get(txid)
      const output = parent?.transaction.outputs[vout]
      if (!parent || !output || !this.#own.isMine(output.script)) return false
      return this.isTrusted(parent, seen)
    })
    seen.set(transaction.txid, trusted)
    return trusted
  }

  // --- changes --------------------------------------------------------------------------------
  connected(block: Block, node: BlockNode): void {
    this.lastBlock = { hash: node.hash, height: node.height }
    block.transactions.forEach((transaction, index) => {
      const { hash, height } = node
      this.sync(transaction, { kind: 'confirmed', hash, height, index })
      this.#forgetConflict(transaction)
    })
  }
  disconnected(block: Block): void {
    const node = this.#regtest.chain.nodes.get(block.header.hash)
    const height = node?.height ?? this.lastBlock.height
    this.lastBlock = { hash: block.header.prev, height: height - 1 }
    for (const transaction of block.transactions) {
      this.sync(transaction, INACTIVE)
      for (const { key } of transaction.inputs) {
        for (const txid of [...(this.spends.get(key) ?? [])]) {
          this.#spread(txid, ({ standing }) =>
            standing.kind === 'conflicted' && standing.height >= height ? INACTIVE : undefined,
          )
        }
      }
    }
  }
  added(transaction: Transaction, again = false): void {
    this.sync(transaction, { kind: 'mempool' }, undefined, again)
    for (const { key } of transaction.inputs) {
      for (const txid of [...(this.spends.get(key) ?? [])]) {
        if (txid !== transaction.txid) this.#noteConflict(txid, transaction.txid)
      }
    }
  }
  /** Left the mempool for another reason than a block. */
  removed(transaction: Transaction, reason: RemovalReason): void {
    const entry = this.#entries.get(transaction.txid)
    if (entry?.standing.kind === 'mempool') this.#move(entry, INACTIVE)
    if (reason === 'conflict') this.sync(transaction, INACTIVE)
    this.#forgetConflict(transaction)
  }
  /**
   * Takes a transaction in when it concerns the wallet. `blockTime`: it is found by looking back. `again`: it is not heard of,
   * only looked for, so that one which is known uses up no addresses once more.
   */
  sync(transaction: Transaction, standing: Standing, blockTime?: number, again = false): void {
    if (standing.kind === 'confirmed') this.#markConflicts(transaction, standing)
    const known = this.entries.has(transaction.txid)
    const pays = transaction.outputs.filter(({ script }) => this.#own.isMine(script))
    if (!known && pays.length === 0 && this.debit(transaction) === 0n) return
    if (!known || !again) for (const { script } of pays) this.#own.markUsed(script)
    this.add(transaction, standing, blockTime)
  }
  add(transaction: Transaction, standing: Standing, blockTime?: number): Entry {
    const known = this.#entries.get(transaction.txid)
    const entry = known ?? this.#insert(transaction, standing, blockTime)
    this.#settle(entry, standing)
    if (transaction.isCoinbase && standing.kind === 'inactive') {
      // A coinbase off the best chain can never come back by itself, nor what spends it.
      this.#spread(transaction.txid, () => ({ kind: 'inactive', abandoned: true }))
    }
    return entry
  }
  #insert(transaction: Transaction, standing: Standing, blockTime?: number): OpenEntry {
    const received = this.#regtest.now()
    const entry: OpenEntry = {
      transaction,
      standing,
      received,
      time: this.#timeOf(standing, received, blockTime),
      order: this.nextOrder++,
      notes: new Map(),
      mempoolConflicts: new Set(),
    }
    this.#keep(entry)
    this.changed.add(transaction.txid)
    if (!transaction.isCoinbase) for (const { key } of transaction.inputs) this.#own.markSpent(key)
    return entry
  }
  /** Every change of a standing goes through here. */
  #move(entry: OpenEntry, standing: Standing): void {
    entry.standing = standing
    this.changed.add(entry.transaction.txid)
  }
  /** Writes something beside a transaction of the wallet. */
  note(txid: string, key: string, value: string): void {
    this.#entries.get(txid)?.notes.set(key, value)
    this.changed.add(txid)
  }
  #link({ transaction }: Entry): void {
    if (transaction.isCoinbase) return
    for (const { key } of transaction.inputs) {
      const spenders = this.spends.get(key) ?? new Set<string>()
      spenders.add(transaction.txid)
      this.spends.set(key, spenders)
    }
  }
  /** Puts a stored entry back. Call `refresh` after the last one. */
  restore(entry: Entry): void {
    this.#keep(copyEntry(entry))
  }
  #keep(entry: OpenEntry): void {
    this.#entries.set(entry.transaction.txid, entry)
    this.ordered.push(entry)
    this.#link(entry)
  }
  /** Derives the open outputs anew: after restoring, or when scripts became the wallet's own. */
  refresh(): void {
    this.open.clear()
    for (const entry of this.entries.values()) this.#openOutputs(entry)
    for (const { transaction, standing } of this.entries.values()) {
      if (standing.kind !== 'confirmed') continue
      for (const { key } of transaction.inputs) this.open.delete(key)
    }
  }
  #openOutputs({ transaction: { txid, outputs } }: Entry): void {
    outputs.forEach(({ script }, vout) => {
      const key = `${txid}:${vout}`
      if (this.#own.isMine(script) && !this.#isBuried(key)) this.open.set(key, { txid, vout })
    })
  }
  #isBuried(key: string): boolean {
    for (const txid of this.spends.get(key) ?? []) {
      if (this.entries.get(txid)?.standing.kind === 'confirmed') return true
    }
    return false
  }
  /** Moves an entry to a standing and keeps the open outputs right. */
  #settle(entry: OpenEntry, standing: Standing): void {
    const before = entry.standing.kind
    if (before !== 'inactive' || standing.kind !== 'inactive') this.#move(entry, standing)
    this.#openOutputs(entry)
    const { inputs } = entry.transaction
    if (standing.kind === 'confirmed') {
      for (const { key } of inputs) this.open.delete(key)
      entry.mempoolConflicts.clear()
    } else if (before === 'confirmed') {
      for (const { txid } of inputs) {
        const parent = this.entries.get(txid)
        if (parent) this.#openOutputs(parent)
      }
    }
  }
  #markConflicts(transaction: Transaction, { hash, height }: { hash: string; height: number }) {
    for (const { key } of transaction.inputs) {
      for (const txid of [...(this.spends.get(key) ?? [])]) {
        if (txid === transaction.txid) continue
        const depth = -(this.lastBlock.height - height + 1)
        this.#spread(txid, (entry) =>
          depth < this.depth(entry) ? { kind: 'conflicted', hash, height } : undefined,
        )
      }
    }
  }
  #noteConflict(txid: string, by: string): void {
    this.#walk(txid, (entry) => {
      if (entry.mempoolConflicts.has(by)) return false
      entry.mempoolConflicts.add(by)
      this.changed.add(entry.transaction.txid)
      return true
    })
  }
  #forgetConflict(transaction: Transaction): void {
    for (const { key } of transaction.inputs) {
      for (const txid of this.spends.get(key) ?? []) {
        this.#walk(txid, (entry) => {
          if (!entry.mempoolConflicts.delete(transaction.txid)) return false
          this.changed.add(entry.transaction.txid)
          return true
        })
      }
    }
  }
  /** Changes a transaction and then all of the wallet's that build on it, as far as something changes. */
  #spread(txid: string, change: (entry: Entry) => Standing | undefined): void {
    this.#walk(txid, (entry) => {
      const next = change(entry)
      if (!next) return false
      const before = entry.standing.kind
      this.#move(entry, next)
      if (before !== 'confirmed') return true
      for (const input of entry.transaction.inputs) {
        const parent = this.entries.get(input.txid)
        if (parent) this.#openOutputs(parent)
      }
      return true
    })
  }
  #walk(start: string, visit: (entry: OpenEntry) => boolean): void {
    const done = new Set<string>()
    const queue = [start]
    for (let txid = queue.pop(); txid !== undefined; txid = queue.pop()) {
      const entry = this.#entries.get(txid)
      if (done.has(txid) || !entry) continue
      done.add(txid)
      if (!visit(entry)) continue
      entry.transaction.outputs.forEach((_, vout) => {
        queue.push(...(this.spends.get(`${txid}:${vout}`) ?? []))
      })
    }
  }
  /** Chain and mempool are others: until they are looked through, nothing is known to be in them. */
  forgetStandings(): void {
    for (const entry of this.#entries.values()) {
      entry.mempoolConflicts.clear()
      if (entry.standing.kind === 'inactive') this.changed.add(entry.transaction.txid)
      else this.#move(entry, INACTIVE)
    }
  }
  /** Gives its coins free again. False when it is in a block or in the mempool. */
  abandon(txid: string): boolean {
    const entry = this.entries.get(txid)
    if (!entry || this.depth(entry) !== 0 || entry.standing.kind === 'mempool') return false
    this.#spread(txid, ({ standing }) =>
      standing.kind === 'inactive' && !standing.abandoned
        ? { kind: 'inactive', abandoned: true }
        : undefined,
    )
    return true
  }
  #timeOf(standing: Standing, received: number, blockTime: number | undefined): number {
    if (standing.kind !== 'confirmed' && standing.kind !== 'conflicted') return received
    if (blockTime !== undefined) return blockTime
    const own = this.#regtest.chain.nodes.get(standing.hash)?.header.time ?? received
    let latest = 0
    let now = received
    // The last one that is not from the future: times of a wallet do not run backwards.
    for (let at = this.ordered.length - 1; at >= 0; at--) {
      const time = this.ordered[at]?.time ?? 0
      if (time > received + 300) continue
      latest = time
      now = Math.max(now, time)
      break
    }
    return Math.max(latest, Math.min(own, now))
  }
}
/** Core keeps hashes in the order of their bytes on the wire. */
const inWireOrder = (txids: Iterable<string>): readonly string[] => {
  const wire = (txid: string): string => (txid.match(/../g) ?? []).reverse().join('')
  return [...txids].sort((a, b) => (wire(a) < wire(b) ? -1 : 1))
}
