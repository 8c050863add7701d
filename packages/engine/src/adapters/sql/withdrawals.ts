import { sql } from 'kysely'
import type { WithdrawalRecord, WithdrawalRows } from '../../capabilities/withdrawals/index.ts'
import { assert, type WalletId } from '../../kernel/index.ts'
import { among, chunksOf, insertRows, lastOfEach, updateRows } from './batch.ts'
import { WITHDRAWAL_METADATA, WITHDRAWAL_PROGRESS, WITHDRAWALS } from './columns-payouts.ts'
import { type Doors, int } from './doors.ts'
import type { WithdrawalMetadataRow, WithdrawalRow } from './schema-payouts.ts'
import { listWithdrawals } from './withdrawal-list.ts'
import { progressRow, withdrawalOf, withdrawalRow } from './withdrawal-rows.ts'

/** The condition of the index `withdrawals_plannable`, and the status hidden from the planner: few rows have the first. */
const PLANNABLE = sql<boolean>`plan_at is not null and coalesce(status, '') = 'approved'`
/** Word for word the condition of the index `withdrawals_spend`. */
const SPENT = sql<boolean>`spend is not null`

const pairsOf = ({ id, metadata }: WithdrawalRecord): WithdrawalMetadataRow[] =>
  Object.entries(metadata).map(([key, value]) => ({ withdrawal_id: id, key, value }))
const byId = (a: WithdrawalRecord, b: WithdrawalRecord): number => (a.id < b.id ? -1 : 1)

export function withdrawalRows(doors: Doors): WithdrawalRows {
  const { db, dialect, session } = doors
  const all = () => db.selectFrom('withdrawals').selectAll()
  return {
    async insert(withdrawal) {
      session.requireWriter()
      await insertRows(doors, 'withdrawals', WITHDRAWALS, [withdrawalRow(withdrawal)])
      await insertRows(doors, 'withdrawal_metadata', WITHDRAWAL_METADATA, pairsOf(withdrawal))
    },
    async withdrawal(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && withdrawalOf(row)
    },
    async byExternalId(externalId) {
      const row = await all().where('external_id', '=', externalId).executeTakeFirst()
      return row && withdrawalOf(row)
    },
    async lock(ids) {
      session.requireWriter()
      const found: WithdrawalRow[] = []
      // Locked in order of id, chunk after chunk: two transactions with common rows wait, they do not deadlock.
      for (const chunk of chunksOf([...new Set<string>(ids)].sort())) {
        const query = all()
          .where(among(dialect, 'id', 'text', chunk))
          .orderBy('id')
        found.push(...(await (dialect.locksRows ? query.forUpdate() : query).execute()))
      }
      return found.map(withdrawalOf)
    },
    async save(withdrawals) {
      session.requireWriter()
      const rows = lastOfEach(withdrawals, ({ id }) => id).map(progressRow)
      const key = ['id', 'digest'] as const
      const changed = await updateRows(doors, 'withdrawals', WITHDRAWAL_PROGRESS, [...key], rows)
      assert(
        changed === BigInt(rows.length),
        'a withdrawal to save is not there, or asked for else',
      )
    },
    list: (filter) => listWithdrawals(doors, filter),
    async plannable(wallet, now, limit) {
      const waiting = db.selectFrom('withdrawals').select('id').where('wallet', '=', wallet)
      const due = waiting.where(PLANNABLE).where('plan_at', '<=', int(now))
      // Ids first: they stand in that index alone, so a planner takes no other.
      const page = all().where('id', 'in', due.orderBy('id').limit(limit)).orderBy('id')
      return (await page.execute()).map(withdrawalOf)
    },
    async plannableWallets(now) {
      const query = db.selectFrom('withdrawals').select('wallet').distinct().where(PLANNABLE)
      const rows = await query.where('plan_at', '<=', int(now)).orderBy('wallet').execute()
      return rows.map(({ wallet }) => wallet as WalletId)
    },
    async ofSpends(spends) {
      const found: WithdrawalRow[] = []
      for (const chunk of chunksOf([...new Set(spends)]))
        found.push(
          ...(await all()
            .where(among(dialect, 'spend', 'text', chunk))
            .where(SPENT)
            .execute()),
        )
      return found.map(withdrawalOf).sort(byId)
    },
  }
}
