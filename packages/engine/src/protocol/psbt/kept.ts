import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes } from '../../kernel/index.ts'
import { hash160 } from '../script/index.ts'
import { compactSize, compactSizeLength, doubleSha256 } from '../transaction/index.ts'
import { INPUT, OUTPUT, PROPRIETARY } from './fields.ts'
import { areCompressedKeys, type Fault } from './values.ts'

type Check = (data: Uint8Array, value: Uint8Array) => boolean

const preimageOf =
  (hash: (bytes: Uint8Array) => Uint8Array): Check =>
  (data, value) =>
    equalBytes(data, hash(value))

const isSchnorr = (value: Uint8Array): boolean => value.length === 64 || value.length === 65

/** 33 bytes and 32 for each step, at most 128 of them. Source: BIP 341. */
const isControlBlock = (data: Uint8Array): boolean =>
  data.length >= 33 && data.length <= 33 + 32 * 128 && data.length % 32 === 1

/** Participant, aggregate key and, in a leaf, its hash. Source: BIP 373. */
const isMusigKey = (data: Uint8Array): boolean =>
  (data.length === 66 || data.length === 98) && areCompressedKeys(data.subarray(0, 66))

const isParticipants: Check = (data, value) =>
  data.length === 33 && areCompressedKeys(data) && areCompressedKeys(value)

const INPUT_CHECKS: Readonly<Record<number, Check>> = {
  [INPUT.RIPEMD160]: preimageOf(ripemd160),
  [INPUT.SHA256]: preimageOf(sha256),
  [INPUT.HASH160]: preimageOf(hash160),
  [INPUT.HASH256]: preimageOf(doubleSha256),
  [INPUT.TAP_SCRIPT_SIG]: (data, value) => data.length === 64 && isSchnorr(value),
  [INPUT.TAP_LEAF_SCRIPT]: (data, value) =>
    isControlBlock(data) && ((data[0] ?? 0) & 0xfe) === value.at(-1),
  [INPUT.MUSIG2_PARTICIPANTS]: isParticipants,
  [INPUT.MUSIG2_NONCE]: (data, value) =>
    isMusigKey(data) && areCompressedKeys(value) && value.length === 66,
  [INPUT.MUSIG2_PARTIAL_SIG]: (data, value) => isMusigKey(data) && value.length === 32,
}
const OUTPUT_CHECKS: Readonly<Record<number, Check>> = {
  [OUTPUT.MUSIG2_PARTICIPANTS]: isParticipants,
}

/** An identifier of its own length, and a type. */
function isProprietary(data: Uint8Array): boolean {
  const length = compactSize(data, 0)
  if (length < 0) return false
  const at = compactSizeLength(length) + length
  return at <= data.length && compactSize(data, at) >= 0
}

/** What is wrong with a pair that is kept and not read; unknown ones are always right. */
export function keptFault(
  map: 'global' | 'input' | 'output',
  type: number,
  data: Uint8Array,
  value: Uint8Array,
): Fault | undefined {
  if (type === PROPRIETARY) {
    return isProprietary(data) ? undefined : 'has a proprietary field without identifier or type'
  }
  const checks = map === 'input' ? INPUT_CHECKS : map === 'output' ? OUTPUT_CHECKS : {}
  const check = checks[type]
  return check === undefined || check(data, value) ? undefined : `has a bad field ${type}`
}
