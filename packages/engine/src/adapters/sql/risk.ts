import type { RecentRequest, RiskProfile, RiskRows } from '../../capabilities/risk/index.ts'
import { fromHex, sat } from '../../kernel/index.ts'
import { insertRows } from './batch.ts'
import { RISK_PAID, RISK_PROFILES } from './columns-policy.ts'
import { type Doors, maybeInt, num, present } from './doors.ts'
import { recentOf, recentText } from './policy-rows.ts'
import type { RiskProfileRow } from './schema-policy.ts'

const rowOf = ({ subject, recent, habit }: RiskProfile): RiskProfileRow => ({
  subject,
  recent: recentText(recent),
  paid: BigInt(habit.paid),
  total: habit.total,
  largest: habit.largest,
  first_paid_at: maybeInt(habit.firstPaidAt),
  hours: JSON.stringify(habit.hours),
})
const profileOf = (row: RiskProfileRow): RiskProfile => ({
  subject: row.subject,
  recent: recentOf(row.recent) satisfies readonly RecentRequest[],
  habit: {
    paid: num(row.paid),
    total: row.total,
    largest: sat(row.largest),
    ...present('firstPaidAt', row.first_paid_at === null ? null : num(row.first_paid_at)),
    hours: JSON.parse(row.hours),
  },
})

export function riskRows(doors: Doors): RiskRows {
  const { db, session } = doors
  return {
    async profile(subject) {
      const query = db.selectFrom('risk_profiles').selectAll().where('subject', '=', subject)
      const row = await query.executeTakeFirst()
      return row && profileOf(row)
    },
    async saveProfile(profile) {
      session.requireWriter()
      const how = { replaceBy: ['subject'] }
      await insertRows(doors, 'risk_profiles', RISK_PROFILES, [rowOf(profile)], how)
    },
    async paidTo(subject, script) {
      const query = db.selectFrom('risk_paid').select('count').where('subject', '=', subject)
      const row = await query.where('script', '=', fromHex(script)).executeTakeFirst()
      return row ? num(row.count) : 0
    },
    async addPaid(subject, script) {
      session.requireWriter()
      const row = { subject, script: fromHex(script), count: 1n }
      await insertRows(doors, 'risk_paid', RISK_PAID, [row], { addTo: ['subject', 'script'] })
    },
  }
}
