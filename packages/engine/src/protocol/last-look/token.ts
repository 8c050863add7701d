import type { Sat, Txid, Weight, Wtxid } from '../../kernel/index.ts'

/** Proof that the last look was taken at exactly these bytes. Only `lastLook` makes one; the broadcaster takes nothing else. */
export interface LookToken {
  readonly txid: Txid
  readonly wtxid: Wtxid
  /** A fresh copy at each reading: what was looked at cannot be changed afterwards. */
  readonly bytes: Uint8Array
  readonly fee: Sat
  readonly weight: Weight
}
