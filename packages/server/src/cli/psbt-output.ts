import { satText, shortened } from '../view/amount.ts'
import type { Meaning } from '../view/paint.ts'
import type { Column } from '../view/table.ts'
import { rateText } from './arguments.ts'
import type { PsbtJson } from './client/answers.ts'
import type { Context } from './context.ts'

const meaningOf = (status: PsbtJson['status']): Meaning => {
  if (status === 'rejected' || status === 'evicted') return 'bad'
  if (status === 'confirmed') return 'good'
  return status === 'replaced' ? 'quiet' : 'wait'
}

export const PSBT_COLUMNS: readonly Column<PsbtJson>[] = [
  { title: 'psbt', cell: (row) => row.id },
  { title: 'kind', cell: (row) => row.kind },
  { title: 'status', cell: (row) => row.status, meaning: (row) => meaningOf(row.status) },
  { title: 'pays', align: 'right', cell: (row) => satText(paidBy(row)) },
  { title: 'fee', align: 'right', cell: (row) => satText(row.fee_sat) },
  { title: 'rate', align: 'right', cell: (row) => rateText(row.fee_rate_sat_kvb) },
  { title: 'hash', cell: (row) => shortened(row.hash, 8, 4) },
]

const paidBy = ({ outputs }: PsbtJson): number =>
  outputs.reduce((sum, { role, amount_sat: amount }) => sum + (role === 'payment' ? amount : 0), 0)

/** One transaction, for people or for programs. */
export function showPsbt(context: Context, row: PsbtJson): void {
  const { rejected, last_send: sent } = row
  context.facts(
    [
      ['psbt', row.id],
      ['status', `${row.status}, ${row.kind}, version ${row.number} of ${row.spend}`],
      ['hash', row.hash],
      ...(row.txid === null ? [] : [['txid', row.txid] as const]),
      ...row.inputs.map(({ txid, vout, amount_sat: amount }): [string, string] => [
        'spends',
        `${satText(amount)} of ${txid}:${vout}`,
      ]),
      ...row.outputs.map((output): [string, string] => [
        output.role === 'payment' ? 'pays' : 'change',
        `${satText(output.amount_sat)} to ${output.address ?? 'a script without an address'}`,
      ]),
      ['fee', `${satText(row.fee_sat)}, ${rateText(row.fee_rate_sat_kvb)}`],
      ['at most', `${satText(row.max_fee_sat)}, ${rateText(row.max_fee_rate_sat_kvb)}`],
      ['approvals', `${row.approvals_needed} needed`],
      ['shown', row.exposed_at ?? 'to no signer'],
      ...(rejected ? [['rejected', `${rejected.by}: ${rejected.reason}`] as const] : []),
      ...(sent
        ? [['sent', `${row.sends} times, last ${sent.answer} ${sent.reason ?? ''}`] as const]
        : []),
    ],
    row,
  )
}
