import { METRICS, type MetricDefinition } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { committedFiles, shippedFiles, withoutComments } from './tree.ts'

const definitions: readonly MetricDefinition[] = METRICS
const defined = definitions.map(({ name }) => name).sort()
const KINDS = { count: 'counter', gauge: 'gauge', observe: 'histogram' } as const

/** Every `metrics.count('kaccy_…'` and its like in what ships of the engine: method, name and the labels it gives. */
const counted = shippedFiles()
  .filter(({ path }) => path.startsWith('packages/engine/'))
  .flatMap(({ path, text }) =>
    [
      ...withoutComments(text).matchAll(
        /\.(count|gauge|observe)\(\s*'(kaccy_\w+)'((?:[^(){}]|\([^()]*(?:\([^()]*\)[^()]*)*\)|\{[^}]*\})*)\)/g,
      ),
    ].map(([, method = '', name = '', rest = '']) => ({
      path,
      name,
      kind: KINDS[method as keyof typeof KINDS],
      labels: [
        ...(/\{([^}]*)\}/.exec(rest)?.[1] ?? '').matchAll(/(\w+)(?=\s*[:,}]|\s*$)(?:\s*:[^,]*)?/g),
      ]
        .map((match) => match[1] ?? '')
        .filter((label) => label !== '')
        .sort(),
    })),
  )

test('every metric that is counted is defined with its kind and labels, and every defined one is counted', () => {
  expect(counted.length).toBeGreaterThan(12)
  expect([...new Set(counted.map(({ name }) => name))].sort()).toEqual(defined)
  for (const { path, name, kind, labels } of counted) {
    const definition = definitions.find((one) => one.name === name)
    expect({ path, name, kind, labels }).toEqual({
      path,
      name,
      kind: definition?.kind,
      labels: [...(definition?.labels ?? [])].sort(),
    })
  }
})

test('no name of a metric stands anywhere but in a count and in its definition', () => {
  const names = shippedFiles()
    .filter(
      ({ path }) => path.startsWith('packages/engine/') && !path.endsWith('metric-definitions.ts'),
    )
    .flatMap(({ text }) => [...withoutComments(text).matchAll(/'(kaccy_\w+)'/g)])
  expect(names.length).toBe(counted.length)
})

test('names follow Prometheus: base units, counters end in _total', () => {
  expect(new Set(defined).size).toBe(defined.length)
  for (const { name, kind, help, buckets } of definitions) {
    expect(name).toMatch(/^kaccy_[a-z][a-z0-9_]*[a-z]$/)
    expect(name.endsWith('_total')).toBe(kind === 'counter')
    expect(help).not.toMatch(/[.\n]$/)
    expect(buckets !== undefined).toBe(kind === 'histogram')
    if (buckets) expect(buckets).toEqual([...new Set(buckets)].sort((a, b) => a - b))
    if (kind === 'histogram') expect(name.endsWith('_seconds')).toBe(true)
  }
})

test('docs/guides/operating.md has a row for each, with its kind and labels', () => {
  const page = committedFiles().find(({ path }) => path === 'docs/guides/operating.md')?.text ?? ''
  const rows = new Map(
    [...page.matchAll(/^\| `(kaccy_\w+)` \| (\w+) \| ([^|]*)\|/gm)].map((row) => [
      row[1] ?? '',
      { kind: row[2], labels: [...(row[3] ?? '').matchAll(/`(\w+)`/g)].map((label) => label[1]) },
    ]),
  )
  expect([...rows.keys()].sort()).toEqual(defined)
  for (const { name, kind, labels } of definitions) expect(rows.get(name)).toEqual({ kind, labels })
})
