import { assert } from '../../kernel/index.ts'
import { batchCurve } from '../keys/index.ts'
import { sortedMultisigScript } from '../multisig/index.ts'
import { hash160, p2pkhScript, p2shOf, p2trScript, p2wpkhScript, p2wshOf } from '../script/index.ts'
import type { PsbtOrigin } from './model.ts'
import { originsAt, type Place } from './place.ts'
import { byKey } from './sort.ts'

/** What an input or output of our wallet says about its script. */
export interface OwnFields {
  readonly redeemScript?: Uint8Array
  readonly witnessScript?: Uint8Array
  readonly tapInternalKey?: Uint8Array
  readonly origins: readonly PsbtOrigin[]
  readonly tapOrigins: readonly PsbtOrigin[]
}

const originKey = ({ publicKey }: PsbtOrigin): Uint8Array => publicKey

/** An output script of ours, and what is said about it. */
export interface Own {
  readonly script: Uint8Array
  readonly fields: OwnFields
}

function multisig(place: Place, origins: readonly PsbtOrigin[]): Own {
  const { kind, threshold } = place.descriptor
  const publicKeys = origins.map(({ publicKey }) => publicKey)
  const made = sortedMultisigScript({ threshold: threshold ?? 0, publicKeys })
  assert(made.ok, 'a registered multisig makes no script')
  const witnessScript = made.value
  const script = p2wshOf(witnessScript)
  const fields = { witnessScript, origins: byKey(origins, originKey), tapOrigins: [] }
  if (kind === 'wsh(sortedmulti)') return { script, fields }
  return { script: p2shOf(script), fields: { ...fields, redeemScript: script } }
}

function taproot(origin: PsbtOrigin): Own {
  const { publicKey } = origin
  const tapInternalKey = publicKey.length === 32 ? publicKey : publicKey.slice(1, 33)
  const [outputKey] = batchCurve.taprootKeys([tapInternalKey])
  assert(outputKey, 'an internal key without output key')
  const tapOrigins = [{ ...origin, publicKey: tapInternalKey, leafHashes: [] }]
  return { script: p2trScript(outputKey), fields: { origins: [], tapOrigins, tapInternalKey } }
}

/**
 * The script at a place of our wallet, with scripts and key origins for its signers.
 * @throws AssertionError for a descriptor without keys, and a place that it does not have.
 */
export function ownAt(place: Place): Own {
  const origins = originsAt(place)
  const [first] = origins
  const { kind } = place.descriptor
  assert(first, `a descriptor ${kind} has no keys that could sign`)
  const fields = { origins, tapOrigins: [] }
  const hash = hash160(first.publicKey)
  switch (kind) {
    case 'tr':
      return taproot(first)
    case 'pkh':
      return { script: p2pkhScript(hash), fields }
    case 'wpkh':
      return { script: p2wpkhScript(hash), fields }
    case 'sh(wpkh)': {
      const redeemScript = p2wpkhScript(hash)
      return { script: p2shOf(redeemScript), fields: { ...fields, redeemScript } }
    }
    default:
      return multisig(place, origins)
  }
}
