import { type OutPoint, type Txid, toReversedHex } from '../../kernel/index.ts'
import { isScriptSignature } from '../multisig/index.ts'
import { decodeTransaction } from '../transaction/index.ts'
import { FINAL_SEQUENCE, INPUT, LOCKTIME_THRESHOLD } from './fields.ts'
import { keptFault } from './kept.ts'
import type { PartialSignature, PsbtInput, PsbtOrigin, PsbtPair, PsbtVersion } from './model.ts'
import { keyData, type RawMap } from './pairs.ts'
import {
  type Fault,
  isEcdsaKey,
  readOrigin,
  readOutput,
  readStack,
  readTapOrigin,
  readUint32,
} from './values.ts'

type Draft = { -readonly [K in keyof PsbtInput]: PsbtInput[K] } & {
  signatures: PartialSignature[]
  origins: PsbtOrigin[]
  tapOrigins: PsbtOrigin[]
  txid?: Txid
  vout?: number
  sequence?: number
}
/** Puts a value into the draft; a text says why it cannot be. `data` is the key behind the type. */
type Read = (draft: Draft, value: Uint8Array, data: Uint8Array) => Fault | undefined

const isSchnorrLength = ({ length }: Uint8Array): boolean => length === 64 || length === 65

/** A field with nothing in its key behind the type. */
const only =
  (name: string, read: (draft: Draft, value: Uint8Array) => boolean): Read =>
  (draft, value, data) =>
    data.length === 0 && read(draft, value) ? undefined : `has a bad ${name}`

const whole =
  (name: string, field: 'redeemScript' | 'witnessScript' | 'finalScript'): Read =>
  (draft, value, data) => {
    draft[field] = value
    return data.length === 0 ? undefined : `has a bad ${name}`
  }

const hash32 = (name: string, field: 'tapInternalKey' | 'tapMerkleRoot'): Read =>
  only(name, (draft, value) => {
    draft[field] = value
    return value.length === 32
  })

const number =
  (
    name: string,
    field: 'sighash' | 'vout' | 'sequence' | 'requiredTime' | 'requiredHeight',
    isIn: (value: number) => boolean = () => true,
  ): Read =>
  (draft, value, data) => {
    const read = readUint32(value)
    if (data.length !== 0 || read === undefined || !isIn(read)) return `has a bad ${name}`
    draft[field] = read
    return undefined
  }

const FIELDS: Readonly<Record<number, Read>> = {
  [INPUT.NON_WITNESS_UTXO]: (draft, value, data) => {
    const previous = data.length === 0 ? decodeTransaction(value) : undefined
    if (!previous?.ok) return 'has a previous transaction that cannot be read'
    draft.previous = previous.value
    return undefined
  },
  [INPUT.WITNESS_UTXO]: (draft, value, data) => {
    if (data.length !== 0) return 'has a bad witness output'
    const output = readOutput(value)
    if (typeof output === 'string') return output
    draft.witnessUtxo = output
    return undefined
  },
  [INPUT.PARTIAL_SIG]: (draft, signature, publicKey) => {
    if (!isEcdsaKey(publicKey)) return 'has a signature of something that is no key'
    if (!isScriptSignature(signature)) return 'has a signature that is not strict DER'
    draft.signatures.push({ publicKey, signature })
    return undefined
  },
  [INPUT.SIGHASH_TYPE]: number('hash type', 'sighash'),
  [INPUT.REDEEM_SCRIPT]: whole('redeem script', 'redeemScript'),
  [INPUT.WITNESS_SCRIPT]: whole('witness script', 'witnessScript'),
  [INPUT.BIP32_DERIVATION]: (draft, value, publicKey) => {
    const origin = isEcdsaKey(publicKey) ? readOrigin(value) : undefined
    if (!origin) return 'has a bad key origin'
    draft.origins.push({ publicKey, ...origin })
    return undefined
  },
  [INPUT.FINAL_SCRIPTSIG]: whole('final script', 'finalScript'),
  [INPUT.FINAL_SCRIPTWITNESS]: only('final witness', (draft, value) => {
    const stack = readStack(value)
    if (stack) draft.finalWitness = stack
    return stack !== undefined
  }),
  [INPUT.PREVIOUS_TXID]: only('previous txid', (draft, value) => {
    draft.txid = toReversedHex(value) as Txid
    return value.length === 32
  }),
  [INPUT.OUTPUT_INDEX]: number('output index', 'vout'),
  [INPUT.SEQUENCE]: number('sequence', 'sequence'),
  [INPUT.REQUIRED_TIME]: number(
    'required time',
    'requiredTime',
    (time) => time >= LOCKTIME_THRESHOLD,
  ),
  [INPUT.REQUIRED_HEIGHT]: number(
    'required height',
    'requiredHeight',
    (height) => height > 0 && height < LOCKTIME_THRESHOLD,
  ),
  [INPUT.TAP_KEY_SIG]: only('taproot signature', (draft, value) => {
    draft.tapSignature = value
    return isSchnorrLength(value)
  }),
  [INPUT.TAP_BIP32_DERIVATION]: (draft, value, publicKey) => {
    const origin = publicKey.length === 32 ? readTapOrigin(value) : undefined
    if (!origin) return 'has a bad taproot key origin'
    draft.tapOrigins.push({ publicKey, ...origin })
    return undefined
  },
  [INPUT.TAP_INTERNAL_KEY]: hash32('internal key', 'tapInternalKey'),
  [INPUT.TAP_MERKLE_ROOT]: hash32('merkle root', 'tapMerkleRoot'),
}

/** Fields that only version 2 has: in version 0 the unsigned transaction says the same. */
const V2_ONLY: readonly number[] = [
  INPUT.PREVIOUS_TXID,
  INPUT.OUTPUT_INDEX,
  INPUT.SEQUENCE,
  INPUT.REQUIRED_TIME,
  INPUT.REQUIRED_HEIGHT,
]

export interface ReadInput {
  readonly input: PsbtInput
  /** What stands in the map of version 2 instead of in the unsigned transaction. */
  readonly spends?: OutPoint & { readonly sequence: number }
}

/** Reads the map of an input; a text says what is wrong with it. */
export function readInput({ pairs, layout }: RawMap, version: PsbtVersion): ReadInput | Fault {
  const draft: Draft = { signatures: [], origins: [], tapOrigins: [], kept: [], layout }
  const kept: PsbtPair[] = []
  for (const pair of pairs) {
    const { type, value } = pair
    const data = keyData(pair)
    const isNew = version === 0 && V2_ONLY.includes(type)
    if (isNew && data.length === 0) return 'has a field of version 2'
    // With more in its key it is none of version 2, and unknown to version 0.
    const read = isNew ? undefined : FIELDS[type]
    const fault = read ? read(draft, value, data) : keptFault('input', type, data, value)
    if (fault !== undefined) return fault
    if (!read) kept.push(pair)
  }
  const { txid, vout, sequence = FINAL_SEQUENCE, ...fields } = draft
  const input: PsbtInput = { ...fields, kept }
  if (version === 0) return { input }
  if (txid === undefined || vout === undefined) return 'does not say which output it spends'
  return { input, spends: { txid, vout, sequence } }
}
