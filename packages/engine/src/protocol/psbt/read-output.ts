import type { TransactionOutput } from '../transaction/index.ts'
import { OUTPUT } from './fields.ts'
import { keptFault } from './kept.ts'
import type { PsbtOrigin, PsbtOutput, PsbtPair, PsbtVersion } from './model.ts'
import { keyData, type RawMap } from './pairs.ts'
import {
  AMOUNT_FAULT,
  type Fault,
  isEcdsaKey,
  isTapTree,
  readAmount,
  readOrigin,
  readTapOrigin,
} from './values.ts'

type Draft = { -readonly [K in keyof PsbtOutput]: PsbtOutput[K] } & {
  origins: PsbtOrigin[]
  tapOrigins: PsbtOrigin[]
  amount?: TransactionOutput['amount']
  script?: Uint8Array
}
/** Puts a value into the draft; a text says why it cannot be. `data` is the key behind the type. */
type Read = (draft: Draft, value: Uint8Array, data: Uint8Array) => Fault | undefined

const whole =
  (
    name: string,
    field: 'redeemScript' | 'witnessScript' | 'script' | 'tapInternalKey' | 'tapTree',
    isRight: (value: Uint8Array) => boolean = () => true,
  ): Read =>
  (draft, value, data) => {
    draft[field] = value
    return data.length === 0 && isRight(value) ? undefined : `has a bad ${name}`
  }

const FIELDS: Readonly<Record<number, Read>> = {
  [OUTPUT.REDEEM_SCRIPT]: whole('redeem script', 'redeemScript'),
  [OUTPUT.WITNESS_SCRIPT]: whole('witness script', 'witnessScript'),
  [OUTPUT.BIP32_DERIVATION]: (draft, value, publicKey) => {
    const origin = isEcdsaKey(publicKey) ? readOrigin(value) : undefined
    if (!origin) return 'has a bad key origin'
    draft.origins.push({ publicKey, ...origin })
    return undefined
  },
  [OUTPUT.AMOUNT]: (draft, value, data) => {
    if (data.length !== 0 || value.length !== 8) return 'has a bad amount'
    const amount = readAmount(value)
    if (amount === undefined) return AMOUNT_FAULT
    draft.amount = amount
    return undefined
  },
  [OUTPUT.SCRIPT]: whole('script', 'script'),
  [OUTPUT.TAP_INTERNAL_KEY]: whole('internal key', 'tapInternalKey', ({ length }) => length === 32),
  [OUTPUT.TAP_TREE]: whole('taproot tree', 'tapTree', isTapTree),
  [OUTPUT.TAP_BIP32_DERIVATION]: (draft, value, publicKey) => {
    const origin = publicKey.length === 32 ? readTapOrigin(value) : undefined
    if (!origin) return 'has a bad taproot key origin'
    draft.tapOrigins.push({ publicKey, ...origin })
    return undefined
  },
}

export interface ReadOutput {
  readonly output: PsbtOutput
  /** What stands in the map of version 2 instead of in the unsigned transaction. */
  readonly pays?: TransactionOutput
}

/** Reads the map of an output; a text says what is wrong with it. */
export function readOutputMap({ pairs, layout }: RawMap, version: PsbtVersion): ReadOutput | Fault {
  const draft: Draft = { origins: [], tapOrigins: [], kept: [], layout }
  const kept: PsbtPair[] = []
  for (const pair of pairs) {
    const { type, value } = pair
    const data = keyData(pair)
    if (version === 0 && (type === OUTPUT.AMOUNT || type === OUTPUT.SCRIPT)) {
      return 'has a field of version 2'
    }
    const read = FIELDS[type]
    const fault = read ? read(draft, value, data) : keptFault('output', type, data, value)
    if (fault !== undefined) return fault
    if (!read) kept.push(pair)
  }
  const { amount, script, ...fields } = draft
  const output: PsbtOutput = { ...fields, kept }
  if (version === 0) return { output }
  if (amount === undefined || script === undefined) return 'does not say what it pays to whom'
  return { output, pays: { amount, script } }
}
