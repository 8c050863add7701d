import {
  assert,
  type ConsolidationId,
  ok,
  type Refusal,
  type Result,
  refuse,
  type SpendId,
  type WalletId,
} from '../../kernel/index.ts'
import type { Once } from '../idempotency/index.ts'
import type { Replaced, ReplaceRefusal } from '../spending/index.ts'
import { type Analysis, type AnalyseRefusal, analyse, type ConsolidationWish } from './analyse.ts'
import { consolidateDue, type Looks } from './automatic.ts'
import type { ConsolidationFilter, ConsolidationRecord } from './ports.ts'
import { request, type RunDeps, type RunRefusal } from './run.ts'
import type { ConsolidationTx } from './transaction.ts'

export interface ConsolidationDeps extends RunDeps {
  readonly spends: {
    drop(
      tx: ConsolidationTx,
      spend: SpendId,
      actor: string,
    ): Promise<Result<Replaced, ReplaceRefusal> | undefined>
  }
}
export type CancelRefusal = Refusal<'CONSOLIDATION_NOT_FOUND' | 'CONSOLIDATION_STATE'>

/** Several coins of a wallet become one, while fees are low and nobody waits to be paid. */
export interface Consolidation {
  /** What a run would do now, what it costs and what it saves. Writes nothing. */
  preview(wallet: WalletId, wish?: ConsolidationWish): Promise<Result<Analysis, AnalyseRefusal>>
  /** Makes a run: coins leased, transaction planned. Signers and the broadcaster go on with it as with a payout. */
  request(
    wallet: WalletId,
    wish: ConsolidationWish,
    actor: string,
    once?: Once<ConsolidationRecord>,
  ): Promise<Result<ConsolidationRecord, RunRefusal>>
  /** Gives a run up, as long as nobody who can sign has seen its transaction. */
  cancel(id: ConsolidationId, actor: string): Promise<Result<ConsolidationRecord, CancelRefusal>>
  get(id: ConsolidationId): Promise<ConsolidationRecord | undefined>
  /** Newest first. */
  list(filter: ConsolidationFilter): Promise<readonly ConsolidationRecord[]>
}
export interface ConsolidationParts {
  readonly verbs: Consolidation
  /** One turn of the engine's own runs; answers how many it made. */
  readonly due: () => Promise<number>
}

export function createConsolidation(deps: ConsolidationDeps): ConsolidationParts {
  const { store } = deps
  const looks: Looks = new Map()
  return {
    verbs: {
      preview: (wallet, wish = {}) => analyse(deps, wallet, wish),
      request: (wallet, wish, actor, once) => request(deps, wallet, wish, actor, once),
      cancel: (id, actor) => cancel(deps, id, actor),
      get: (id) => store.read((tx) => tx.consolidations.consolidation(id)),
      list: (filter) => store.read((tx) => tx.consolidations.list(filter)),
    },
    due: () => consolidateDue(deps, looks),
  }
}

const cancel = (
  { store, spends }: ConsolidationDeps,
  id: ConsolidationId,
  actor: string,
): Promise<Result<ConsolidationRecord, CancelRefusal>> =>
  store.transact(async (tx): Promise<Result<ConsolidationRecord, CancelRefusal>> => {
    const run = await tx.consolidations.consolidation(id)
    if (!run)
      return refuse('CONSOLIDATION_NOT_FOUND', `no consolidation ${id}`, {
        param: 'consolidation',
        details: { consolidation: id },
      })
    if (run.status === 'cancelled') return ok(run)
    const dropped = await spends.drop(tx, run.spend, actor)
    if (!dropped?.ok)
      return refuse('CONSOLIDATION_STATE', `its transaction is with signers or nodes already`, {
        details: { consolidation: id, status: run.status, spend: run.spend },
      })
    const after = await tx.consolidations.consolidation(id)
    assert(after, 'a run is never deleted')
    return ok(after)
  })
