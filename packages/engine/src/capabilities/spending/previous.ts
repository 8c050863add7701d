import {
  type BlockRef,
  ok,
  type OutPoint,
  type Refusal,
  type Result,
  refuse,
  type Transactor,
  type Txid,
} from '../../kernel/index.ts'
import { decodeTransaction, txidOf } from '../../protocol/transaction/index.ts'
import type { ChainSource } from '../chain/index.ts'
import type { DepositRows } from '../deposits/index.ts'

/** Raw transactions by id, each checked by its hash. */
export type PreviousTransactions = ReadonlyMap<Txid, Uint8Array>
export type PreviousRefusal = Refusal<'PREVIOUS_MISSING'>

/** Questions that are open at the node at once. */
const AT_ONCE = 8

export interface PreviousDeps {
  readonly store: Transactor<{ readonly deposits: DepositRows }>
  readonly source: Pick<ChainSource, 'transaction' | 'mempoolTransactions'>
}

/**
 * The transactions that made these coins, from the node. Asked before the transaction of the store that uses them, never
 * inside it. Whatever the node says, what comes back hashes to the id that was asked for.
 * @throws what the node throws when it does not answer, NODE_BLOCK_PRUNED
 */
export async function previousOf(
  { store, source }: PreviousDeps,
  points: readonly OutPoint[],
): Promise<Result<PreviousTransactions, PreviousRefusal>> {
  const txids = [...new Set(points.map(({ txid }) => txid))]
  const stored = await store.read((tx) => tx.deposits.transactions(txids))
  const blocks = new Map(
    stored.flatMap(({ txid, view }) => (view.state === 'mined' ? [[txid, view.block]] : [])),
  )
  const found = new Map<Txid, Uint8Array>()
  for (let at = 0; at < txids.length; at += AT_ONCE) {
    const some = txids.slice(at, at + AT_ONCE)
    const raws = await Promise.all(some.map((txid) => fetchOne(source, txid, blocks.get(txid))))
    for (const [i, txid] of some.entries()) {
      const raw = raws[i]
      if (raw === undefined || !isProven(raw, txid))
        return refuse('PREVIOUS_MISSING', `the node does not have transaction ${txid}`, {
          details: { txid },
        })
      found.set(txid, raw)
    }
  }
  return ok(found)
}

async function fetchOne(
  source: PreviousDeps['source'],
  txid: Txid,
  block: BlockRef | undefined,
): Promise<Uint8Array | undefined> {
  if (source.transaction) return source.transaction(txid, block)
  if (block) return undefined
  const [raw] = await source.mempoolTransactions([txid])
  return raw
}

/** Whether these bytes are the transaction with this id. */
export function isProven(raw: Uint8Array, txid: Txid): boolean {
  const decoded = decodeTransaction(raw)
  return decoded.ok && txidOf(decoded.value) === txid
}
