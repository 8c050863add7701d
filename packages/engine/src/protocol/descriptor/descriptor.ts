import type { KeyNetwork } from '../keys/index.ts'
import type { KeyExpression } from './key.ts'

/** The functions that we read, written as they stand in a descriptor. */
export type DescriptorKind =
  | 'pkh'
  | 'wpkh'
  | 'sh(wpkh)'
  | 'tr'
  | 'wsh(sortedmulti)'
  | 'sh(wsh(sortedmulti))'
  | 'addr'
  | 'raw'

/** A parsed output descriptor. Immutable; derived nodes are cached beside it. Source: BIP 380 to 386, 389. */
export interface Descriptor {
  readonly kind: DescriptorKind
  /** One key, or the keys of a multisig in the order of the text; none for `addr` and `raw`. */
  readonly keys: readonly KeyExpression[]
  /** Signatures needed; only for multisig. */
  readonly threshold?: number
  /** The output script of `addr` and `raw`. */
  readonly fixedScript?: Uint8Array
  /** The text of `addr`. */
  readonly address?: string
  /** Undefined where neither a key nor an address says it. */
  readonly network?: KeyNetwork
  /** True when a wildcard makes it stand for 2^31 scripts. */
  readonly isRanged: boolean
  /** 1, or how many descriptors `<0;1>` stands for. */
  readonly branches: number
  /** A descriptor with private keys can be read and is refused wherever one is registered. */
  readonly hasPrivateKeys: boolean
}
