import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CaseRecord } from '../../tools/conformance/cases.ts'
import { run } from '../../tools/conformance/topics/hostile.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const folder = join(shared, 'vectors/hostile')
const isMissing = !existsSync(folder)

describe.skipIf(isMissing)('hostile vectors (SKIPPED where ../shared is not there)', () => {
  it('are refused, stored as they are, or answered once', { timeout: 60_000 }, async () => {
    const records: CaseRecord[] = []
    for await (const record of run(folder)) records.push(record)
    expect(records.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    const passed = records.filter(({ outcome }) => outcome === 'passed')
    // Bodies, paths, labels, idempotency apart from the one that kills a process, targets, addresses, secrets.
    expect(passed.length).toBeGreaterThanOrEqual(18 + 13 + 18 + 8 + 34 + 12 + 13)
  })
})
