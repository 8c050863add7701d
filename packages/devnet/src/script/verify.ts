import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { equalBytes } from '../chain/bytes.ts'
import type { Transaction, TransactionInput, TransactionOutput } from '../chain/transaction.ts'
import { classifyScript, hash160, isStrictSignature, parseScript } from './script.ts'
import { SignatureHasher } from './sighash.ts'

/** Which set of script flags decides: what relays (policy) or what may stand in a block (consensus). */
export type VerifyMode = 'policy' | 'consensus'
/** Core's text of the script error, or undefined when the input is authorised. */
export type ScriptFault = string | undefined

const FALSE_TOP = 'Script evaluated without error but finished with a false/empty top stack element'
const EQUALVERIFY = 'Script failed an OP_EQUALVERIFY operation'
const PROGRAM_MISMATCH = 'Witness program hash mismatch'
const STACK_SIZE = 'Operation not valid with the current stack size'
const unsupported = (what: string): ScriptFault => `devnet does not run this script: ${what}`

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n

/** `r` and `s` of a strict DER signature as 64 bytes; undefined when one does not fit 256 bits. */
function compactSignature(signature: Uint8Array): Uint8Array | undefined {
  const rSize = signature[3] ?? 0
  const sSize = signature[5 + rSize] ?? 0
  const compact = new Uint8Array(64)
  const place = (from: number, size: number, end: number): boolean => {
    let part = signature.subarray(from, from + size)
    while (part.length > 32 && part[0] === 0) part = part.subarray(1)
    if (part.length > 32) return false
    compact.set(part, end - part.length)
    return true
  }
  return place(4, rSize, 32) && place(6 + rSize, sSize, 64) ? compact : undefined
}
function isHighS(compact: Uint8Array): boolean {
  let s = 0n
  for (let i = 32; i < 64; i++) s = (s << 8n) | BigInt(compact[i] ?? 0)
  return s > HALF_ORDER
}
function ecdsaHolds(compact: Uint8Array, digest: Uint8Array, key: Uint8Array): boolean {
  try {
    return secp256k1.verify(compact, digest, key, { prehash: false, lowS: false })
  } catch {
    return false
  }
}

/** One OP_CHECKSIG outside tapscript, with the checks of the given mode. */
function checkSignature(
  signature: Uint8Array,
  key: Uint8Array,
  digest: (type: number) => Uint8Array,
  mode: VerifyMode,
  segwit: boolean,
): ScriptFault {
  if (signature.length === 0) return FALSE_TOP
  if (!isStrictSignature(signature)) return 'Non-canonical DER signature'
  const type = signature[signature.length - 1] ?? 0
  const compact = compactSignature(signature)
  if (mode === 'policy') {
    if (compact && isHighS(compact)) {
      return 'Non-canonical signature: S value is unnecessarily high'
    }
    const base = type & ~0x80
    if (base < 1 || base > 3) return 'Signature hash type missing or not understood'
    const compressed = key.length === 33 && (key[0] === 2 || key[0] === 3)
    if (!compressed && !(key.length === 65 && key[0] === 4)) {
      return 'Public key is neither compressed or uncompressed'
    }
    if (segwit && !compressed) return 'Using non-compressed keys in segwit'
  }
  if (compact && ecdsaHolds(compact, digest(type), key)) return undefined
  if (mode === 'consensus') return FALSE_TOP
  return 'Signature must be zero for failed CHECK(MULTI)SIG operation'
}

const keyHashScript = (hash: Uint8Array): Uint8Array =>
  Uint8Array.of(0x76, 0xa9, 20, ...hash, 0x88, 0xac)

