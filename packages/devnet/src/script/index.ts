/**
 * Bitcoin's script language as Bitcoin Core 28 runs it, for use without a devnet: verify an input, run a script, compute
 * what a signature signs. Flags and errors have Core's names, and every error Core's sentence.
 *
 *     const verdict = verifyInput({ transaction, input: 0, spent, flags: STANDARD_FLAGS })
 *     if (!verdict.ok) console.log(verdict.error, verdict.message)
 */
export type { TransactionOutput } from '../chain/transaction.ts'
export { assembleScript } from './assemble.ts'
export { NO_TRANSACTION, type SignatureChecker } from './checker.ts'
export { type TweakedKey, tweakKey, verifyEcdsa, verifySchnorr } from './curve.ts'
export { type EcdsaNumbers, isLowS, isStrictSignature, parseLaxSignature } from './der.ts'
export { SCRIPT_ERRORS, type ScriptError, scriptErrorText } from './errors.ts'
export type { ScriptVersion, TapscriptContext } from './execution.ts'
export {
  ALL_FLAGS,
  CONSENSUS_FLAGS,
  FLAG_NAMES,
  flagsOf,
  formatFlags,
  NO_FLAGS,
  parseFlags,
  type ScriptFlag,
  type ScriptFlags,
  STANDARD_FLAGS,
  withFlags,
  withImplied,
  withoutFlags,
} from './flags.ts'
export { decodeScriptNumber, encodeScriptNumber } from './number.ts'
export { isOpSuccess, OP, opcodeName } from './opcodes/names.ts'
export {
  type InputToVerify,
  runScript,
  type ScriptResult,
  type ScriptRun,
  type ScriptVerdict,
  signatureHasher,
  verifyInput,
} from './raw.ts'
export { pushData, pushNumber, scriptToAsm } from './script.ts'
export { SIGHASH, type SignatureHasher, type TaprootContext } from './sighash.ts'
export { countSigops, redeemScriptOf, scriptHashSigops, witnessSigops } from './sigops.ts'
export { type ScriptSpend, verifySpend } from './spend.ts'
export {
  type ControlBlock,
  commitsToLeaf,
  encodeControlBlock,
  LEAF_TAPSCRIPT,
  parseControlBlock,
  tapBranchHash,
  tapLeafHash,
  taprootOutputKey,
} from './taproot.ts'
