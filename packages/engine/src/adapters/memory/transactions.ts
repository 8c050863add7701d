import type { DepositRows, StoredFact, TxRecord } from '../../capabilities/deposits/index.ts'
import { outPointKey } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { Counter, GroupIndex, SortedIndex, Table } from './table.ts'

export function transactionTables() {
  const byInput = new GroupIndex<TxRecord>((row) => row.inputs.map(outPointKey))
  const byHeight = new SortedIndex<TxRecord>((row) =>
    row.view.state === 'mined' ? [row.view.block.height, row.txid] : undefined,
  )
  const inMempool = new SortedIndex<TxRecord>((row) =>
    row.view.state === 'mempool' ? [row.txid] : undefined,
  )
  const factsByTxid = new GroupIndex<StoredFact>((row) => [row.txid])
  return {
    byInput,
    byHeight,
    inMempool,
    factsByTxid,
    transactions: new Table<TxRecord>('transactions', (row) => row.txid, [
      byInput,
      byHeight,
      inMempool,
    ]),
    facts: new Table<StoredFact>('facts', (row) => String(row.number), [factsByTxid]),
    factNumber: new Counter(),
  }
}

export function transactionDoors(tables: ReturnType<typeof transactionTables>, session: Session) {
  const { transactions, byInput, byHeight, inMempool, facts, factsByTxid, factNumber } = tables
  const inTxidOrder = (keys: Iterable<string>) =>
    [...transactions.rows([...new Set(keys)])].sort((a, b) => (a.txid < b.txid ? -1 : 1))
  return {
    transactions: async (txids) => inTxidOrder(txids),
    saveTransactions: async (rows) => {
      for (const row of rows) transactions.put(session, row)
    },
    spendersOf: async (points) =>
      inTxidOrder(points.flatMap((point) => [...byInput.keys(outPointKey(point))])),
    minedFrom: async (height) => inTxidOrder(byHeight.ascending([height])),
    unconfirmed: async () => [...transactions.rows(inMempool.ascending())],
    appendFacts: async (added) => {
      for (const fact of added) facts.put(session, { ...fact, number: factNumber.next(session) })
    },
    facts: async (txids) => {
      const keys = [...new Set(txids)].flatMap((txid) => [...factsByTxid.keys(txid)])
      return [...facts.rows(keys)].sort((a, b) => a.number - b.number)
    },
    factsAfter: async (number, limit) => {
      const count = Math.max(0, Math.min(limit, factNumber.value - number))
      return [...facts.rows(Array.from({ length: count }, (_, i) => String(number + 1 + i)))]
    },
    newestFact: async () => factNumber.value,
  } satisfies Partial<DepositRows>
}
