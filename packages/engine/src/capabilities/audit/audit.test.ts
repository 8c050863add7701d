import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import type { Json, Transactor } from '../../kernel/index.ts'
import {
  type AuditAnchor,
  type AuditEntry,
  type AuditTx,
  appendAudit,
  auditHead,
  canonicalJson,
  csvCell,
  csvOf,
  entriesOf,
  exportAudit,
  GENESIS,
  hashOf,
  jsonLineOf,
  link,
  verifyAudit,
} from './index.ts'

/** 10,000 tamperings; a tenth where `npm run night` has not asked for everything. */
const RUNS = Math.max(100, Math.round(10_000 * Number(process.env['KACCY_SCALE'] ?? '0.1')))

const entryOf = (n: number) => ({
  actor: n % 2 === 0 ? 'engine' : 'operator:ann',
  action: n % 3 === 0 ? 'order.create' : 'deposit.credit',
  subject: `ord_${n}`,
  details: { n, note: `entry ${n}`, list: [n, null, true] },
})
const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
/** A trail as somebody with the database password may have left it. */
const storeOf = (entries: readonly AuditEntry[]): Transactor<AuditTx> => {
  const tx = {
    audit: {
      lockHead: async () => entries.at(-1),
      insert: async () => {},
      list: async ({ after = 0, limit }: { after?: number; limit: number }) =>
        [...entries]
          .sort((a, b) => a.number - b.number)
          .filter((e) => e.number > after)
          .slice(0, limit),
    },
  }
  return { transact: (work) => work(tx), read: (work) => work(tx) }
}

describe('canonical JSON', () => {
  test('is the text of RFC 8785', () => {
    expect(canonicalJson({ b: [1, 0.5, 1e30, null], a: 'é"\n', '€': true, '\r': false })).toBe(
      '{"\\r":false,"a":"é\\"\\n","b":[1,0.5,1e+30,null],"€":true}',
    )
  })
  test('is the same for any order of members and reads back the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = value as Json
        const text = canonicalJson(json)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(json)))
      }),
    )
  })
  test('numbers that JSON does not have are our bug', () => {
    expect(() => canonicalJson({ a: Number.NaN })).toThrow('not a JSON number')
  })
})

describe('the trail', () => {
  test('starts at zeros and binds each entry to the one before it', () => {
    const [first, second] = link(undefined, 5, [entryOf(1), entryOf(2)])
    expect(first).toMatchObject({ number: 1, at: 5, previous: GENESIS })
    expect(second).toMatchObject({ number: 2, previous: first?.hash })
    expect(link(second, 6, [entryOf(3)])[0]).toMatchObject({ number: 3, previous: second?.hash })
  })

  test('has a hash that anybody can compute', () => {
    const bare = {
      number: 1,
      at: 1_700_000_000_000,
      actor: 'engine',
      action: 'order.create',
      subject: 'ord_1',
      details: { b: 2, a: 1 },
      previous: GENESIS,
    }
    // printf '%s' '{"action":"order.create","actor":"engine",...}' | sha256sum
    expect(hashOf(bare)).toBe('28b3cdd0689782e9a6785b9a22d03cff99a7b9dc906ef6f19369ba24dfde812b')
  })

  test('verifies, and names its head', async () => {
    const store = createMemoryStore()
    expect(await verifyAudit(store)).toEqual({
      ok: true,
      entries: 0,
      head: { number: 0, hash: GENESIS },
    })
    for (let i = 0; i < 5; i++)
      await store.transact((tx) =>
        appendAudit(
          tx,
          1000 + i,
          Array.from({ length: 500 }, (_, j) => entryOf(i * 500 + j)),
        ),
      )
    const head = await auditHead(store)
    expect(head.number).toBe(2500)
    expect(await verifyAudit(store, head)).toEqual({ ok: true, entries: 2500, head })
  })

  test('never runs backwards, whatever the clock does', async () => {
    const store = createMemoryStore()
    for (const at of [50, 40, 60]) await store.transact((tx) => appendAudit(tx, at, [entryOf(at)]))
    const entries = await collect(entriesOf(store, {}))
    expect(entries.map(({ at }) => at)).toEqual([50, 50, 60])
  })

  test('nothing to write writes nothing', async () => {
    const store = createMemoryStore()
    expect(await store.transact((tx) => appendAudit(tx, 1, []))).toEqual([])
    expect(await auditHead(store)).toEqual({ number: 0, hash: GENESIS })
  })

  test('is queried by time, actor, subject and kind', async () => {
    const store = createMemoryStore()
    for (let i = 1; i <= 12; i++)
      await store.transact((tx) => appendAudit(tx, i * 10, [entryOf(i)]))
    const numbers = async (filter: Parameters<typeof entriesOf>[1]) =>
      (await collect(entriesOf(store, filter))).map(({ number }) => number)
    expect(await numbers({ from: 30, until: 60 })).toEqual([3, 4, 5])
    expect(await numbers({ actor: 'operator:ann', action: 'deposit.' })).toEqual([1, 5, 7, 11])
    expect(await numbers({ subject: 'ord_4' })).toEqual([4])
    expect(await numbers({ action: 'order.create', after: 6 })).toEqual([9, 12])
  })
})

