import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ended, sift } from './sift.ts'

const pageOf = (
  rows: readonly number[],
  limit: number,
  isSeen: (row: number) => boolean,
  after?: string,
) => {
  let most = 0
  const page = sift({
    read: async (from, count) => {
      const found = rows.filter((row) => row > Number(from ?? 0)).slice(0, count)
      most += found.length
      return found
    },
    after,
    limit,
    cursorOf: String,
    isSeen,
    show: (row) => row,
  })
  return page.then((answer) => ({ ...answer, most }))
}

test('following the cursor finds everything that may be seen, once and in order', async () => {
  const cases = fc.tuple(
    fc.integer({ min: 0, max: 3_000 }),
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 1, max: 1_500 }),
  )
  await fc.assert(
    fc.asyncProperty(cases, async ([count, limit, share]) => {
      const rows = Array.from({ length: count }, (_, i) => i + 1)
      const isSeen = (row: number) => row % share === 0
      const seen: number[] = []
      let after: string | undefined
      for (;;) {
        const page = await pageOf(rows, limit, isSeen, after)
        expect(page.data.length).toBeLessThanOrEqual(limit)
        expect(page.most).toBeLessThanOrEqual(2_600)
        seen.push(...page.data)
        after = page.next ?? undefined
        if (!page.has_more) break
      }
      expect(seen).toEqual(rows.filter(isSeen))
      expect(after).toBe(count === 0 ? undefined : String(count))
    }),
    { numRuns: 60 },
  )
})

test('one request looks at two thousand rows and moves on', async () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => i + 1)
  const page = await pageOf(rows, 20, () => false)
  expect([page.data, page.has_more]).toEqual([[], true])
  expect(Number(page.next)).toBeGreaterThanOrEqual(2_000)
})

test('behind the last page of a list there is nothing to ask for', () => {
  expect(ended({ data: [], has_more: false, next: '5' }).next).toBe(null)
  expect(ended({ data: [], has_more: true, next: '5' }).next).toBe('5')
})
