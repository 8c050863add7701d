/**
 * Storage as every capability sees it. `Tx` is the set of row doors that the capability may use.
 *
 * Promises of every implementation (the conformance suite in `testing/` proves them):
 * - `transact` runs `work` in one transaction. It resolves after the commit is durable; a throw undoes everything.
 * - `work` may run again (a serialisation conflict), so it has no outside effect.
 * - `read` sees one consistent snapshot and refuses writes.
 * - Row doors return fresh objects; changing them changes nothing in the store.
 */
export interface Transactor<Tx> {
  transact<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  read<T>(work: (tx: Tx) => Promise<T>): Promise<T>
}
