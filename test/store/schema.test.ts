import { readFileSync } from 'node:fs'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'

const page = readFileSync(new URL('../../docs/schema.md', import.meta.url), 'utf8')

/** Column names by table, as the page has them: first cell names the table, every name in backquotes in the second is a column. */
function described(): Map<string, Set<string>> {
  const tables = new Map<string, Set<string>>()
  let table = ''
  for (const line of page.split('\n')) {
    const [, first = '', second = ''] = line.split('|').map((cell) => cell.trim())
    table = /^`(\w+)`$/.exec(first)?.[1] ?? (first === '' ? table : '')
    if (table === '') continue
    const columns = tables.get(table) ?? new Set<string>()
    for (const [, name] of second.matchAll(/`(\w+)`/g)) if (name) columns.add(name)
    tables.set(table, columns)
  }
  return tables
}

test('docs/schema.md names every table and column, and no other', async () => {
  const database = new Database(':memory:')
  await openStore({ dialect: 'sqlite', database, migrate: true })
  const names = database
    .prepare(`select name from sqlite_master where type = 'table'`)
    .pluck()
    .all()
  const actual = (names as string[]).map((table) => [
    table,
    database.prepare('select name from pragma_table_info(?) order by name').pluck().all(table),
  ])
  const expected = [...described()].map(([table, columns]) => [table, [...columns].sort()])
  expect(expected.sort()).toEqual(actual.sort())
})
