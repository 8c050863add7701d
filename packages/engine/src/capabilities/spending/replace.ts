import type { Refusal, Sat, SatPerKvB } from '../../kernel/index.ts'
import type { FeeSpeed } from './fees.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'

/** What a bump should reach. Ceilings: those of the version before, unless higher ones are given by somebody who may. */
export interface BumpWish {
  readonly speed: FeeSpeed
  readonly maxFee?: Sat
  readonly maxRate?: SatPerKvB
}
export interface Replaced {
  readonly spend: SpendRecord
  /** The new version. Undefined when nobody had been asked to sign any: the spend was dropped and its coins are free. */
  readonly version?: VersionRecord
}
export type ReplaceRefusal = Refusal
