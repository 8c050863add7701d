import { assert } from '../../kernel/index.ts'
import { sortedMultisigScript } from '../multisig/index.ts'
import { hash160, p2wpkhScript, p2wshOf } from '../script/index.ts'
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

function multisigFields(place: Place, origins: readonly PsbtOrigin[]): Partial<OwnFields> {
  const { kind, threshold } = place.descriptor
  const publicKeys = origins.map(({ publicKey }) => publicKey)
  const script = sortedMultisigScript({ threshold: threshold ?? 0, publicKeys })
  assert(script.ok, 'a registered multisig makes no script')
  const witnessScript = script.value
  return kind === 'wsh(sortedmulti)'
    ? { witnessScript }
    : { witnessScript, redeemScript: p2wshOf(witnessScript) }
}

/**
 * The scripts and key origins of one script of ours.
 * @throws AssertionError for a descriptor without keys, and a place that it does not have.
 */
export function ownFields(place: Place): OwnFields {
  const origins = originsAt(place)
  const [first] = origins
  const { kind } = place.descriptor
  assert(first, `a descriptor ${kind} has no keys that could sign`)
  const fields = { origins: byKey(origins, ({ publicKey }) => publicKey), tapOrigins: [] }
  switch (kind) {
    case 'tr': {
      const x = first.publicKey.length === 32 ? first.publicKey : first.publicKey.slice(1, 33)
      const tapOrigins = [{ ...first, publicKey: x, leafHashes: [] }]
      return { origins: [], tapOrigins, tapInternalKey: x }
    }
    case 'sh(wpkh)':
      return { ...fields, redeemScript: p2wpkhScript(hash160(first.publicKey)) }
    case 'wsh(sortedmulti)':
    case 'sh(wsh(sortedmulti))':
      return { ...fields, ...multisigFields(place, origins) }
    default:
      return fields
  }
}
