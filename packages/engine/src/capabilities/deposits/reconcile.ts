import {
  type BlockRef,
  EngineError,
  type OutPoint,
  outPointKey,
  type Sat,
  sat,
  sumSat,
  type Transactor,
  type WalletId,
} from '../../kernel/index.ts'
import { raiseAlerts } from '../alerts/index.ts'
import type { ChainSource } from '../chain/index.ts'
import { walletBalance } from '../ledger/index.ts'
import type { PaymentRecord, TxView } from './ports.ts'
import { scanRanges } from './scan-ranges.ts'
import type { DepositsTx } from './transaction.ts'

/** One difference between our view and the node's, to the satoshi. */
export interface Drift {
  readonly point: OutPoint
  readonly ours: Sat
  /** What the node has: zero when the coin is spent or unknown there. */
  readonly node: Sat
}
export interface Reconciliation {
  readonly wallet: WalletId
  readonly height: number
  readonly coins: number
  /** Sum of our unspent coins in mempool and chain. */
  readonly ours: Sat
  /** Sum of the same coins as the node has them. */
  readonly node: Sat
  /** What the ledger says of coins deep enough to count. */
  readonly booked: bigint
  /** The same sum taken from the coins themselves. */
  readonly bookable: bigint
  /** Whether the node could be asked for coins that we do not know (scantxoutset); else only ours were compared. */
  readonly searched: boolean
  readonly drifts: readonly Drift[]
}

const PAGE = 500

/**
 * Holds every coin of a wallet against the node (gettxout), and the ledger against the coins (I1, I23). A difference is
 * named and raises an alert; nothing repairs itself.
 * @throws EngineError CHAIN_MOVED when the node's tip is not ours: then the two cannot be compared
 */
export async function reconcile(
  { store, source, at }: { store: Transactor<DepositsTx>; source: ChainSource; at: number },
  wallet: WalletId,
): Promise<Reconciliation> {
  const tip = await store.read((tx) => tx.chain.tip())
  const inStep = async () => tip !== undefined && (await source.info()).tip.hash === tip.hash
  if (!tip || !(await inStep()))
    throw new EngineError('CHAIN_MOVED', 'the node and the engine are not at the same block')
  const { coins, booked, bookable } = await ourCoins(store, wallet)
  const { node, drifts } = await compare(source, coins)
  const strangers = await strangersOf(store, source, wallet, coins, tip)
  if (!(await inStep()))
    throw new EngineError('CHAIN_MOVED', 'the tip moved while coins were compared')
  const result = {
    wallet,
    height: tip.height,
    coins: coins.length,
    ours: sumSat(coins.map((coin) => coin.amount)),
    node: sumSat([node, ...(strangers ?? []).map((coin) => coin.node)]),
    booked,
    bookable,
    searched: strangers !== undefined,
    drifts: [...drifts, ...(strangers ?? [])],
  }
  if (result.drifts.length > 0 || booked !== bookable) await alarm(store, result, at)
  return result
}

/** Asks the node for each coin of ours. */
async function compare(source: ChainSource, coins: readonly PaymentRecord[]) {
  const drifts: Drift[] = []
  let node = 0n
  for (let i = 0; i < coins.length; i += PAGE) {
    const page = coins.slice(i, i + PAGE)
    const theirs = await source.coins(page.map((coin) => coin.point))
    for (const [at, { point, amount: ours }] of page.entries()) {
      const amount = theirs[at]?.amount ?? sat(0n)
      node += amount
      if (amount !== ours) drifts.push({ point, ours, node: amount })
    }
  }
  return { node: sat(node), drifts }
}

async function ourCoins(store: Transactor<DepositsTx>, wallet: WalletId) {
  return store.read(async (tx) => {
    const coins: PaymentRecord[] = []
    let bookable = 0n
    let after: PaymentRecord['id'] | undefined
    for (;;) {
      const page = await tx.deposits.listPayments({
        wallet,
        limit: PAGE,
        ...(after ? { after } : {}),
      })
      const views = await viewsOf(tx, page)
      for (const payment of page) {
        if (payment.booked.state === 'credited' && !payment.spendBooked) bookable += payment.amount
        const present = views.get(payment.point.txid)?.state !== 'gone'
        if (present && payment.spender === undefined) coins.push(payment)
      }
      after = page.at(-1)?.id
      if (page.length < PAGE) break
    }
    const { coins: booked } = await walletBalance(tx, wallet)
    return { coins, booked, bookable }
  })
}

async function viewsOf(
  tx: DepositsTx,
  page: readonly PaymentRecord[],
): Promise<Map<string, TxView>> {
  const records = await tx.deposits.transactions(page.map((payment) => payment.point.txid))
  return new Map(records.map(({ txid, view }) => [txid, view]))
}

const alarm = (store: Transactor<DepositsTx>, result: Reconciliation, at: number) =>
  store.transact((tx) =>
    raiseAlerts(tx, at, [
      {
        key: `drift/${result.wallet}/${result.height}`,
        kind: 'drift',
        severity: 'critical',
        subject: result.wallet,
        message: `Our coins and the node's differ by ${result.ours - result.node} sat, the ledger and the coins by ${result.booked - result.bookable} sat`,
        data: {
          ours_sat: Number(result.ours),
          node_sat: Number(result.node),
          coins: result.drifts.map((drift) => outPointKey(drift.point)).slice(0, 100),
        },
      },
    ]),
  )

/** Confirmed coins that the node finds for the wallet's descriptor and that we do not have. */
async function strangersOf(
  store: Transactor<DepositsTx>,
  source: ChainSource,
  id: WalletId,
  ours: readonly PaymentRecord[],
  tip: BlockRef,
): Promise<readonly Drift[] | undefined> {
  if (!source.scanCoins) return undefined
  const ranges = await store.read(async (tx) => {
    const wallet = await tx.wallet.wallet(id)
    return wallet ? scanRanges(wallet, await tx.wallet.keychains(id)) : []
  })
  const scan = await source.scanCoins(ranges)
  if (!scan) return undefined
  if (scan.tip.hash !== tip.hash)
    throw new EngineError('CHAIN_MOVED', 'the tip moved while the node searched its coins')
  const known = new Set(ours.map((coin) => outPointKey(coin.point)))
  const found = scan.coins.filter((coin) => !known.has(outPointKey(coin.point)))
  // A coin of ours that the mempool spends is no coin any more for us, but still is one in the node's set.
  const spent = await store.read((tx) => tx.deposits.spendersOf(found.map((coin) => coin.point)))
  const spentKeys = new Set(spent.flatMap((transaction) => transaction.inputs.map(outPointKey)))
  return found
    .filter((coin) => !spentKeys.has(outPointKey(coin.point)))
    .map((coin) => ({ point: coin.point, ours: sat(0n), node: coin.amount }))
}
