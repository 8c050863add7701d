import { grouped, satText, shortened } from '../view/amount.ts'
import type { Meaning } from '../view/paint.ts'
import type { Column } from '../view/table.ts'
import { rateText } from './arguments.ts'
import type { PsbtJson, WithdrawalExplanationJson, WithdrawalJson } from './client/answers.ts'
import type { Context } from './context.ts'

export const meaningOfWithdrawal = (status: WithdrawalJson['status']): Meaning => {
  if (status === 'rejected' || status === 'cancelled' || status === 'failed') return 'bad'
  if (status === 'settled') return 'good'
  return status === 'requested' ? 'quiet' : 'wait'
}

export const WITHDRAWAL_COLUMNS: readonly Column<WithdrawalJson>[] = [
  { title: 'withdrawal', cell: (row) => row.id },
  { title: 'external id', cell: (row) => row.external_id },
  { title: 'amount', align: 'right', cell: (row) => satText(row.amount_sat) },
  { title: 'to', cell: (row) => shortened(row.address, 10, 6) },
  {
    title: 'status',
    cell: (row) => row.status,
    meaning: (row) => meaningOfWithdrawal(row.status),
  },
  { title: 'transaction', cell: (row) => (row.txid === null ? '' : shortened(row.txid, 8, 4)) },
]

function speedText(row: WithdrawalJson): string {
  if (row.fee_rate_sat_kvb !== null) return rateText(row.fee_rate_sat_kvb)
  return row.deadline === null ? `priority ${row.priority}` : `mined by ${row.deadline}`
}

function approvalText({ verdict }: WithdrawalJson): string {
  const { approvals_needed: people, transaction_approvals: exact } = verdict
  if (people + exact === 0) return 'none needed'
  return `${people} for the request, ${exact} for the exact transaction`
}

/** One withdrawal, for people or for programs. */
export function showWithdrawal(context: Context, row: WithdrawalJson): void {
  const { verdict } = row
  const more: (readonly [string, string])[] = []
  if (row.txid !== null) more.push(['transaction', `${row.txid}:${row.vout}`])
  if (row.paid_sat !== null)
    more.push(['pays', `${satText(row.paid_sat)}, fee ${satText(row.fee_share_sat ?? 0)}`])
  if (row.waits_for !== null) more.push(['waits for', row.waits_for])
  if (row.cancel_asked !== null)
    more.push(['cancelling', `${row.cancel_asked.by}: ${row.cancel_asked.reason}`])
  if (row.ended !== null) more.push(['ended', `${row.ended.by}: ${row.ended.reason}`])
  context.facts(
    [
      ['withdrawal', row.id],
      ['external id', row.external_id],
      ['status', row.status],
      ['amount', satText(row.amount_sat)],
      ['to', row.address],
      ['how soon', speedText(row)],
      [
        'fee',
        `paid by ${row.fee_payer}, at most ${satText(row.max_fee_sat)} and ${rateText(row.max_fee_rate_sat_kvb)}`,
      ],
      ['policy', `version ${verdict.policy_version}: ${verdict.decision}, risk ${verdict.score}`],
      ...verdict.reasons.map(({ code, message }): [string, string] => ['', `${code}: ${message}`]),
      ['approvals', approvalText(row)],
      ['digest', row.digest],
      ...more,
      ['requested', `${row.created_at} by ${row.initiator}`],
    ],
    row,
  )
}

/** What somebody is asked to say yes to. */
export const payText = (row: Pick<WithdrawalJson, 'amount_sat' | 'address'>): string =>
  `${grouped(row.amount_sat)} sat to ${row.address}`

const versionLine = (version: PsbtJson): string => {
  const id = version.txid ?? version.hash
  return `${version.id}  ${version.kind.padEnd(7)} ${version.status.padEnd(16)} ${id}  ${satText(version.fee_sat)}, ${rateText(version.fee_rate_sat_kvb)}`
}

/** Why a withdrawal is what it is. */
export function showWithdrawalExplanation(
  context: Context,
  explained: WithdrawalExplanationJson,
): void {
  if (context.json) {
    context.object(explained)
    return
  }
  const { withdrawal, because, next, waits_for: waits, versions } = explained
  const { paint } = context
  const heading = (text: string) => {
    context.line()
    context.line(paint('quiet', text))
  }
  const status = paint(meaningOfWithdrawal(withdrawal.status), withdrawal.status)
  context.line(`${withdrawal.id} is ${status}: ${payText(withdrawal)}`)
  heading('because')
  for (const line of because) context.line(`  ${line}`)
  heading('what would change it')
  for (const line of next.length > 0 ? next : ['nothing but a reorganisation'])
    context.line(`  ${line}`)
  if (waits.length > 0) {
    heading('who must act')
    for (const line of waits) context.line(`  ${line}`)
  }
  if (versions.length === 0) return
  heading('transactions, of which at most one can ever be mined')
  for (const version of versions) context.line(`  ${versionLine(version)}`)
}