describe('tampering', () => {
  const LENGTH = 40
  let trail: readonly AuditEntry[] = []
  let head: AuditAnchor = { number: 0, hash: GENESIS }
  beforeAll(() => {
    trail = link(
      undefined,
      1000,
      Array.from({ length: LENGTH }, (_, i) => entryOf(i)),
    )
    head = { number: LENGTH, hash: trail.at(-1)?.hash ?? '' }
  })
  const renumber = (entries: readonly AuditEntry[]) =>
    entries.map((entry, i) => ({ ...entry, number: i + 1 }))
  const at = fc.nat({ max: LENGTH - 1 })
  const field = fc.constantFrom('at', 'actor', 'action', 'subject', 'details', 'previous', 'hash')
  const changed = (entry: AuditEntry, name: string, salt: number): AuditEntry => {
    if (name === 'at') return { ...entry, at: entry.at + 1 + salt }
    if (name === 'details') return { ...entry, details: { ...entry.details, n: -1 - salt } }
    if (name === 'previous' || name === 'hash')
      return {
        ...entry,
        [name]: entry[name].replace(/./g, (c, i) =>
          i === salt % 64 ? (c === '0' ? '1' : '0') : c,
        ),
      }
    return { ...entry, [name]: `${entry[name as 'actor']}${salt}` }
  }
  const edit = fc.tuple(at, field, fc.nat({ max: 99 })).map(([i, name, salt]) => ({
    what: `edit ${name}`,
    first: i + 1,
    entries: trail.map((entry, j) => (j === i ? changed(entry, name, salt) : entry)),
  }))
  const remove = fc
    .tuple(at, fc.boolean())
    .filter(([i]) => i < LENGTH - 1)
    .map(([i, closeGap]) => {
      const rest = trail.filter((_, j) => j !== i)
      return { what: 'remove', first: i + 1, entries: closeGap ? renumber(rest) : rest }
    })
  const insert = fc.tuple(at, fc.nat()).map(([i, salt]) => {
    const [forged] = link(trail[i - 1], 1, [entryOf(salt)])
    const entries = [...trail.slice(0, i), ...(forged ? [forged] : []), ...trail.slice(i)]
    return { what: 'insert', first: i + 2, entries: renumber(entries) }
  })
  const swap = fc
    .tuple(at, at)
    .filter(([i, j]) => i !== j)
    .map(([i, j]) => {
      const entries = [...trail]
      const [a, b] = [entries[i], entries[j]]
      if (a && b) [entries[i], entries[j]] = [b, a]
      return { what: 'swap', first: Math.min(i, j) + 1, entries: renumber(entries) }
    })
  const cut = at.map((i) => ({ what: 'cut', first: i + 1, entries: trail.slice(0, i) }))
  const rewrite = fc.tuple(at, fc.nat()).map(([i, salt]) => {
    const kept = trail.slice(0, i)
    const forged = trail.slice(i).map((_, j) => entryOf(salt + j + 1000))
    return {
      what: 'rewrite',
      first: LENGTH,
      entries: [...kept, ...link(kept.at(-1), 1000, forged)],
    }
  })

  test('an edit, a removal, an insertion and a swap are found at the first broken number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(edit, remove, insert, swap), async ({ entries, first }) => {
        const verdict = await verifyAudit(storeOf(entries))
        expect(verdict.ok).toBe(false)
        if (!verdict.ok) expect(verdict.broken.number).toBe(first)
      }),
      { numRuns: RUNS },
    )
  })

  test('a cut tail and a trail written anew are found by an anchor kept elsewhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, rewrite), async ({ entries, what, first }) => {
        expect((await verifyAudit(storeOf(entries))).ok).toBe(true)
        const verdict = await verifyAudit(storeOf(entries), head)
        const reason = what === 'cut' ? 'anchor_missing' : 'anchor_differs'
        expect(verdict).toEqual({ ok: false, broken: { number: first, reason } })
      }),
      { numRuns: Math.floor(RUNS / 4) },
    )
  })

  test('a longer trail extends its anchor', async () => {
    const longer = [...trail, ...link(trail.at(-1), 2000, [entryOf(1)])]
    expect((await verifyAudit(storeOf(longer), head)).ok).toBe(true)
  })
})

