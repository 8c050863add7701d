import { satText, shortened } from '../view/amount.ts'
import type { Meaning } from '../view/paint.ts'
import type { Column } from '../view/table.ts'
import { rateText } from './arguments.ts'
import type { PsbtJson, SignablePsbtJson, TakenJson } from './client/answers.ts'
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

/** What of it is known here: all of it where one was looked at, less in what a change answers. */
function standing(row: PsbtJson | SignablePsbtJson | TakenJson): [string, string][] {
  if (!('approvals' in row)) {
    const added: [string, string][] = 'added' in row ? [['signatures', `${row.added} new`]] : []
    return [['approvals', `${row.approvals_needed} needed`], ...added]
  }
  const { have, need, given } = row.approvals
  const who = given.length === 0 ? '' : `: ${given.map(({ by }) => by).join(', ')}`
  const inputs = row.signatures.map(({ have: has, need: wants }) => `${has} of ${wants}`)
  return [
    ['approvals', `${have} of ${need}${who}`],
    ['signatures', inputs.join(', ')],
  ]
}

/** One transaction, for people or for programs. */
export function showPsbt(context: Context, row: PsbtJson | SignablePsbtJson | TakenJson): void {
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
      ...standing(row),
      ['shown', row.exposed_at ?? 'to no signer'],
      ...(rejected ? [['rejected', `${rejected.by}: ${rejected.reason}`] as const] : []),
      ...(sent
        ? [['sent', `${row.sends} times, last ${sent.answer} ${sent.reason ?? ''}`] as const]
        : []),
    ],
    row,
  )
}
