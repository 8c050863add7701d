import { type RawBuilder, sql } from 'kysely'
import {
  type AnswerRecord,
  type IdempotencyRows,
  nameOf,
} from '../../capabilities/idempotency/index.ts'
import { fromHex, toHex } from '../../kernel/index.ts'
import { chunksOf, insertRows } from './batch.ts'
import { REQUEST_ANSWERS } from './columns.ts'
import type { SqlDialect } from './dialect.ts'
import { type Doors, int, num } from './doors.ts'
import type { RequestAnswerRow } from './schema.ts'

const rowOf = (answer: AnswerRecord): RequestAnswerRow => ({
  scope: answer.scope,
  key: answer.key,
  digest: fromHex(answer.digest),
  status: int(answer.status),
  body: answer.body,
  at: int(answer.at),
})
const answerOf = (row: RequestAnswerRow): AnswerRecord => ({
  scope: row.scope,
  key: row.key,
  digest: toHex(row.digest),
  status: num(row.status),
  body: row.body,
  at: num(row.at),
})

const amongNames = (
  dialect: SqlDialect,
  names: Parameters<IdempotencyRows['answers']>[0],
): RawBuilder<boolean> =>
  sql<boolean>`(scope, key) in (${dialect.select(
    [
      ['scope', 'text'],
      ['key', 'text'],
    ],
    names.map(({ scope, key }) => [scope, key]),
  )})`

const byName = (a: AnswerRecord, b: AnswerRecord): number => (nameOf(a) < nameOf(b) ? -1 : 1)

export function idempotencyRows(doors: Doors): IdempotencyRows {
  const { db, dialect, session } = doors
  return {
    async answers(names) {
      const found: AnswerRecord[] = []
      for (const chunk of chunksOf(names)) {
        const query = db.selectFrom('request_answers').selectAll()
        const rows = await query.where(amongNames(dialect, chunk)).execute()
        found.push(...rows.map(answerOf))
      }
      return found
    },
    async insert(answers) {
      session.requireWriter()
      // In one order, so that two transactions with the same keys wait for each other and do not block each other.
      const rows = answers.toSorted(byName).map(rowOf)
      await insertRows(doors, 'request_answers', REQUEST_ANSWERS, rows)
    },
    async prune(before, limit) {
      session.requireWriter()
      const { rows } = await sql<{ scope: string }>`delete from request_answers
        where (scope, key) in (select scope, key from request_answers
          where at < ${int(before)} order by at, scope, key limit ${int(limit)})
        returning scope`.execute(db)
      return rows.length
    },
  }
}
