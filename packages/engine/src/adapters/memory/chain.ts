import type { ChainHeader, ChainRows } from '../../capabilities/chain/index.ts'
import { assert } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { SortedIndex, Table } from './table.ts'

interface Memo {
  readonly key: string
  readonly value: string
}

export function chainTables() {
  const byHeight = new SortedIndex<ChainHeader>((header) => [header.height])
  const headers = new Table<ChainHeader>('headers', (header) => String(header.height), [byHeight])
  const memos = new Table<Memo>('memos', (memo) => memo.key)
  return { byHeight, headers, memos }
}

const linked = (lower: ChainHeader | undefined, upper: ChainHeader): void =>
  assert(
    !lower || (upper.height === lower.height + 1 && upper.prev === lower.hash),
    `header ${upper.height} does not extend header ${lower?.height}`,
  )

export function chainRows(
  { byHeight, headers, memos }: ReturnType<typeof chainTables>,
  session: Session,
): ChainRows {
  const first = (keys: Iterable<string>): ChainHeader | undefined => {
    for (const header of headers.rows(keys)) return header
    return undefined
  }
  const tip = () => first(byHeight.descending())
  const base = () => first(byHeight.ascending())
  return {
    tip: async () => tip(),
    // One writer at a time: whoever writes has every lock.
    lockCursor: async () => {
      session.requireWriter()
      return tip()
    },
    base: async () => base(),
    headerAt: async (height) => headers.get(String(height)),
    headersAt: async (heights) => [...headers.rows(new Set(heights.map(String)))],
    append: async (added) => {
      session.requireWriter()
      let last = tip()
      for (const header of added) {
        linked(last, header)
        headers.put(session, header)
        last = header
      }
    },
    truncateTo: async (height) => {
      session.requireWriter()
      const gone = [...byHeight.ascending([height])]
      for (const key of gone.reverse()) headers.remove(session, key)
    },
    memo: async (key) => memos.get(key)?.value,
    saveMemo: async (key, value) => memos.put(session, { key, value }),
    prepend: async (added) => {
      session.requireWriter()
      let upper = base()
      for (const header of [...added].reverse()) {
        if (upper) linked(header, upper)
        headers.put(session, header)
        upper = header
      }
    },
  }
}
