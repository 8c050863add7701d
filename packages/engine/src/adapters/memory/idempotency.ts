import {
  type AnswerRecord,
  type IdempotencyRows,
  nameOf,
} from '../../capabilities/idempotency/index.ts'
import type { Session } from './session.ts'
import { firstOf, SortedIndex, Table, takeWhile } from './table.ts'

export function idempotencyTables() {
  const byTime = new SortedIndex<AnswerRecord>((row) => [row.at, row.scope, row.key])
  return { byTime, answers: new Table<AnswerRecord>('request_answers', nameOf, [byTime]) }
}

export function idempotencyRows(
  { byTime, answers }: ReturnType<typeof idempotencyTables>,
  session: Session,
): IdempotencyRows {
  return {
    answers: async (names) => [...answers.rows(new Set(names.map(nameOf)))],
    insert: async (added) => {
      session.requireWriter()
      for (const answer of added) answers.insert(session, answer)
    },
    prune: async (before, limit) => {
      session.requireWriter()
      const oldest = answers.rows(byTime.ascending())
      const old = firstOf(
        takeWhile(oldest, ({ at }) => at < before),
        limit,
      )
      for (const answer of old) answers.remove(session, nameOf(answer))
      return old.length
    },
  }
}
