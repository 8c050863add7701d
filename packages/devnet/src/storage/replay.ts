import { decodeBlock, readHeader } from '../chain/block.ts'
import { Chain, type ChainBase, type OpenChange } from '../chain/chain.ts'
import { rejectionText } from '../chain/checks.ts'
import type { BlockNode } from '../chain/node.ts'
import { decodeTransaction, type Transaction } from '../chain/transaction.ts'
import { Mempool } from '../mempool/mempool.ts'
import type { EntryFacts } from '../mempool/pool.ts'
import type { Regtest } from '../powers/regtest.ts'
import type { LogRecord } from './records.ts'

/** Makes the error that a log which does not fit together ends in. */
type Damaged = (what: string, cause?: unknown) => Error

/** The raw blocks of a log by their hash. */
export function blocksOf(groups: readonly (readonly LogRecord[])[]): Map<string, Uint8Array> {
  const blocks = new Map<string, Uint8Array>()
  for (const record of groups.flat()) {
    if (record.kind === 'block') blocks.set(readHeader(record.raw.subarray(0, 80)).hash, record.raw)
  }
  return blocks
}

/** The state while the log is read. Our own blocks were verified when they came: no script is run again. */
class Replay {
  readonly chain: Chain
  readonly entries = new Map<string, EntryFacts>()
  readonly texts = new Map<string, string>()
  readonly tables = new Map<string, Map<string, string>>()
  readonly learned: Transaction[] = []
  readonly #damaged: Damaged
  #marks: readonly (readonly [string, 'failed' | 'child'])[] = []
  #pruned = 0

  constructor(base: ChainBase, damaged: Damaged) {
    this.chain = new Chain(base, { verifySignatures: false, now: () => Number.MAX_SAFE_INTEGER })
    this.#damaged = damaged
  }
  take(record: LogRecord): void {
    switch (record.kind) {
      case 'block':
        this.#block(record.raw)
        return
      case 'header':
        this.chain.storeHeader({ header: readHeader(record.bytes) })
        return
      case 'tip':
        this.#moveTo(record.hash)
        return
      case 'places':
        for (const [txid, place] of record.places) this.chain.index.set(txid, place)
        return
      case 'marks':
        this.#marks = record.marks
        return
      case 'pruned':
        this.#pruned = record.height
        return
      case 'entered':
        this.entries.set(record.entry.transaction.txid, record.entry)
        return
      case 'left':
        this.entries.delete(record.txid)
        return
      case 'part':
        this.texts.set(record.name, record.text)
        return
      case 'row': {
        const rows = this.tables.get(record.table) ?? new Map<string, string>()
        this.tables.set(record.table, rows.set(record.key, record.text))
        return
      }
      case 'known': {
        const transaction = decodeTransaction(record.raw)
        if (transaction) this.learned.push(transaction)
        return
      }
      case 'home':
        return
    }
  }
  #block(raw: Uint8Array): void {
    const block = decodeBlock(raw)
    if (!block) throw this.#damaged('a block cannot be read')
    const outcome = this.chain.store(block)
    if (outcome.kind === 'refused') {
      throw this.#damaged(`block ${block.header.hash}: ${rejectionText(outcome.rejection)}`)
    }
  }
  /** Goes to this block over the last one that both branches share, whatever the work says. */
  #moveTo(hash: string): void {
    const { chain } = this
    const target = chain.nodes.get(hash)
    if (!target) throw this.#damaged(`the tip ${hash} is not among its blocks`)
    const change: OpenChange = { disconnected: [], connected: [] }
    const branch: BlockNode[] = []
    const fork = chain.forkOf(target)
    for (let at: BlockNode | undefined = target; at && at !== fork; at = at.prev) branch.push(at)
    while (chain.tip !== fork) chain.disconnectTip(change)
    for (const node of branch.reverse()) {
      if (chain.blocks.has(node.hash) && chain.connectTip(node, change)) continue
      const why = chain.lastFault ? rejectionText(chain.lastFault) : 'not in the log'
      throw this.#damaged(`block ${node.hash}: ${why}`)
    }
  }
  /** Sets what counts only at the end: marks would keep blocks out that stand on them. */
  finish(): void {
    const { chain } = this
    for (const [hash, mark] of this.#marks) chain.failures.set(hash, mark)
    chain.reopen()
    chain.pruneHeight = this.#pruned
    for (const node of chain.active.slice(0, this.#pruned)) chain.blocks.delete(node.hash)
    // By `preciousblock` a tip can stand before a branch of equal work that came first.
    const { tip } = chain
    const moved = new Chain(chain, chain.options)
    moved.activateBest()
    if (moved.tip !== tip) chain.prefer(tip)
  }
}

/** What a log says beside chain and mempool. */
export interface Replayed {
  /** The last text of each part. */
  readonly texts: ReadonlyMap<string, string>
  /** The last text of each row, by table and key. */
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly learned: readonly Transaction[]
}
/** Puts what the log says into `regtest`. Returns the rest. */
export function replay(
  groups: readonly (readonly LogRecord[])[],
  base: ChainBase,
  regtest: Regtest,
  damaged: Damaged,
): Replayed {
  const state = new Replay(base, damaged)
  for (const record of groups.flat()) state.take(record)
  state.finish()
  const mempool = new Mempool(state.chain)
  mempool.refill([...state.entries.values()])
  regtest.load({ chain: state.chain, mempool, mined: 0 })
  return { texts: state.texts, tables: state.tables, learned: state.learned }
}
