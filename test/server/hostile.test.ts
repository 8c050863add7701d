import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CaseRecord } from '../../tools/conformance/cases.ts'
import { run } from '../../tools/conformance/topics/hostile.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const folder = join(shared, 'vectors/hostile')

const isMissing = !existsSync(folder)

test.skipIf(isMissing)(
  'hostile vectors (SKIPPED without ../shared)',
  async () => {
    const records: CaseRecord[] = []
    for await (const record of run(folder)) records.push(record)
    expect(records.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    const passed = records.filter(({ outcome }) => outcome === 'passed')
    // All of four files, apart from the one that kills a process.
    expect(passed.length).toBeGreaterThanOrEqual(18 + 13 + 18 + 8)
  },
  60_000,
)
