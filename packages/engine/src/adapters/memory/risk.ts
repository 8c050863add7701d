import type { RiskProfile, RiskRows } from '../../capabilities/risk/index.ts'
import type { Session } from './session.ts'
import { Table } from './table.ts'

interface Paid {
  readonly subject: string
  readonly script: string
  readonly count: number
}
const paidKey = (subject: string, script: string) => `${script}/${subject}`

export const riskTables = () => ({
  profiles: new Table<RiskProfile>('risk_profiles', (row) => row.subject),
  paid: new Table<Paid>('risk_paid', (row) => paidKey(row.subject, row.script)),
})

export function riskRows(
  { profiles, paid }: ReturnType<typeof riskTables>,
  session: Session,
): RiskRows {
  const paidTo = (subject: string, script: string) => paid.get(paidKey(subject, script))?.count ?? 0
  return {
    profile: async (subject) => profiles.get(subject),
    saveProfile: async (profile) => profiles.put(session, profile),
    paidTo: async (subject, script) => paidTo(subject, script),
    addPaid: async (subject, script) =>
      paid.put(session, { subject, script, count: paidTo(subject, script) + 1 }),
  }
}
