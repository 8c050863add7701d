import type { ScriptError } from './errors.ts'
import { Execution, type ScriptContext } from './execution.ts'
import { FLAG } from './flags.ts'
import { MAX_OPERATIONS } from './opcodes/multisig.ts'
import { OP } from './opcodes/names.ts'
import { isDisabled, OPERATIONS } from './opcodes/table.ts'
import { isMinimalPush } from './reader.ts'

/** Bytes of a script before tapscript. */
export const MAX_SCRIPT_SIZE = 10_000
/** Bytes of one element. */
export const MAX_ELEMENT_SIZE = 520
/** Elements on both stacks together. */
export const MAX_STACK_SIZE = 1_000

/** Reads one opcode and does what it says. */
function step(run: Execution): ScriptError | undefined {
  const { reader, flags, version } = run
  const isExecuting = run.conditions.isExecuting
  if (!reader.next()) return 'BAD_OPCODE'
  const { opcode } = reader
  if (opcode <= OP.PUSHDATA4) {
    if (reader.dataSize > MAX_ELEMENT_SIZE) return 'PUSH_SIZE'
    if (!isExecuting) return undefined
    const { data } = reader
    if (run.isMinimal && !isMinimalPush(data, opcode)) return 'MINIMALDATA'
    run.stack.push(data)
    return undefined
  }
  if (version !== 'tapscript' && opcode > OP['16'] && ++run.operations > MAX_OPERATIONS) {
    return 'OP_COUNT'
  }
  if (isDisabled(opcode)) return 'DISABLED_OPCODE'
  if (opcode === OP.CODESEPARATOR && version === 'base' && flags & FLAG.CONST_SCRIPTCODE) {
    return 'OP_CODESEPARATOR'
  }
  // Branches are followed where nothing runs too; with OP_VERIF among them, which nothing can be done with.
  if (!isExecuting && (opcode < OP.IF || opcode > OP.ENDIF)) return undefined
  const operation = OPERATIONS[opcode]
  return operation ? operation(run) : 'BAD_OPCODE'
}

/**
 * Runs a script on a stack, which it changes. Undefined when it ran to its end; whether the top of the stack is true is
 * for the caller to see. Source: Core's EvalScript.
 */
export function evaluateScript(
  script: Uint8Array,
  stack: Uint8Array[],
  context: ScriptContext,
): ScriptError | undefined {
  if (context.version !== 'tapscript' && script.length > MAX_SCRIPT_SIZE) return 'SCRIPT_SIZE'
  const run = new Execution(script, stack, context)
  while (run.reader.at < script.length) {
    const fault = step(run)
    if (fault) return fault
    if (stack.length + run.altStack.length > MAX_STACK_SIZE) return 'STACK_SIZE'
    run.position += 1
  }
  return run.conditions.isEmpty ? undefined : 'UNBALANCED_CONDITIONAL'
}
