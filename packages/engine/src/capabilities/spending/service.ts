import type { PsbtId, Result, SpendId } from '../../kernel/index.ts'
import { type Automatic, bumpDue } from './automatic.ts'
import { type ChildRefusal, childOf } from './child.ts'
import type { CommittedSpend } from './commit.ts'
import type { SpendingOptions } from './options.ts'
import type { SpendFilter, SpendRecord, VersionFilter, VersionRecord } from './ports.ts'
import { recognise } from './recognise.ts'
import type { BumpWish } from './replace.ts'
import { bump, cancel, dropUnseen, type Replaced, type ReplaceRefusal } from './replacing.ts'
import type { SpendingTx } from './transaction.ts'

/** One spend with all its versions by number. */
export interface SpendView {
  readonly spend: SpendRecord
  readonly versions: readonly VersionRecord[]
}

/** Spends as people and capabilities deal with them. Money never moves here: signers sign, the broadcaster sends. */
export interface Spending<Tx extends SpendingTx> {
  /**
   * A new version that pays more, with every payment kept to the satoshi and at least one coin in common with all versions before.
   * Refused with the figures where the ceilings or the coins do not allow what the rules of replacement demand.
   */
  bump(id: SpendId, wish: BumpWish, actor: string): Promise<Result<Replaced, ReplaceRefusal>>
  /**
   * Gives a spend up: at once while nobody was asked to sign, else by a version that pays only ourselves and conflicts with all
   * others. That one has to be mined; until it is buried, the spend may still pay.
   */
  cancel(id: SpendId, actor: string): Promise<Result<Replaced, ReplaceRefusal>>
  /**
   * Gives a spend up in the caller's transaction, if nobody who can sign saw any version of it; undefined when somebody may have.
   * The caller holds the funds of the wallet.
   */
  drop(tx: Tx, id: SpendId, actor: string): Promise<Result<Replaced, ReplaceRefusal> | undefined>
  /** A spend of our own change that pays for its parent as well (CPFP). */
  childOf(id: SpendId, wish: BumpWish, actor: string): Promise<Result<CommittedSpend, ChildRefusal>>
  /** Considers every open spend whose time has come, by its deadline and budget. */
  bumpDue(): Promise<Automatic>
  /** Reads transactions that spend our coins and may be versions of ours under an id that only signers knew. */
  recognise(): Promise<number>
  get(id: SpendId): Promise<SpendView | undefined>
  version(id: PsbtId): Promise<VersionRecord | undefined>
  /** Newest first. */
  list(filter: SpendFilter): Promise<readonly SpendRecord[]>
  versions(filter: VersionFilter): Promise<readonly VersionRecord[]>
}

export function createSpending<Tx extends SpendingTx>(options: SpendingOptions<Tx>): Spending<Tx> {
  const { store } = options
  return {
    bump: (id, wish, actor) => bump(options, id, wish, actor),
    cancel: (id, actor) => cancel(options, id, actor),
    drop: (tx, id, actor) => dropUnseen(options, tx, id, actor),
    childOf: (id, wish, actor) => childOf(options, id, wish, actor),
    bumpDue: () => bumpDue(options),
    recognise: () => recognise(options),
    get: (id) =>
      store.read(async (tx) => {
        const spend = await tx.spending.spend(id)
        return spend && { spend, versions: await tx.spending.versionsOf([id]) }
      }),
    version: (id) => store.read((tx) => tx.spending.version(id)),
    list: (filter) => store.read((tx) => tx.spending.listSpends(filter)),
    versions: (filter) => store.read((tx) => tx.spending.listVersions(filter)),
  }
}
