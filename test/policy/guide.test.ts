import { readFileSync } from 'node:fs'
import { DEFAULT_RISK } from '@kaccy/bitcoin/risk'
import type { Json } from '@kaccy/bitcoin/kernel'
import { lint, parsePolicy, testPolicy } from '@kaccy/bitcoin/policy'
import { expect, test } from 'vitest'

const page = readFileSync(
  new URL('../../docs/guides/limits-and-approvals.md', import.meta.url),
  'utf8',
)
const blocks = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(
  ([, text = '']) => JSON.parse(text) as { readonly [name: string]: Json },
)

test('every document on the page is read, passes its tests, and has no rule that never decides', () => {
  const documents = blocks.filter((block) => 'name' in block)
  expect(documents.length).toBeGreaterThan(0)
  for (const document of documents) {
    const policy = parsePolicy(document, 'regtest')
    if (!policy.ok) throw new TypeError(policy.error.message)
    expect(testPolicy(policy.value)).toEqual({
      ok: true,
      cases: (document['tests'] as readonly Json[]).length,
      failures: [],
      findings: [],
    })
  }
})

test('every part of a document on the page is read', () => {
  const parts = blocks.filter((block) => !('name' in block))
  expect(parts.length).toBeGreaterThan(1)
  for (const part of parts) {
    const policy = parsePolicy({ name: 'x', ...part }, 'regtest')
    if (!policy.ok) throw new TypeError(policy.error.message)
    expect(lint(policy.value)).toEqual([{ kind: 'no_tests' }])
  }
})

test('the points on the page are those of the code', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| .* \| (\d+) \|$/gm)].map(
    ([, signal, points]) => [signal, Number(points)] as const,
  )
  expect(Object.fromEntries(rows)).toEqual(DEFAULT_RISK.points)
})