interface InputCase {
  readonly hasher: SignatureHasher
  readonly index: number
  readonly input: TransactionInput
  readonly coin: TransactionOutput
  readonly mode: VerifyMode
}
function checkKeyHashWitness(at: InputCase, program: Uint8Array): ScriptFault {
  const [signature, key, ...more] = at.input.witness
  if (!signature || !key || more.length > 0) return PROGRAM_MISMATCH
  if (!equalBytes(hash160(key), program)) return EQUALVERIFY
  const code = keyHashScript(program)
  const digest = (type: number) => at.hasher.segwit(at.index, code, at.coin.value, type)
  return checkSignature(signature, key, digest, at.mode, true)
}
function checkTaproot(at: InputCase, program: Uint8Array): ScriptFault {
  let stack = at.input.witness
  if (stack.length === 0) return 'Witness program was passed an empty witness'
  const last = stack[stack.length - 1]
  const annex = stack.length >= 2 && last?.[0] === 0x50 ? last : undefined
  if (annex) stack = stack.slice(0, -1)
  const [signature, ...more] = stack
  if (!signature || more.length > 0) return unsupported('taproot script path')
  if (signature.length !== 64 && signature.length !== 65) return 'Invalid Schnorr signature size'
  const type = signature.length === 64 ? 0 : (signature[64] ?? 0)
  const badType = signature.length === 65 && type === 0
  const digest = badType ? undefined : at.hasher.taproot(at.index, type, annex)
  if (!digest) return 'Invalid Schnorr signature hash type'
  let holds = false
  try {
    holds = schnorr.verify(signature.subarray(0, 64), digest, program)
  } catch {
    holds = false
  }
  return holds ? undefined : 'Invalid Schnorr signature'
}
function checkLegacy(at: InputCase, form: ReturnType<typeof classifyScript>): ScriptFault {
  const pieces = parseScript(at.input.script)
  const stack = pieces?.map((piece) => piece.data)
  if (!stack || stack.some((data) => data === undefined)) return unsupported('scriptSig')
  const needed = form.kind === 'pubkey' ? 1 : 2
  if (stack.length < needed) return STACK_SIZE
  const key = form.kind === 'pubkey' ? form.data : stack[stack.length - 1]
  const signature = stack[stack.length - needed]
  if (!key || !signature) return STACK_SIZE
  if (form.kind === 'pubkeyhash' && !equalBytes(hash160(key), form.data)) return EQUALVERIFY
  const digest = (type: number) => at.hasher.legacy(at.index, at.coin.script, type)
  const fault = checkSignature(signature, key, digest, at.mode, false)
  if (fault) return fault
  if (at.mode === 'policy' && stack.length > needed) {
    return 'Stack size must be exactly one after execution'
  }
  return at.input.witness.length > 0 ? 'Witness provided for non-witness script' : undefined
}
function checkScriptHash(at: InputCase, hash: Uint8Array): ScriptFault {
  const pieces = parseScript(at.input.script)
  const redeem = pieces?.[pieces.length - 1]?.data
  if (!redeem || !equalBytes(hash160(redeem), hash)) return FALSE_TOP
  const inner = classifyScript(redeem)
  if (inner.kind !== 'witness_v0_keyhash') return unsupported(`p2sh of ${inner.kind}`)
  if (pieces.length !== 1) return 'Witness requires only-redeemscript scriptSig'
  return checkKeyHashWitness(at, inner.data)
}
function checkInput(at: InputCase): ScriptFault {
  const form = classifyScript(at.coin.script)
  const bare = at.input.script.length === 0
  switch (form.kind) {
    case 'witness_v0_keyhash':
      return bare ? checkKeyHashWitness(at, form.data) : 'Witness requires empty scriptSig'
    case 'witness_v1_taproot':
      return bare ? checkTaproot(at, form.data) : 'Witness requires empty scriptSig'
    case 'pubkey':
    case 'pubkeyhash':
      return checkLegacy(at, form)
    case 'scripthash':
      return checkScriptHash(at, form.data)
    default:
      return unsupported(form.kind)
  }
}

// A wtxid commits to the signatures and, through the spent txids, to the spent scripts and amounts: what held once
// holds in every devnet of this process. Bounded, because a simulation makes millions.
const held: Record<VerifyMode, Set<string>> = { policy: new Set(), consensus: new Set() }
const HELD_LIMIT = 50_000

/** Checks every input's signature. `spent` are the spent outputs in input order. */
export function verifyScripts(
  transaction: Transaction,
  spent: readonly TransactionOutput[],
  mode: VerifyMode,
): ScriptFault {
  const { wtxid } = transaction
  if (held.policy.has(wtxid) || held[mode].has(wtxid)) return undefined
  const hasher = new SignatureHasher(transaction, spent)
  for (let index = 0; index < transaction.inputs.length; index++) {
    const input = transaction.inputs[index] as TransactionInput
    const coin = spent[index] as TransactionOutput
    const fault = checkInput({ hasher, index, input, coin, mode })
    if (fault) return fault
  }
  if (held[mode].size >= HELD_LIMIT) held[mode].clear()
  held[mode].add(wtxid)
  return undefined
}
