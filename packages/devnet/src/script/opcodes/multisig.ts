import type { ScriptError } from '../errors.ts'
import type { Execution, Operation } from '../execution.ts'
import { FLAG } from '../flags.ts'
import { truth } from '../number.ts'
import { checkEncoding, signedCode } from './signatures.ts'

export const MAX_KEYS_PER_MULTISIG = 20
/** Opcodes of one script, keys of its multisigs included. */
export const MAX_OPERATIONS = 201

/** Where the arguments of a multisig stand, as depths of the stack. */
interface Arguments {
  readonly firstKey: number
  readonly keys: number
  readonly firstSignature: number
  readonly signatures: number
}
function readArguments(run: Execution): Arguments | ScriptError {
  const { stack } = run
  if (stack.length < 1) return 'INVALID_STACK_OPERATION'
  const keys = run.number(1)
  if (keys === undefined) return 'UNKNOWN_ERROR'
  if (keys < 0 || keys > MAX_KEYS_PER_MULTISIG) return 'PUBKEY_COUNT'
  run.operations += keys
  if (run.operations > MAX_OPERATIONS) return 'OP_COUNT'
  if (stack.length < keys + 2) return 'INVALID_STACK_OPERATION'
  const signatures = run.number(keys + 2)
  if (signatures === undefined) return 'UNKNOWN_ERROR'
  if (signatures < 0 || signatures > keys) return 'SIG_COUNT'
  if (stack.length < keys + signatures + 3) return 'INVALID_STACK_OPERATION'
  return { firstKey: 2, keys, firstSignature: keys + 3, signatures }
}

/** Signatures stand in the order of their keys: each key is tried once, for the signature that is next. */
function signaturesHold(run: Execution, args: Arguments): boolean | ScriptError {
  let code = run.scriptCode
  for (let i = 0; i < args.signatures; i++) {
    const without = signedCode(run, code, run.peek(args.firstSignature + i))
    if (without === 'SIG_FINDANDDELETE') return without
    code = without
  }
  const version = run.version === 'base' ? 'base' : 'witness_v0'
  let signatures = 0
  for (let keys = 0; signatures < args.signatures; keys++) {
    // With more signatures than keys left the rest is not looked at, malformed or not.
    if (args.signatures - signatures > args.keys - keys) return false
    const signature = run.peek(args.firstSignature + signatures)
    const key = run.peek(args.firstKey + keys)
    const fault = checkEncoding(run, signature, key)
    if (fault) return fault
    if (run.checker.checkEcdsa(signature, key, code, version)) signatures += 1
  }
  return true
}

/** `dummy sig... m key... n -- bool`; takes one element too many, as it always did. */
export const checkMultisig: Operation = (run) => {
  if (run.version === 'tapscript') return 'TAPSCRIPT_CHECKMULTISIG'
  const args = readArguments(run)
  if (typeof args === 'string') return args
  const isHeld = signaturesHold(run, args)
  if (typeof isHeld === 'string') return isHeld
  if (!isHeld && run.flags & FLAG.NULLFAIL) {
    for (let i = 0; i < args.signatures; i++) {
      if (run.peek(args.firstSignature + i).length > 0) return 'NULLFAIL'
    }
  }
  run.drop(args.keys + args.signatures + 2)
  if (run.stack.length < 1) return 'INVALID_STACK_OPERATION'
  if (run.flags & FLAG.NULLDUMMY && run.peek(1).length > 0) return 'SIG_NULLDUMMY'
  run.drop(1)
  run.stack.push(truth(isHeld))
  return undefined
}
