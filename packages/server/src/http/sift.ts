import type { Page } from './reply.ts'

/** Rows that one request looks at: what may not be seen costs the caller pages, not the server its breath. */
const MOST = 2_000
const CHUNK = 500

export interface Sift<Row, Shown> {
  /** At most `limit` rows behind the cursor, in their order. */
  read(after: string | undefined, limit: number): Promise<readonly Row[]>
  readonly after: string | undefined
  readonly limit: number
  cursorOf(row: Row): string
  isSeen(row: Row): boolean
  show(row: Row): Shown
}

/**
 * A page out of rows of which only some may be seen. The cursor moves over the others too, so a page may hold fewer than
 * asked for, even none, with more behind it; each request brings the cursor up to 2000 rows further, so no gap is endless.
 */
export async function sift<Row, Shown>(asked: Sift<Row, Shown>): Promise<Page<Shown>> {
  const data: Shown[] = []
  let { after } = asked
  let looked = 0
  for (;;) {
    // A page that is full of what is seen needs no chunk that is larger.
    const chunk = looked === 0 ? asked.limit - data.length + 1 : CHUNK
    const rows = await asked.read(after, chunk)
    for (const row of rows) {
      if (data.length === asked.limit) return { data, has_more: true, next: after ?? null }
      looked += 1
      after = asked.cursorOf(row)
      if (asked.isSeen(row)) data.push(asked.show(row))
    }
    if (rows.length < chunk) return { data, has_more: false, next: after ?? null }
    if (looked >= MOST) return { data, has_more: true, next: after ?? null }
  }
}

/** As lists say it: behind the last page there is nothing to ask for. */
export const ended = <Shown>(page: Page<Shown>): Page<Shown> =>
  page.has_more ? page : { ...page, next: null }
