import {
  outPointKey,
  type PaymentId,
  paymentId,
  type Txid,
  type WalletId,
} from '../../kernel/index.ts'
import type { DepositRows, TxRecord } from '../deposits/index.ts'
import { DEFAULT_SPEND_POLICY, type SpendPolicy } from './means.ts'
import type { Coin, CoinRows } from './ports.ts'

/** The row doors that candidates are read through. */
export interface CandidatesTx {
  readonly coins: CoinRows
  readonly deposits: DepositRows
}
/** A plan looks at this many coins at most. */
export const MOST_CANDIDATES = 100_000
const PAGE = 5000

/**
 * What a plan of this wallet may choose from: credited coins that nothing spends, leases or freezes, and own change that
 * stands firmly enough; in payment id order. Unconfirmed coins of others and immature coinbases are never among them: the
 * ledger credits neither.
 */
export async function candidatesOf(
  tx: CandidatesTx,
  wallet: WalletId,
  policy: SpendPolicy = DEFAULT_SPEND_POLICY,
  most: number = MOST_CANDIDATES,
): Promise<readonly Coin[]> {
  const found: Coin[] = []
  let after: PaymentId | undefined
  while (found.length < most) {
    const page = await tx.coins.freeCoins({
      wallet,
      ownChange: policy.ownChange,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    const sound = await soundOf(tx, page, policy.chainLimit)
    for (const coin of sound) found.push(coin)
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    after = paymentId(last.point)
  }
  return found.slice(0, most)
}

/** Leaves out own change that stands on too many unconfirmed transactions, or on one that a stranger could replace. */
async function soundOf(
  tx: CandidatesTx,
  coins: readonly Coin[],
  chainLimit: number,
): Promise<readonly Coin[]> {
  const young = coins.filter((coin) => coin.kind === 'own_change' && coin.height === undefined)
  if (young.length === 0) return coins
  const graph = await unconfirmedBelow(
    tx,
    young.map((coin) => coin.point.txid),
    chainLimit,
  )
  const weak = new Set(
    young
      .filter((coin) => !isSound(graph, coin.point.txid, chainLimit))
      .map((coin) => outPointKey(coin.point)),
  )
  return coins.filter((coin) => !weak.has(outPointKey(coin.point)))
}

/** Unconfirmed parents of a transaction; `foreign` when it spends what is not ours, so that its maker can replace it. */
type Parents = ReadonlySet<Txid> | 'foreign' | 'confirmed'

async function unconfirmedBelow(
  { deposits }: CandidatesTx,
  from: readonly Txid[],
  generations: number,
): Promise<ReadonlyMap<Txid, Parents>> {
  const graph = new Map<Txid, Parents>()
  let frontier = [...new Set(from)]
  for (let depth = 0; frontier.length > 0 && depth <= generations; depth++) {
    const records = await deposits.transactions(frontier)
    const inputs = records.flatMap((record) => record.inputs.map(paymentId))
    const ours = new Set((await deposits.payments([...new Set(inputs)])).map(({ id }) => id))
    const next = new Set<Txid>()
    for (const record of records) {
      const parents = parentsOf(record, ours)
      graph.set(record.txid, parents)
      if (typeof parents !== 'string') for (const parent of parents) next.add(parent)
    }
    frontier = [...next].filter((txid) => !graph.has(txid))
  }
  return graph
}
function parentsOf({ view, inputs }: TxRecord, ours: ReadonlySet<PaymentId>): Parents {
  if (view.state === 'mined') return 'confirmed'
  if (view.state === 'gone' || inputs.some((point) => !ours.has(paymentId(point)))) return 'foreign'
  return new Set(inputs.map((point) => point.txid))
}

/** Whether everything unconfirmed that a transaction stands on, itself included, is ours and no more than `limit`. */
function isSound(graph: ReadonlyMap<Txid, Parents>, txid: Txid, limit: number): boolean {
  const unconfirmed = new Set<Txid>()
  const open = [txid]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const parents = graph.get(at)
    if (parents === 'confirmed' || unconfirmed.has(at)) continue
    // What lies deeper than was looked is more than the limit allows.
    if (parents === undefined || parents === 'foreign') return false
    unconfirmed.add(at)
    if (unconfirmed.size > limit) return false
    open.push(...parents)
  }
  return true
}
