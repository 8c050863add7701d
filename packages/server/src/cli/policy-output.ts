import { satText } from '../view/amount.ts'
import type { Column } from '../view/table.ts'
import type { PolicyJson, ReplayJson } from './client/answers.ts'
import type { Context } from './context.ts'

export const POLICY_COLUMNS: readonly Column<PolicyJson>[] = [
  { title: 'version', align: 'right', cell: (row) => `${row.version}` },
  { title: 'name', cell: (row) => row.name },
  {
    title: 'status',
    cell: (row) => row.status,
    meaning: (row) => (row.status === 'enabled' ? 'good' : undefined),
  },
  { title: 'by', cell: (row) => row.created_by },
  { title: 'proposed', cell: (row) => row.created_at.slice(0, 19) },
]

type Difference = ReplayJson['differences'][number]
const verdictText = ({ decision, approvals, score }: Difference['before']): string =>
  `${decision}${approvals > 0 ? ` (${approvals} people)` : ''}, risk ${score}`
export const DIFFERENCE_COLUMNS: readonly Column<Difference>[] = [
  { title: 'withdrawal', cell: (row) => row.withdrawal },
  { title: 'amount', align: 'right', cell: (row) => satText(row.amount_sat) },
  { title: 'user', cell: (row) => row.user ?? '' },
  { title: 'was', cell: (row) => verdictText(row.before) },
  { title: 'would be', cell: (row) => verdictText(row.after) },
  { title: 'because', cell: (row) => row.after.reasons[0]?.message ?? '' },
]

/** One policy: its life, and the document as it is. */
export function showPolicy(context: Context, row: PolicyJson): void {
  context.facts(
    [
      ['policy', `${row.version}, ${row.name}`],
      ['status', row.status],
      ['proposed', `${row.created_at} by ${row.created_by}`],
      ...(row.tested_at === null
        ? []
        : [['tested', `${row.tested_at} by ${row.tested_by}`] as const]),
      ...(row.enabled_at === null
        ? []
        : [['enabled', `${row.enabled_at} by ${row.enabled_by}`] as const]),
      ['digest', row.digest],
    ],
    row,
  )
  if (context.json) return
  context.line()
  for (const line of JSON.stringify(row.document, null, 2).split('\n')) context.line(line)
}
