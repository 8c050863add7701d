import { type Network, ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import {
  type ExtendedKey,
  type ExtendedKeyCode,
  fingerprintOf,
  keyNetworkOf,
  type KeyOrigin,
  parseExtendedPublicKey,
  parseKeyOrigin,
  refuseNetwork,
  type ScriptType,
} from '../keys/index.ts'
import type { Descriptor, DescriptorKind } from './descriptor.ts'

export interface XpubInput {
  /** xpub, ypub, zpub, tpub, upub or vpub. */
  readonly xpub: string
  /** Needed for xpub and tpub, which do not say which addresses they make. */
  readonly scriptType?: ScriptType
  /** `[d34db33f/84h/0h/0h]`, with or without brackets. */
  readonly origin?: string
  readonly network?: Network
  /** Take a key that is not at depth 3 although no origin explains it. */
  readonly anyDepth?: boolean
}
export type XpubCode =
  | ExtendedKeyCode
  | 'KEY_PRIVATE'
  | 'KEY_NETWORK'
  | 'KEY_MULTISIG'
  | 'KEY_SCRIPT_TYPE'
  | 'KEY_DEPTH'
  | 'KEY_ORIGIN'

const KINDS: Readonly<Record<ScriptType, DescriptorKind>> = {
  p2pkh: 'pkh',
  'p2sh-p2wpkh': 'sh(wpkh)',
  p2wpkh: 'wpkh',
  p2tr: 'tr',
}
const ACCOUNT_DEPTH = 3

/** Never guesses: the prefix decides, or the caller; both must agree. Source: SLIP 132. */
function scriptTypeOf(
  { version }: ExtendedKey,
  asked: ScriptType | undefined,
): Result<ScriptType, Refusal<'KEY_SCRIPT_TYPE' | 'KEY_MULTISIG'>> {
  const { prefix, multisig, scriptType } = version
  if (multisig) {
    return refuse(
      'KEY_MULTISIG',
      `${prefix} is one key of a multisig wallet (${multisig}); as a single key its addresses would not be the wallet's`,
      { param: 'xpub', details: { prefix, multisig } },
    )
  }
  if (asked !== undefined && scriptType !== undefined && asked !== scriptType) {
    return refuse(
      'KEY_SCRIPT_TYPE',
      `${prefix} makes ${scriptType} addresses, asked for was ${asked}`,
      {
        param: 'script_type',
        details: { prefix, implied: scriptType, asked },
      },
    )
  }
  const type = asked ?? scriptType
  if (type !== undefined) return ok(type)
  return refuse(
    'KEY_SCRIPT_TYPE',
    `${prefix} does not say which addresses it makes; name the script type: ${Object.keys(KINDS).join(', ')}`,
    { param: 'script_type', details: { prefix } },
  )
}

/** What the origin says about the key must be what the key says about itself. Source: BIP 32. */
function originFault(key: ExtendedKey, { fingerprint, path }: KeyOrigin): string | undefined {
  if (path.length !== key.depth) return `has ${path.length} steps, the key is at depth ${key.depth}`
  if (path.length === 0 && fingerprint !== fingerprintOf(key.publicKey)) {
    return 'names another master key than this one'
  }
  if (path.length > 0 && path.at(-1) !== key.index)
    return 'ends with another step than the key was made by'
  if (path.length === 1 && fingerprint !== key.parentFingerprint)
    return 'names another parent than the key does'
  return undefined
}

function checkPlace(
  key: ExtendedKey,
  { origin: text, anyDepth = false }: XpubInput,
): Result<KeyOrigin | undefined, Refusal<'KEY_ORIGIN' | 'KEY_DEPTH'>> {
  if (text !== undefined) {
    const origin = parseKeyOrigin(text)
    if (!origin.ok) return origin
    const fault = originFault(key, origin.value)
    return fault === undefined
      ? origin
      : refuse('KEY_ORIGIN', `the key origin ${fault}`, { param: 'origin' })
  }
  if (key.depth === ACCOUNT_DEPTH || anyDepth) return ok(undefined)
  return refuse(
    'KEY_DEPTH',
    `the key is at depth ${key.depth}; an account key is at depth 3 (purpose, coin, account). Give its origin, or say that any depth is meant`,
    { param: 'xpub', details: { depth: key.depth } },
  )
}

/**
 * The descriptor of a single-key account: receiving addresses on branch 0, change on branch 1. Refuses whatever
 * would make addresses that the owner's wallet does not look at. Source: BIP 44, 49, 84, 86, SLIP 132.
 */
export function descriptorFromXpub(input: XpubInput): Result<Descriptor, Refusal<XpubCode>> {
  const parsed = parseExtendedPublicKey(input.xpub.trim())
  if (!parsed.ok) return parsed
  const key = parsed.value
  const type = scriptTypeOf(key, input.scriptType)
  if (!type.ok) return type
  const { network } = key.version
  if (input.network !== undefined && keyNetworkOf(input.network) !== network) {
    return refuseNetwork(network, input.network)
  }
  const origin = checkPlace(key, input)
  if (!origin.ok) return origin
  return ok({
    kind: KINDS[type.value],
    keys: [
      {
        ...(origin.value ? { origin: origin.value } : {}),
        key: { type: 'extended', extended: key },
        path: [[0, 1]],
        wildcard: 'plain',
      },
    ],
    network,
    isRanged: true,
    branches: 2,
    hasPrivateKeys: false,
  })
}