describe('the export', () => {
  test('as CSV follows RFC 4180', () => {
    expect(csvCell('plain')).toBe('plain')
    expect(csvCell('a "quoted", text')).toBe('"a ""quoted"", text"')
    expect(csvCell('two\r\nlines')).toBe('"two\r\nlines"')
    expect(csvCell('')).toBe('')
  })

  test.each(['=1+1', '+1', '-1', '@sum', '\tx', '\rx', ' =1', '\n=cmd|x'])(
    'as CSV hands no formula to a spreadsheet: %j',
    (text) => {
      expect(csvCell(text).replaceAll('"', '')).toMatch(/^'/)
    },
  )

  test('as CSV has one line for each entry and nothing that starts a formula', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary-ascii' }), { maxLength: 5 }),
        async (texts) => {
          const store = createMemoryStore()
          const hostile = texts.map((text) => ({
            actor: text,
            action: 'a.b',
            subject: text,
            details: { text },
          }))
          await store.transact((tx) => appendAudit(tx, 1, hostile))
          const csv = (await collect(exportAudit(store, {}, 'csv'))).join('')
          const rows = parseCsv(csv)
          expect(rows).toHaveLength(texts.length + 1)
          for (const row of rows) {
            expect(row).toHaveLength(9)
            for (const cell of row) expect(cell).not.toMatch(/^\s*[=+@\t\r-]/)
          }
        },
      ),
    )
  })

  test('as JSON lines can be verified again', async () => {
    const store = createMemoryStore()
    await store.transact((tx) => appendAudit(tx, 1, [entryOf(1), entryOf(2)]))
    const lines = (await collect(exportAudit(store, {}, 'jsonl'))).join('').trimEnd().split('\n')
    const entries: AuditEntry[] = lines.map((line) => JSON.parse(line))
    expect((await verifyAudit(storeOf(entries), await auditHead(store))).ok).toBe(true)
    const [first] = entries
    if (first)
      expect([jsonLineOf(first), csvOf(first).split(',')[1]]).toEqual([
        `${lines[0]}\n`,
        '1970-01-01T00:00:00.001Z',
      ])
  })
})

/** A reader of RFC 4180 that knows nothing of our writer. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? ''
    if (quoted) {
      if (c !== '"') cell += c
      else if (text[i + 1] === '"') {
        cell += '"'
        i += 1
      } else quoted = false
    } else if (c === '"') quoted = true
    else if (c === ',') {
      row.push(cell)
      cell = ''
    } else if (c === '\r' && text[i + 1] === '\n') {
      rows.push([...row, cell])
      row = []
      cell = ''
      i += 1
    } else cell += c
  }
  return rows
}
