import { equalBytes } from '../chain/bytes.ts'
import type { SignatureChecker } from './checker.ts'
import type { ScriptError } from './errors.ts'
import { FLAG, type ScriptFlags } from './flags.ts'
import { evaluateScript } from './interpreter.ts'
import { isTrue } from './number.ts'
import { isPushOnly, isScriptHash, witnessProgramOf } from './reader.ts'
import { pushData } from './script.ts'
import { verifyWitnessProgram } from './witness.ts'

const NOTHING = new Uint8Array()

/** One input against the output that it spends. */
export interface ScriptSpend {
  /** The input's script. */
  readonly scriptSig: Uint8Array
  /** The script of the spent output. */
  readonly scriptPubKey: Uint8Array
  readonly witness: readonly Uint8Array[]
  readonly flags: ScriptFlags
  readonly checker: SignatureChecker
}

/** Runs a script before segwit and wants something true on top. */
function evaluateTrue(
  script: Uint8Array,
  stack: Uint8Array[],
  { flags, checker }: ScriptSpend,
): ScriptError | undefined {
  const fault = evaluateScript(script, stack, { flags, checker, version: 'base' })
  if (fault) return fault
  const top = stack[stack.length - 1]
  return top && isTrue(top) ? undefined : 'EVAL_FALSE'
}

/** What came of one script: whether it was a witness program, and how many elements count as left. */
interface Outcome {
  readonly error?: ScriptError | undefined
  readonly isWitness: boolean
  readonly left: number
}
/**
 * Goes on with the witness where `script` is a witness program. The input's script then has to be what leads to it and
 * nothing else, so that nobody can write it another way: empty, or behind a script hash one push.
 */
function continueWithWitness(
  script: Uint8Array,
  left: number,
  isWrapped: boolean,
  spend: ScriptSpend,
): Outcome {
  const target = spend.flags & FLAG.WITNESS ? witnessProgramOf(script) : undefined
  if (!target) return { isWitness: false, left }
  // The stack of a witness program counts as clean: its own script has seen to that.
  const judged = { isWitness: true, left: 1 }
  if (!equalBytes(spend.scriptSig, isWrapped ? pushData(script) : NOTHING)) {
    return { ...judged, error: isWrapped ? 'WITNESS_MALLEATED_P2SH' : 'WITNESS_MALLEATED' }
  }
  return { ...judged, error: verifyWitnessProgram(target, isWrapped, spend) }
}

function verifyScriptHash(spend: ScriptSpend, pushed: readonly Uint8Array[]): Outcome {
  const { scriptSig } = spend
  if (!isPushOnly(scriptSig)) return { error: 'SIG_PUSHONLY', isWitness: false, left: 0 }
  const stack = pushed.slice(0, -1)
  const redeemScript = pushed[pushed.length - 1] as Uint8Array
  const error = evaluateTrue(redeemScript, stack, spend)
  if (error) return { error, isWitness: false, left: 0 }
  return continueWithWitness(redeemScript, stack.length, true, spend)
}

/** Why an input may not spend an output; undefined when it may. Source: Core's VerifyScript. */
export function verifySpend(spend: ScriptSpend): ScriptError | undefined {
  const { scriptSig, scriptPubKey, flags, checker } = spend
  if (flags & FLAG.SIGPUSHONLY && !isPushOnly(scriptSig)) return 'SIG_PUSHONLY'
  const stack: Uint8Array[] = []
  const fault = evaluateScript(scriptSig, stack, { flags, checker, version: 'base' })
  if (fault) return fault
  const isWrapped = (flags & FLAG.P2SH) !== 0 && isScriptHash(scriptPubKey)
  const pushed = isWrapped ? [...stack] : []
  const refused = evaluateTrue(scriptPubKey, stack, spend)
  if (refused) return refused
  const outcome = isWrapped
    ? verifyScriptHash(spend, pushed)
    : continueWithWitness(scriptPubKey, stack.length, false, spend)
  if (outcome.error) return outcome.error
  if (flags & FLAG.CLEANSTACK && outcome.left !== 1) return 'CLEANSTACK'
  const isUnexpected = spend.witness.length > 0 && !outcome.isWitness
  return flags & FLAG.WITNESS && isUnexpected ? 'WITNESS_UNEXPECTED' : undefined
}
