import { ok } from '../../kernel/index.ts'
import { joinBytes } from '../script/index.ts'
import { decodeTransaction, OUTSIDE_MONEY, type Transaction } from '../transaction/index.ts'
import { GLOBAL } from './fields.ts'
import { keptFault } from './kept.ts'
import type { PsbtPair, PsbtVersion, PsbtXpub } from './model.ts'
import { keyData, type RawMap } from './pairs.ts'
import { AMOUNT_FAULT, type Fault, readCount, readOrigin, readUint32 } from './values.ts'

/** The first map, before those of inputs and outputs are known. */
export interface Globals {
  readonly version: PsbtVersion
  readonly unsigned?: Transaction
  readonly transactionVersion?: number
  readonly inputCount: number
  readonly outputCount: number
  readonly fallbackLockTime?: number
  readonly modifiable?: number
  readonly xpubs: readonly PsbtXpub[]
  readonly kept: readonly PsbtPair[]
}
type Draft = { -readonly [K in keyof Globals]?: Globals[K] } & {
  xpubs: PsbtXpub[]
  kept: PsbtPair[]
  fileVersion?: number
}
/** Puts a value into the draft; a text says why it cannot be. `data` is the key behind the type. */
type Read = (draft: Draft, value: Uint8Array, data: Uint8Array) => Fault | undefined

const EXTENDED_KEY = 78
const DEPTH = 4
export const UNKNOWN_VERSION: Fault = 'has a version that is not read here'

const number =
  (
    name: string,
    field: 'transactionVersion' | 'fallbackLockTime' | 'inputCount' | 'outputCount' | 'fileVersion',
    read: (value: Uint8Array) => number | undefined,
  ): Read =>
  (draft, value, data) => {
    const result = data.length === 0 ? read(value) : undefined
    if (result === undefined) return `has a bad ${name}`
    draft[field] = result
    return undefined
  }

/**
 * Without inputs, the empty list and the marker of BIP 144 look alike; an unsigned transaction has no marker. So one input is put
 * in for the reading.
 */
function decodeUnsigned(bytes: Uint8Array): ReturnType<typeof decodeTransaction> {
  if (bytes[4] !== 0) return decodeTransaction(bytes)
  const one = new Uint8Array(42)
  one[0] = 1
  const decoded = decodeTransaction(joinBytes(bytes.subarray(0, 4), one, bytes.subarray(5)))
  return decoded.ok ? ok({ ...decoded.value, inputs: [] }) : decoded
}

function readUnsigned(draft: Draft, value: Uint8Array, data: Uint8Array): Fault | undefined {
  if (data.length !== 0) return 'has a bad unsigned transaction'
  const decoded = decodeUnsigned(value)
  if (!decoded.ok) {
    const isAmount = decoded.error.details['fault'] === OUTSIDE_MONEY
    return isAmount ? AMOUNT_FAULT : 'has an unsigned transaction that cannot be read'
  }
  const { inputs } = decoded.value
  if (inputs.some(({ script, witness }) => script.length > 0 || witness.length > 0)) {
    return 'has an unsigned transaction that is signed'
  }
  draft.unsigned = decoded.value
  return undefined
}

const FIELDS: Readonly<Record<number, Read>> = {
  [GLOBAL.UNSIGNED_TX]: readUnsigned,
  [GLOBAL.XPUB]: (draft, value, extendedKey) => {
    const origin = extendedKey.length === EXTENDED_KEY ? readOrigin(value) : undefined
    if (!origin || origin.path.length !== extendedKey[DEPTH]) return 'has a bad extended key'
    draft.xpubs.push({ extendedKey, ...origin })
    return undefined
  },
  [GLOBAL.TX_VERSION]: number('transaction version', 'transactionVersion', readUint32),
  [GLOBAL.FALLBACK_LOCKTIME]: number('lock time', 'fallbackLockTime', readUint32),
  [GLOBAL.INPUT_COUNT]: number('count of inputs', 'inputCount', readCount),
  [GLOBAL.OUTPUT_COUNT]: number('count of outputs', 'outputCount', readCount),
  [GLOBAL.TX_MODIFIABLE]: (draft, value, data) => {
    const [flags] = value
    if (data.length !== 0 || value.length !== 1 || flags === undefined) return 'has bad flags'
    draft.modifiable = flags
    return undefined
  },
  [GLOBAL.VERSION]: number('version', 'fileVersion', readUint32),
}

/** Reads the first map; a text says what is wrong with it. */
export function readGlobals({ pairs, layout }: RawMap): Globals | Fault {
  const draft: Draft = { xpubs: [], kept: [] }
  for (const pair of pairs) {
    const { type, value } = pair
    const data = keyData(pair)
    const read = FIELDS[type]
    const fault = read ? read(draft, value, data) : keptFault('global', type, data, value)
    if (fault !== undefined) return fault
    if (!read) draft.kept.push(pair)
  }
  const { fileVersion = 0, ...fields } = draft
  if (fileVersion !== 0 && fileVersion !== 2) return UNKNOWN_VERSION
  return fileVersion === 0 ? versionZero(fields, layout) : versionTwo(fields)
}

type Fields = Omit<Draft, 'fileVersion'>

function versionZero(fields: Fields, layout: readonly number[]): Globals | Fault {
  const { unsigned } = fields
  if (!unsigned) return 'has no unsigned transaction'
  if (layout.some((type) => type >= GLOBAL.TX_VERSION && type <= GLOBAL.TX_MODIFIABLE)) {
    return 'has a field of version 2'
  }
  const { inputs, outputs } = unsigned
  return { ...fields, version: 0, inputCount: inputs.length, outputCount: outputs.length }
}

function versionTwo(fields: Fields): Globals | Fault {
  const { transactionVersion, inputCount, outputCount } = fields
  if (fields.unsigned) return 'has a field of version 0'
  if (transactionVersion === undefined) return 'has no transaction version'
  if (inputCount === undefined || outputCount === undefined) {
    return 'does not say how many inputs and outputs it has'
  }
  return { ...fields, version: 2, inputCount, outputCount }
}
