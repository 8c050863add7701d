import type { ConfirmationStatistics, Reconciliation, Waiting } from '@kaccy/bitcoin/deposits'
import type {
  AccountTotals,
  BooksDifference,
  BooksVerdict,
  LedgerEntry,
} from '@kaccy/bitcoin/ledger'
import type {
  AccountJson,
  BooksVerdictJson,
  EntryJson,
  ReconciliationJson,
  StatisticsJson,
} from '../schemas/ledger.ts'
import { satoshi, time } from './basics.ts'

export const accountJson = ({ account, debits, credits }: AccountTotals): AccountJson => ({
  account,
  debits_sat: satoshi(debits),
  credits_sat: satoshi(credits),
  balance_sat: satoshi(debits - credits),
})

export const entryJson = (entry: LedgerEntry): EntryJson => ({
  number: entry.number,
  at: time(entry.at),
  kind: entry.kind,
  debit: entry.debit,
  credit: entry.credit,
  amount_sat: satoshi(entry.amount),
  wallet: entry.wallet,
  payment: entry.payment ?? null,
  order: entry.order ?? null,
  block: entry.block ? { height: entry.block.height, hash: entry.block.hash } : null,
  key: entry.key,
})

function inWords(difference: BooksDifference): string {
  switch (difference.kind) {
    case 'total_differs':
      return `${difference.side} are kept as ${difference.kept} sat, and counted as ${difference.counted}`
    case 'below_zero':
      return `it is ${difference.by} sat below zero`
    case 'unbalanced':
      return `all debits are ${difference.debits} sat, all credits ${difference.credits}`
  }
}

export const booksVerdictJson = ({
  ok,
  accounts,
  differences,
}: BooksVerdict): BooksVerdictJson => ({
  ok,
  accounts,
  differences: differences.map((difference) => ({
    kind: difference.kind,
    account: difference.kind === 'unbalanced' ? null : difference.account,
    message: inWords(difference),
  })),
})

export const reconciliationJson = (found: Reconciliation): ReconciliationJson => ({
  ok: found.drifts.length === 0 && found.booked === found.bookable,
  wallet: found.wallet,
  height: found.height,
  coins: found.coins,
  ours_sat: satoshi(found.ours),
  node_sat: satoshi(found.node),
  booked_sat: satoshi(found.booked),
  bookable_sat: satoshi(found.bookable),
  searched: found.searched,
  drifts: found.drifts.map(({ point, ours, node }) => ({
    txid: point.txid,
    vout: point.vout,
    ours_sat: satoshi(ours),
    node_sat: satoshi(node),
  })),
})

const waitingJson = ({ count, medianMs, p90Ms, maxMs }: Waiting) => ({
  count,
  median_ms: medianMs,
  p90_ms: p90Ms,
  max_ms: maxMs,
})
const waitingOrNull = (waiting: Waiting | undefined) => (waiting ? waitingJson(waiting) : null)

export const statisticsJson = ({
  orders,
  byLevel,
  byFeeRate,
}: ConfirmationStatistics): StatisticsJson => ({
  orders,
  by_level: {
    confirmed: waitingOrNull(byLevel.confirmed),
    full_confirmed: waitingOrNull(byLevel.full_confirmed),
    finalized: waitingOrNull(byLevel.finalized),
  },
  by_fee_rate: byFeeRate.map(({ fromSatPerVb, waiting }) => ({
    from_sat_kvb: fromSatPerVb * 1000,
    confirmed: waitingJson(waiting),
  })),
})
