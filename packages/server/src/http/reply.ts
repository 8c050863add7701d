import type { Refusal, Result } from '@kaccy/bitcoin/kernel'
import { RefusedError } from './problem.ts'
import type { Answer } from './route.ts'

export const answer = (status: number, body?: unknown, headers?: Answer['headers']): Answer => ({
  status,
  ...(body === undefined ? {} : { body }),
  ...(headers === undefined ? {} : { headers }),
})

/** The value of a result. @throws RefusedError with its refusal, which becomes a problem */
export function accept<T>(result: Result<T, Refusal>): T {
  if (result.ok) return result.value
  throw new RefusedError(result.error)
}

/** A page of a list: `next` is the cursor of the page behind it. */
export interface Page<Row> {
  readonly data: readonly Row[]
  readonly has_more: boolean
  readonly next: string | null
}

/**
 * Cuts `limit` rows out of at most `limit + 1` that were asked for.
 * @param cursorOf the cursor behind a row
 */
export function page<Row, Shown>(
  rows: readonly Row[],
  limit: number,
  show: (row: Row) => Shown,
  cursorOf: (row: Row) => string,
): Page<Shown> {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  const more = rows.length > limit && last !== undefined
  return { data: kept.map(show), has_more: more, next: more ? cursorOf(last) : null }
}
