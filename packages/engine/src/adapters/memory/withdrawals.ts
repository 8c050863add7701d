import type {
  WithdrawalFilter,
  WithdrawalRecord,
  WithdrawalRows,
} from '../../capabilities/withdrawals/index.ts'
import { assert } from '../../kernel/index.ts'
import { compareText } from './order.ts'
import type { Session } from './session.ts'
import { firstOf, GroupIndex, SortedIndex, Table, takeWhile, UniqueIndex } from './table.ts'

export function withdrawalTables() {
  const byExternalId = new UniqueIndex<WithdrawalRecord>('external id', (row) => row.externalId)
  const byId = new SortedIndex<WithdrawalRecord>(({ id }) => [id])
  const bySpend = new GroupIndex<WithdrawalRecord>(({ spend }) =>
    spend === undefined ? [] : [spend],
  )
  const plannable = new SortedIndex<WithdrawalRecord>(({ status, planAt, wallet, id }) =>
    status === 'approved' && planAt !== undefined ? [wallet, id] : undefined,
  )
  const indexes = [byExternalId, byId, bySpend, plannable]
  return {
    byExternalId,
    byId,
    bySpend,
    plannable,
    withdrawals: new Table<WithdrawalRecord>('withdrawals', ({ id }) => id, indexes),
  }
}

const matches =
  (filter: WithdrawalFilter) =>
  (row: WithdrawalRecord): boolean =>
    (filter.wallet === undefined || row.wallet === filter.wallet) &&
    (filter.wallets === undefined || filter.wallets.includes(row.wallet)) &&
    (filter.status === undefined || row.status === filter.status) &&
    (filter.customer === undefined || row.customer === filter.customer) &&
    (filter.user === undefined || row.user === filter.user) &&
    (filter.externalId === undefined || row.externalId === filter.externalId) &&
    (filter.address === undefined || row.address === filter.address) &&
    (filter.metadata === undefined ||
      (Object.hasOwn(row.metadata, filter.metadata.key) &&
        row.metadata[filter.metadata.key] === filter.metadata.value)) &&
    (filter.createdFrom === undefined || row.createdAt >= filter.createdFrom) &&
    (filter.createdUntil === undefined || row.createdAt < filter.createdUntil)

/** What was asked for stays as it was; what the engine does about it is taken over. */
const progressed = (stored: WithdrawalRecord, now: WithdrawalRecord): WithdrawalRecord => ({
  id: stored.id,
  wallet: stored.wallet,
  externalId: stored.externalId,
  digest: stored.digest,
  address: stored.address,
  script: stored.script,
  amount: stored.amount,
  feePayer: stored.feePayer,
  speed: stored.speed,
  maxFee: stored.maxFee,
  maxRate: stored.maxRate,
  ...(stored.customer === undefined ? {} : { customer: stored.customer }),
  ...(stored.user === undefined ? {} : { user: stored.user }),
  ...(stored.description === undefined ? {} : { description: stored.description }),
  metadata: stored.metadata,
  initiator: stored.initiator,
  verdict: stored.verdict,
  reserved: now.reserved,
  status: now.status,
  reachedAt: now.reachedAt,
  ...(now.ended ? { ended: now.ended } : {}),
  ...(now.cancelAsked ? { cancelAsked: now.cancelAsked } : {}),
  ...(now.spend === undefined ? {} : { spend: now.spend }),
  ...(now.output ? { output: now.output } : {}),
  ...(now.txid === undefined ? {} : { txid: now.txid }),
  ...(now.paid === undefined ? {} : { paid: now.paid }),
  ...(now.feeShare === undefined ? {} : { feeShare: now.feeShare }),
  posted: now.posted,
  ...(now.planAt === undefined ? {} : { planAt: now.planAt }),
  ...(now.waitsFor === undefined ? {} : { waitsFor: now.waitsFor }),
  createdAt: stored.createdAt,
  updatedAt: now.updatedAt,
})

export function withdrawalRows(
  { withdrawals, byExternalId, byId, bySpend, plannable }: ReturnType<typeof withdrawalTables>,
  session: Session,
): WithdrawalRows {
  const inIdOrder = (keys: Iterable<string>) =>
    [...withdrawals.rows(new Set(keys))].sort((a, b) => (a.id < b.id ? -1 : 1))
  const isDue = (row: WithdrawalRecord, now: number) => (row.planAt ?? 0) <= now
  return {
    insert: async (withdrawal) => withdrawals.insert(session, withdrawal),
    withdrawal: async (id) => withdrawals.get(id),
    byExternalId: async (externalId) => withdrawals.get(byExternalId.key(externalId) ?? ''),
    lock: async (ids) => {
      session.requireWriter()
      return inIdOrder(ids)
    },
    save: async (rows) => {
      session.requireWriter()
      for (const row of rows) {
        const stored = withdrawals.get(row.id)
        assert(
          stored?.digest === row.digest,
          'a withdrawal to save is not there, or asked for else',
        )
        withdrawals.put(session, progressed(stored, row))
      }
    },
    list: async (filter) =>
      firstOf(
        withdrawals.rows(
          byId.descending(filter.before === undefined ? undefined : [filter.before]),
        ),
        filter.limit,
        matches(filter),
      ),
    plannable: async (wallet, now, limit) =>
      firstOf(
        takeWhile(withdrawals.rows(plannable.ascending([wallet])), (row) => row.wallet === wallet),
        limit,
        (row) => isDue(row, now),
      ),
    plannableWallets: async (now) => {
      const due = [...withdrawals.rows(plannable.ascending())].filter((row) => isDue(row, now))
      return [...new Set(due.map(({ wallet }) => wallet))].sort(compareText)
    },
    ofSpends: async (spends) => inIdOrder(spends.flatMap((spend) => [...bySpend.keys(spend)])),
  }
}
