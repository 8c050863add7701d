import type {
  ConsolidationFilter,
  ConsolidationRecord,
  ConsolidationRows,
} from '../../capabilities/consolidation/index.ts'
import {
  assert,
  type ConsolidationId,
  fromHex,
  type SpendId,
  sat,
  satPerKvB,
  toHex,
  txid,
  type WalletId,
} from '../../kernel/index.ts'
import { insertRows, updateRows } from './batch.ts'
import { type Doors, int, num, present } from './doors.ts'
import { walletsOf } from './order-list.ts'
import { newestOf } from './runs.ts'
import type { Columns } from './schema.ts'
import type { ConsolidationProgressRow, ConsolidationRow } from './schema-consolidation.ts'

const text = 'text'
const whole = 'int'
const bytes = 'bytes'
const PROGRESS: Columns<ConsolidationProgressRow> = {
  id: text,
  status: text,
  txid: bytes,
  reached_at: text,
  updated_at: whole,
}
const CONSOLIDATIONS: Columns<ConsolidationRow> = {
  ...PROGRESS,
  wallet: text,
  cause: text,
  kind: text,
  scripts: whole,
  inputs: whole,
  coins: whole,
  amount: whole,
  fee: whole,
  rate: whole,
  long_term_rate: whole,
  saving: whole,
  break_even_rate: whole,
  spend: text,
  created_by: text,
  created_at: whole,
}

const progressRow = (run: ConsolidationRecord): ConsolidationProgressRow => ({
  id: run.id,
  status: run.status,
  txid: run.txid === undefined ? null : fromHex(run.txid),
  reached_at: JSON.stringify(run.reachedAt),
  updated_at: int(run.updatedAt),
})
const consolidationRow = (run: ConsolidationRecord): ConsolidationRow => ({
  ...progressRow(run),
  wallet: run.wallet,
  cause: run.trigger,
  kind: run.group,
  scripts: int(run.scripts),
  inputs: int(run.inputs),
  coins: int(run.coins),
  amount: run.amount,
  fee: run.fee,
  rate: run.rate,
  long_term_rate: run.longTermRate,
  saving: run.saving,
  break_even_rate: run.breakEvenRate,
  spend: run.spend,
  created_by: run.createdBy,
  created_at: int(run.createdAt),
})
const consolidationOf = (row: ConsolidationRow): ConsolidationRecord => ({
  id: row.id as ConsolidationId,
  wallet: row.wallet as WalletId,
  status: row.status as ConsolidationRecord['status'],
  trigger: row.cause as ConsolidationRecord['trigger'],
  group: row.kind as ConsolidationRecord['group'],
  scripts: num(row.scripts),
  inputs: num(row.inputs),
  coins: num(row.coins),
  amount: sat(row.amount),
  fee: sat(row.fee),
  rate: satPerKvB(row.rate),
  longTermRate: satPerKvB(row.long_term_rate),
  saving: row.saving,
  breakEvenRate: satPerKvB(row.break_even_rate),
  spend: row.spend as SpendId,
  ...present('txid', row.txid === null ? null : txid(toHex(row.txid))),
  reachedAt: JSON.parse(row.reached_at),
  createdBy: row.created_by,
  createdAt: num(row.created_at),
  updatedAt: num(row.updated_at),
})

export function consolidationRows(doors: Doors): ConsolidationRows {
  const { db, session } = doors
  const all = () => db.selectFrom('consolidations').selectAll()
  return {
    async insert(run) {
      session.requireWriter()
      await insertRows(doors, 'consolidations', CONSOLIDATIONS, [consolidationRow(run)])
    },
    async consolidation(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && consolidationOf(row)
    },
    async bySpend(spend) {
      const row = await all().where('spend', '=', spend).executeTakeFirst()
      return row && consolidationOf(row)
    },
    async save(run) {
      session.requireWriter()
      const rows = [progressRow(run)]
      const changed = await updateRows(doors, 'consolidations', PROGRESS, ['id'], rows)
      assert(changed === 1n, 'a consolidation to save is not there')
    },
    list: (filter) => listConsolidations(doors, filter),
  }
}

/** Newest first. Each wallet is a run of an index; runs are merged, so none is read further than the page. */
async function listConsolidations(
  { db }: Doors,
  filter: ConsolidationFilter,
): Promise<readonly ConsolidationRecord[]> {
  const { status, before, limit } = filter
  if (limit <= 0) return []
  const rows: ConsolidationRow[] = []
  for (const wallet of walletsOf(filter)) {
    let query = db.selectFrom('consolidations').selectAll()
    if (wallet !== undefined) query = query.where('wallet', '=', wallet)
    if (status !== undefined) query = query.where('status', '=', status)
    if (before !== undefined) query = query.where('id', '<', before)
    rows.push(...(await query.orderBy('id', 'desc').limit(limit).execute()))
  }
  return newestOf(rows, limit).map(consolidationOf)
}
