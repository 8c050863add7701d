import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes } from '../chain/bytes.ts'
import type { SignatureChecker } from './checker.ts'
import type { ScriptError } from './errors.ts'
import type { ScriptContext, TapscriptContext } from './execution.ts'
import { FLAG, type ScriptFlags } from './flags.ts'
import { evaluateScript, MAX_ELEMENT_SIZE, MAX_STACK_SIZE } from './interpreter.ts'
import { isTrue } from './number.ts'
import { isOpSuccess, OP } from './opcodes/names.ts'
import { ScriptReader, type WitnessProgram } from './reader.ts'
import { annexHashOf } from './sighash.ts'
import {
  ANNEX_TAG,
  commitsToLeaf,
  LEAF_TAPSCRIPT,
  parseControlBlock,
  tapLeafHash,
} from './taproot.ts'

const KEY_HASH_SIZE = 20
const SCRIPT_HASH_SIZE = 32
const TAPROOT_SIZE = 32
/** What a tapscript may spend on signatures besides the size of its witness. Source: BIP 342. */
const BUDGET_OFFSET = 50

/** A witness and the rules that it is judged by. */
export interface WitnessSpend {
  readonly witness: readonly Uint8Array[]
  readonly flags: ScriptFlags
  readonly checker: SignatureChecker
}

/** Runs a witness script; it has to leave exactly one element, and a true one. */
function execute(
  script: Uint8Array,
  initial: readonly Uint8Array[],
  context: ScriptContext,
): ScriptError | undefined {
  if (initial.some((element) => element.length > MAX_ELEMENT_SIZE)) return 'PUSH_SIZE'
  const stack = [...initial]
  const fault = evaluateScript(script, stack, context)
  if (fault) return fault
  const [top] = stack
  if (stack.length !== 1 || !top) return 'CLEANSTACK'
  return isTrue(top) ? undefined : 'EVAL_FALSE'
}

const keyHashScript = (hash: Uint8Array): Uint8Array =>
  Uint8Array.of(OP.DUP, OP.HASH160, KEY_HASH_SIZE, ...hash, OP.EQUALVERIFY, OP.CHECKSIG)

function verifyVersion0(program: Uint8Array, spend: WitnessSpend): ScriptError | undefined {
  const { witness, flags, checker } = spend
  const context = { flags, checker, version: 'witness_v0' } as const
  if (program.length === SCRIPT_HASH_SIZE) {
    const script = witness[witness.length - 1]
    if (!script) return 'WITNESS_PROGRAM_WITNESS_EMPTY'
    if (!equalBytes(sha256(script), program)) return 'WITNESS_PROGRAM_MISMATCH'
    return execute(script, witness.slice(0, -1), context)
  }
  if (program.length !== KEY_HASH_SIZE) return 'WITNESS_PROGRAM_WRONG_LENGTH'
  if (witness.length !== 2) return 'WITNESS_PROGRAM_MISMATCH'
  return execute(keyHashScript(program), witness, context)
}

const sizeOf = (length: number): number => (length < 0xfd ? 1 : length <= 0xffff ? 3 : 5)
const witnessSize = (witness: readonly Uint8Array[]): number =>
  witness.reduce((size, { length }) => size + sizeOf(length) + length, sizeOf(witness.length))

/** An opcode that is kept for later rules makes the whole script succeed, whatever else stands in it, before any limit. */
function findOpSuccess(script: Uint8Array): boolean | 'BAD_OPCODE' {
  const reader = new ScriptReader(script)
  while (reader.at < script.length) {
    if (!reader.next()) return 'BAD_OPCODE'
    if (isOpSuccess(reader.opcode)) return true
  }
  return false
}
function executeTapscript(
  script: Uint8Array,
  stack: readonly Uint8Array[],
  tapscript: TapscriptContext,
  { flags, checker }: WitnessSpend,
): ScriptError | undefined {
  const success = findOpSuccess(script)
  if (success === 'BAD_OPCODE') return success
  if (success) return flags & FLAG.DISCOURAGE_OP_SUCCESS ? 'DISCOURAGE_OP_SUCCESS' : undefined
  if (stack.length > MAX_STACK_SIZE) return 'STACK_SIZE'
  return execute(script, stack, { flags, checker, version: 'tapscript', tapscript })
}

function verifyTaproot(outputKey: Uint8Array, spend: WitnessSpend): ScriptError | undefined {
  const { witness, flags, checker } = spend
  if (!(flags & FLAG.TAPROOT)) return undefined
  const last = witness[witness.length - 1]
  if (!last) return 'WITNESS_PROGRAM_WITNESS_EMPTY'
  const isAnnexed = witness.length >= 2 && last[0] === ANNEX_TAG
  const annexHash = isAnnexed ? annexHashOf(last) : undefined
  const stack = isAnnexed ? witness.slice(0, -1) : witness
  const [signature] = stack
  if (stack.length === 1 && signature) {
    return checker.checkSchnorr(signature, outputKey, { annexHash })
  }
  const script = stack[stack.length - 2] as Uint8Array
  const block = parseControlBlock(stack[stack.length - 1] as Uint8Array)
  if (!block) return 'TAPROOT_WRONG_CONTROL_SIZE'
  const leafHash = tapLeafHash(script, block.leafVersion)
  if (!commitsToLeaf(outputKey, block, leafHash)) return 'WITNESS_PROGRAM_MISMATCH'
  if (block.leafVersion !== LEAF_TAPSCRIPT) {
    return flags & FLAG.DISCOURAGE_UPGRADABLE_TAPROOT_VERSION
      ? 'DISCOURAGE_UPGRADABLE_TAPROOT_VERSION'
      : undefined
  }
  const budget = witnessSize(witness) + BUDGET_OFFSET
  return executeTapscript(script, stack.slice(0, -2), { leafHash, annexHash, budget }, spend)
}

/** True for the program of a pay-to-anchor output, which anyone may spend. Source: Core 28. */
export const isAnchor = ({ version, program }: WitnessProgram): boolean =>
  version === 1 && program.length === 2 && program[0] === 0x4e && program[1] === 0x73

/** Judges the witness of an output's (or, wrapped, a redeem script's) witness program. Source: BIP 141, BIP 341. */
export function verifyWitnessProgram(
  target: WitnessProgram,
  isWrapped: boolean,
  spend: WitnessSpend,
): ScriptError | undefined {
  const { version, program } = target
  if (version === 0) return verifyVersion0(program, spend)
  if (!isWrapped && version === 1 && program.length === TAPROOT_SIZE) {
    return verifyTaproot(program, spend)
  }
  if (!isWrapped && isAnchor(target)) return undefined
  return spend.flags & FLAG.DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM
    ? 'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM'
    : undefined
}
