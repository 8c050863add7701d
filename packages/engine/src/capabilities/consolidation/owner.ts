import { assert } from '../../kernel/index.ts'
import type { SpendMove, SpendOwner, VersionRecord } from '../spending/index.ts'
import { tellConsolidation } from './announce.ts'
import { nextConsolidation } from './machine.ts'
import type { ConsolidationRecord } from './ports.ts'
import type { ConsolidationTx } from './transaction.ts'

/** The runs' side of a spend: their state follows it in the transaction that changes it. It pays nobody, and bumps by hand only. */
export const createConsolidationOwner = <Tx extends ConsolidationTx>(): SpendOwner<Tx> => ({
  owed: async () => [],
  moved: (tx, move) => follow(tx, move),
})

async function follow(tx: ConsolidationTx, move: SpendMove): Promise<void> {
  const { after, version, versions, at, trail } = move
  const before = await tx.consolidations.bySpend(after.id)
  assert(before, `spend ${after.id} puts coins together for no run`)
  const status = nextConsolidation(before.status, {
    type: 'followed',
    facts: { chain: after.status, sent: versions.some(wasSent) },
  })
  assert(status !== undefined && status !== 'idle' && status !== 'analysing', 'a run is committed')
  const { txid = before.txid } = version
  if (status === before.status && txid === before.txid) return
  const run: ConsolidationRecord = {
    ...before,
    status,
    ...(txid === undefined ? {} : { txid }),
    reachedAt: status === before.status ? before.reachedAt : { ...before.reachedAt, [status]: at },
    updatedAt: at,
  }
  await tx.consolidations.save(run)
  const by = status === 'cancelled' ? version.rejected?.by : undefined
  if (status !== before.status) tellConsolidation(trail, run, by ?? 'engine')
}

/** Given to a node, or seen in the chain's view however it got there. */
const wasSent = ({ sends, status }: VersionRecord): boolean =>
  sends > 0 || status === 'broadcast' || status === 'confirmed' || status === 'evicted'
