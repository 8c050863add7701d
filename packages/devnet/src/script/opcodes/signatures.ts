import { isLowS, isStrictSignature } from '../der.ts'
import type { ScriptError } from '../errors.ts'
import type { Execution, Operation, TapscriptContext } from '../execution.ts'
import { FLAG, type ScriptFlags } from '../flags.ts'
import { encodeScriptNumber, truth } from '../number.ts'
import { pushData } from '../script.ts'
import { findAndDelete } from '../scriptcode.ts'
import { OP } from './names.ts'

/** What each signature that is checked takes from a tapscript's budget. Source: BIP 342. */
const SIGNATURE_WEIGHT = 50
const STRICT = FLAG.DERSIG | FLAG.LOW_S | FLAG.STRICTENC

const isCompressed = (key: Uint8Array): boolean =>
  key.length === 33 && (key[0] === 2 || key[0] === 3)
const isUncompressed = (key: Uint8Array): boolean => key.length === 65 && key[0] === 4

function checkSignatureEncoding(
  signature: Uint8Array,
  flags: ScriptFlags,
): ScriptError | undefined {
  // Empty is the short way to say no, for opcodes that may fail.
  if (signature.length === 0) return undefined
  if (flags & STRICT && !isStrictSignature(signature)) return 'SIG_DER'
  if (flags & FLAG.LOW_S && !isLowS(signature.subarray(0, -1))) return 'SIG_HIGH_S'
  const base = (signature[signature.length - 1] as number) & ~0x80
  if (flags & FLAG.STRICTENC && (base < 1 || base > 3)) return 'SIG_HASHTYPE'
  return undefined
}
/** The checks of form that come before an ECDSA signature is verified. */
export function checkEncoding(
  { flags, version }: Execution,
  signature: Uint8Array,
  key: Uint8Array,
): ScriptError | undefined {
  const fault = checkSignatureEncoding(signature, flags)
  if (fault) return fault
  if (flags & FLAG.STRICTENC && !isCompressed(key) && !isUncompressed(key)) return 'PUBKEYTYPE'
  if (flags & FLAG.WITNESS_PUBKEYTYPE && version === 'witness_v0' && !isCompressed(key)) {
    return 'WITNESS_PUBKEYTYPE'
  }
  return undefined
}

/** The script that a signature signs, without the signature itself before segwit; or why that is not allowed. */
export function signedCode(
  run: Execution,
  scriptCode: Uint8Array,
  signature: Uint8Array,
): Uint8Array | 'SIG_FINDANDDELETE' {
  if (run.version !== 'base') return scriptCode
  const without = findAndDelete(scriptCode, pushData(signature))
  if (!without) return scriptCode
  return run.flags & FLAG.CONST_SCRIPTCODE ? 'SIG_FINDANDDELETE' : without
}

/** Whether a signature holds, or the error that ends the script. */
type Verdict = boolean | ScriptError

function checkEcdsa(run: Execution, signature: Uint8Array, key: Uint8Array): Verdict {
  const code = signedCode(run, run.scriptCode, signature)
  if (code === 'SIG_FINDANDDELETE') return code
  const fault = checkEncoding(run, signature, key)
  if (fault) return fault
  const version = run.version === 'base' ? 'base' : 'witness_v0'
  if (run.checker.checkEcdsa(signature, key, code, version)) return true
  return run.flags & FLAG.NULLFAIL && signature.length > 0 ? 'NULLFAIL' : false
}

// The order is consensus: the budget comes before the key, an unknown kind of key before its signature, and a signature
// that is there has to hold.
function checkTapscript(
  run: Execution,
  spend: TapscriptContext,
  signature: Uint8Array,
  key: Uint8Array,
): Verdict {
  const isSigned = signature.length > 0
  if (isSigned) {
    spend.budget -= SIGNATURE_WEIGHT
    if (spend.budget < 0) return 'TAPSCRIPT_VALIDATION_WEIGHT'
  }
  if (key.length === 0) return 'PUBKEYTYPE'
  if (key.length !== 32) {
    if (run.flags & FLAG.DISCOURAGE_UPGRADABLE_PUBKEYTYPE) return 'DISCOURAGE_UPGRADABLE_PUBKEYTYPE'
    return isSigned
  }
  if (!isSigned) return false
  const { annexHash, leafHash } = spend
  const context = { annexHash, leafHash, codeSeparator: run.codeSeparator }
  return run.checker.checkSchnorr(signature, key, context) ?? true
}
const check = (run: Execution, signature: Uint8Array, key: Uint8Array): Verdict =>
  run.tapscript
    ? checkTapscript(run, run.tapscript, signature, key)
    : checkEcdsa(run, signature, key)

export const checkSig: Operation = (run) => {
  if (run.stack.length < 2) return 'INVALID_STACK_OPERATION'
  const verdict = check(run, run.peek(2), run.peek(1))
  if (typeof verdict === 'string') return verdict
  run.drop(2)
  run.stack.push(truth(verdict))
  return undefined
}

const checkSigAdd: Operation = (run) => {
  if (!run.tapscript) return 'BAD_OPCODE'
  if (run.stack.length < 3) return 'INVALID_STACK_OPERATION'
  const count = run.number(2)
  if (count === undefined) return 'UNKNOWN_ERROR'
  const verdict = check(run, run.peek(3), run.peek(1))
  if (typeof verdict === 'string') return verdict
  run.drop(3)
  run.stack.push(encodeScriptNumber(count + (verdict ? 1 : 0)))
  return undefined
}

const separate: Operation = (run) => {
  run.separate()
  return undefined
}

/** Opcodes of single signatures. */
export const SIGNATURE_OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [OP.CODESEPARATOR, separate],
  [OP.CHECKSIG, checkSig],
  [OP.CHECKSIGADD, checkSigAdd],
])
