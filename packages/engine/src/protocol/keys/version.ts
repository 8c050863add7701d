import type { Network } from '../../kernel/index.ts'

/** Extended keys know only two families of networks: main, and all others. */
export type KeyNetwork = 'main' | 'test'
/** Single-key address types; the names that the API uses for `script_type`. */
export type ScriptType = 'p2pkh' | 'p2sh-p2wpkh' | 'p2wpkh' | 'p2tr'
export const SCRIPT_TYPES: readonly ScriptType[] = ['p2pkh', 'p2sh-p2wpkh', 'p2wpkh', 'p2tr']

export interface KeyVersion {
  /** The first four letters of the text: xpub, zprv, ... */
  readonly prefix: string
  readonly bytes: number
  readonly network: KeyNetwork
  readonly isPrivate: boolean
  /** What the prefix implies; plain x and t prefixes imply nothing. */
  readonly scriptType?: ScriptType
  /** Multisig prefixes: the script type that they belong to, never a single key. */
  readonly multisig?: 'p2sh-p2wsh' | 'p2wsh'
}
type Use = Pick<KeyVersion, 'scriptType' | 'multisig'>

const pair = (
  letter: string,
  network: KeyNetwork,
  pub: number,
  prv: number,
  use: Use = {},
): KeyVersion[] => [
  { prefix: `${letter}pub`, bytes: pub, network, isPrivate: false, ...use },
  { prefix: `${letter}prv`, bytes: prv, network, isPrivate: true, ...use },
]

/** Source: BIP 32 (x, t) and SLIP 132 (the others). */
export const KEY_VERSIONS: readonly KeyVersion[] = [
  ...pair('x', 'main', 0x0488b21e, 0x0488ade4),
  ...pair('t', 'test', 0x043587cf, 0x04358394),
  ...pair('y', 'main', 0x049d7cb2, 0x049d7878, { scriptType: 'p2sh-p2wpkh' }),
  ...pair('z', 'main', 0x04b24746, 0x04b2430c, { scriptType: 'p2wpkh' }),
  ...pair('u', 'test', 0x044a5262, 0x044a4e28, { scriptType: 'p2sh-p2wpkh' }),
  ...pair('v', 'test', 0x045f1cf6, 0x045f18bc, { scriptType: 'p2wpkh' }),
  ...pair('Y', 'main', 0x0295b43f, 0x0295b005, { multisig: 'p2sh-p2wsh' }),
  ...pair('Z', 'main', 0x02aa7ed3, 0x02aa7a99, { multisig: 'p2wsh' }),
  ...pair('U', 'test', 0x024289ef, 0x024285b5, { multisig: 'p2sh-p2wsh' }),
  ...pair('V', 'test', 0x02575483, 0x02575048, { multisig: 'p2wsh' }),
]

const BY_BYTES = new Map(KEY_VERSIONS.map((version) => [version.bytes, version]))
export const keyVersionOf = (bytes: number): KeyVersion | undefined => BY_BYTES.get(bytes)

/** The public version beside a private one: zprv gives zpub. */
export const publicVersionOf = (version: KeyVersion): KeyVersion =>
  KEY_VERSIONS.find((v) => !v.isPrivate && v.prefix[0] === version.prefix[0]) ?? version

/** The plain version (x or t) that descriptors carry. */
export function plainVersion(network: KeyNetwork, isPrivate: boolean): KeyVersion {
  const plain = KEY_VERSIONS.find((v) => v.network === network && v.isPrivate === isPrivate)
  return plain as KeyVersion
}

export const keyNetworkOf = (network: Network): KeyNetwork => (network === 'main' ? 'main' : 'test')

/** Purpose of the first path step and the addresses it stands for. Source: BIP 43, 44, 49, 84, 86. */
export const PURPOSES: Readonly<Record<ScriptType, number>> = {
  p2pkh: 44,
  'p2sh-p2wpkh': 49,
  p2wpkh: 84,
  p2tr: 86,
}
