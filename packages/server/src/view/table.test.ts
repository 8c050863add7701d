import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { noColours } from './paint.ts'
import { padTo, printable, renderFacts, renderTable } from './table.ts'

const rows = [
  { name: 'coffee', amount: '1 500' },
  { name: 'a long name', amount: '20' },
]

test('columns are as wide as what they hold, numbers stand on the right', () => {
  expect(
    renderTable(
      [
        { title: 'name', cell: (row) => row.name },
        { title: 'sat', align: 'right', cell: (row) => row.amount },
        { title: 'more', cell: () => '' },
      ],
      rows,
      noColours,
    ),
  ).toEqual(['name           sat  more', 'coffee       1 500', 'a long name     20'])
})

test('facts are two columns', () => {
  expect(
    renderFacts(
      [
        ['id', '1'],
        ['status', 'active'],
      ],
      noColours,
    ),
  ).toEqual(['id      1', 'status  active'])
})

test('text from outside drives no terminal', () => {
  expect(printable('a\u001b[2Jb\nc\u2028d\u009b31m')).toBe('a [2Jb c d 31m')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const cells = renderTable([{ title: 't', cell: () => text }], [{}], noColours)
      expect(cells).toHaveLength(2)
      expect(cells[1]).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
    }),
  )
})

test('what does not fit ends in an ellipsis', () => {
  expect([padTo('abc', 5), padTo('abc', 5, 'right'), padTo('abcdef', 4)]).toEqual([
    'abc  ',
    '  abc',
    'abc…',
  ])
})
