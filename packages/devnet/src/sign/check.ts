import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes, toHex } from '../chain/bytes.ts'
import type { TransactionOutput } from '../chain/transaction.ts'
import { classifyScript, hash160, isStrictSignature, parseScript } from '../script/script.ts'
import type { SignatureHasher } from '../script/sighash.ts'

/** Core's texts of script errors that a signer meets. */
export const SPEND_FAULT = {
  falseTop: 'Script evaluated without error but finished with a false/empty top stack element',
  stack: 'Operation not valid with the current stack size',
  nullFail: 'Signature must be zero for failed CHECK(MULTI)SIG operation',
  equalVerify: 'Script failed an OP_EQUALVERIFY operation',
  mismatch: 'Witness program hash mismatch',
  emptyWitness: 'Witness program was passed an empty witness',
  malleated: 'Witness requires empty scriptSig',
  malleatedP2sh: 'Witness requires only-redeemscript scriptSig',
  unexpected: 'Witness provided for non-witness script',
  der: 'Non-canonical DER signature',
  highS: 'Non-canonical signature: S value is unnecessarily high',
  hashType: 'Signature hash type missing or not understood',
  schnorr: 'Invalid Schnorr signature',
  schnorrSize: 'Invalid Schnorr signature size',
  schnorrType: 'Invalid Schnorr signature hash type',
  pushOnly: 'Only push operators allowed in signatures',
  clean: 'Stack size must be exactly one after execution',
  nullDummy: 'Dummy CHECKMULTISIG argument must be zero',
  unknown: 'unknown error',
} as const
type Digest = (type: number) => Uint8Array

const keyHashCode = (hash: Uint8Array): Uint8Array =>
  Uint8Array.of(0x76, 0xa9, 20, ...hash, 0x88, 0xac)

function isLowS(der: Uint8Array): boolean {
  try {
    return !secp256k1.Signature.fromBytes(der, 'der').hasHighS()
  } catch {
    // Numbers outside the group are no signature at all; the check itself then says so.
    return true
  }
}
/** Encoding faults of an ECDSA signature under Core's standard flags. An empty one is allowed. */
function encodingFault(signature: Uint8Array): string | undefined {
  if (signature.length === 0) return undefined
  if (!isStrictSignature(signature)) return SPEND_FAULT.der
  if (!isLowS(signature.subarray(0, -1))) return SPEND_FAULT.highS
  const type = (signature[signature.length - 1] ?? 0) & ~0x80
  return type < 1 || type > 3 ? SPEND_FAULT.hashType : undefined
}
/** One ECDSA signature with its hash type at the end. Never throws. */
export function ecdsaHolds(signature: Uint8Array, key: Uint8Array, digest: Digest): boolean {
  if (encodingFault(signature) || signature.length === 0) return false
  try {
    const type = signature[signature.length - 1] ?? 0
    const options = { prehash: false, format: 'der', lowS: true } as const
    return secp256k1.verify(signature.subarray(0, -1), digest(type), key, options)
  } catch {
    // A key or signature that is no point or number signs nothing.
    return false
  }
}
function checkSingle(signature: Uint8Array, key: Uint8Array, digest: Digest): string | undefined {
  const fault = encodingFault(signature)
  if (fault) return fault
  if (ecdsaHolds(signature, key, digest)) return undefined
  return signature.length > 0 ? SPEND_FAULT.nullFail : SPEND_FAULT.falseTop
}
/** Keys and threshold of a bare multisig script. */
export function multisigParts(script: Uint8Array): { least: number; keys: Uint8Array[] } {
  const pieces = parseScript(script) ?? []
  const keys = pieces.slice(1, -2).map((piece) => piece.data ?? new Uint8Array())
  return { least: (pieces[0]?.opcode ?? 0x50) - 0x50, keys }
}
function checkMulti(
  script: Uint8Array,
  stack: readonly Uint8Array[],
  digest: Digest,
): string | undefined {
  const { least, keys } = multisigParts(script)
  if (stack.length < least + 1) return SPEND_FAULT.stack
  if (stack.length > least + 1) return SPEND_FAULT.clean
  const [dummy, ...signatures] = stack
  let at = 0
  let holds = true
  for (const signature of signatures) {
    const fault = encodingFault(signature)
    if (fault) return fault
    while (at < keys.length && !ecdsaHolds(signature, keys[at] as Uint8Array, digest)) at += 1
    if (at >= keys.length) holds = false
    at += 1
  }
  if (!holds) {
    return signatures.some(({ length }) => length > 0) ? SPEND_FAULT.nullFail : SPEND_FAULT.falseTop
  }
  return dummy && dummy.length > 0 ? SPEND_FAULT.nullDummy : undefined
}
function checkBase(
  script: Uint8Array,
  stack: readonly Uint8Array[],
  digest: Digest,
): string | undefined {
  const form = classifyScript(script)
  if (form.kind === 'multisig') return checkMulti(script, stack, digest)
  const needed = form.kind === 'pubkey' ? 1 : form.kind === 'pubkeyhash' ? 2 : 0
  if (needed === 0) return SPEND_FAULT.unknown
  if (stack.length < needed) return SPEND_FAULT.stack
  const key = needed === 1 ? form.data : (stack[stack.length - 1] as Uint8Array)
  if (needed === 2 && !equalBytes(hash160(key), form.data)) return SPEND_FAULT.equalVerify
  const fault = checkSingle(stack[stack.length - needed] as Uint8Array, key, digest)
  return fault ?? (stack.length > needed ? SPEND_FAULT.clean : undefined)
}
interface Spend {
  readonly scriptSig: Uint8Array
  readonly stack: readonly Uint8Array[]
}
function checkWitness(
  hasher: SignatureHasher,
  index: number,
  program: Uint8Array,
  coin: TransactionOutput,
  stack: readonly Uint8Array[],
): string | undefined {
  const form = classifyScript(program)
  const segwit =
    (code: Uint8Array): Digest =>
    (type) =>
      hasher.segwit(index, code, coin.value, type)
  if (form.kind === 'witness_v0_keyhash') {
    if (stack.length !== 2) return SPEND_FAULT.mismatch
    const code = keyHashCode(form.data)
    return checkBase(code, stack, segwit(code))
  }
  if (form.kind === 'witness_v0_scripthash') {
    if (stack.length === 0) return SPEND_FAULT.emptyWitness
    const script = stack[stack.length - 1] as Uint8Array
    if (!equalBytes(sha256(script), form.data)) return SPEND_FAULT.mismatch
    return checkBase(script, stack.slice(0, -1), segwit(script))
  }
  return SPEND_FAULT.unknown
}
function checkTaproot(
  hasher: SignatureHasher,
  index: number,
  key: Uint8Array,
  stack: readonly Uint8Array[],
): string | undefined {
  if (stack.length === 0) return SPEND_FAULT.emptyWitness
  const [signature = new Uint8Array()] = stack
  if (stack.length > 1) return SPEND_FAULT.unknown
  if (signature.length !== 64 && signature.length !== 65) return SPEND_FAULT.schnorrSize
  const type = signature.length === 64 ? 0 : (signature[64] ?? 0)
  const digest = signature.length === 65 && type === 0 ? undefined : hasher.taproot(index, type)
  if (!digest) return SPEND_FAULT.schnorrType
  try {
    const holds = schnorr.verify(signature.subarray(0, 64), digest, key)
    return holds ? undefined : SPEND_FAULT.schnorr
  } catch {
    // An output key that is no point signs nothing.
    return SPEND_FAULT.schnorr
  }
}
/**
 * Whether this spend of `coin` holds, for the script forms that wallets make; Core's error text, or undefined when it does.
 * `hasher` must know all spent outputs when `coin` is taproot.
 */
export function checkSpend(
  hasher: SignatureHasher,
  index: number,
  coin: TransactionOutput,
  { scriptSig, stack }: Spend,
): string | undefined {
  const form = classifyScript(coin.script)
  if (form.version >= 0) {
    if (scriptSig.length > 0) return SPEND_FAULT.malleated
    if (form.kind === 'witness_v1_taproot') return checkTaproot(hasher, index, form.data, stack)
    return checkWitness(hasher, index, coin.script, coin, stack)
  }
  const pieces = parseScript(scriptSig)
  const items = pieces?.map(({ opcode, data }) => data ?? smallNumber(opcode))
  if (!items || items.includes(undefined)) return SPEND_FAULT.pushOnly
  const pushed = items as Uint8Array[]
  if (form.kind !== 'scripthash') {
    const fault = checkBase(coin.script, pushed, (type) => hasher.legacy(index, coin.script, type))
    return fault ?? (stack.length > 0 ? SPEND_FAULT.unexpected : undefined)
  }
  const redeem = pushed[pushed.length - 1]
  if (!redeem) return SPEND_FAULT.stack
  if (!equalBytes(hash160(redeem), form.data)) return SPEND_FAULT.falseTop
  if (classifyScript(redeem).version >= 0) {
    if (pushed.length !== 1) return SPEND_FAULT.malleatedP2sh
    return checkWitness(hasher, index, redeem, coin, stack)
  }
  const fault = checkBase(redeem, pushed.slice(0, -1), (type) => hasher.legacy(index, redeem, type))
  return fault ?? (stack.length > 0 ? SPEND_FAULT.unexpected : undefined)
}
const smallNumber = (opcode: number): Uint8Array | undefined =>
  opcode >= 0x51 && opcode <= 0x60 ? Uint8Array.of(opcode - 0x50) : undefined
/** Distinguishes outputs in maps. */
export const scriptKey = (script: Uint8Array): string => toHex(script)
