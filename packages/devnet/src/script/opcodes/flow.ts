import type { Operation } from '../execution.ts'
import { FLAG } from '../flags.ts'
import { isTrue, MAX_LOCKTIME_NUMBER_SIZE } from '../number.ts'
import { OP } from './names.ts'

const condition =
  (isInverted: boolean): Operation =>
  (run) => {
    const { stack, conditions, version } = run
    if (!conditions.isExecuting) {
      conditions.open(false)
      return undefined
    }
    if (stack.length < 1) return 'UNBALANCED_CONDITIONAL'
    const value = run.peek(1)
    const isMinimal = value.length === 0 || (value.length === 1 && value[0] === 1)
    if (!isMinimal) {
      if (version === 'tapscript') return 'TAPSCRIPT_MINIMALIF'
      if (version === 'witness_v0' && run.flags & FLAG.MINIMALIF) return 'MINIMALIF'
    }
    conditions.open(isTrue(value) !== isInverted)
    run.drop(1)
    return undefined
  }
const otherwise: Operation = ({ conditions }) => {
  if (conditions.isEmpty) return 'UNBALANCED_CONDITIONAL'
  conditions.toggle()
  return undefined
}
const end: Operation = ({ conditions }) => {
  if (conditions.isEmpty) return 'UNBALANCED_CONDITIONAL'
  conditions.close()
  return undefined
}
const verify: Operation = (run) => {
  if (run.stack.length < 1) return 'INVALID_STACK_OPERATION'
  if (!isTrue(run.peek(1))) return 'VERIFY'
  run.drop(1)
  return undefined
}

const nothing: Operation = () => undefined
const reserved: Operation = (run) =>
  run.flags & FLAG.DISCOURAGE_UPGRADABLE_NOPS ? 'DISCOURAGE_UPGRADABLE_NOPS' : undefined

const checkLockTime: Operation = (run) => {
  if (!(run.flags & FLAG.CHECKLOCKTIMEVERIFY)) return undefined
  if (run.stack.length < 1) return 'INVALID_STACK_OPERATION'
  const value = run.number(1, MAX_LOCKTIME_NUMBER_SIZE)
  if (value === undefined) return 'UNKNOWN_ERROR'
  if (value < 0) return 'NEGATIVE_LOCKTIME'
  return run.checker.checkLockTime(value) ? undefined : 'UNSATISFIED_LOCKTIME'
}
const SEQUENCE_DISABLED = 1 << 31
const checkSequence: Operation = (run) => {
  if (!(run.flags & FLAG.CHECKSEQUENCEVERIFY)) return undefined
  if (run.stack.length < 1) return 'INVALID_STACK_OPERATION'
  const value = run.number(1, MAX_LOCKTIME_NUMBER_SIZE)
  if (value === undefined) return 'UNKNOWN_ERROR'
  if (value < 0) return 'NEGATIVE_LOCKTIME'
  // This bit is kept for later rules: the opcode then does nothing.
  if ((value & SEQUENCE_DISABLED) !== 0) return undefined
  return run.checker.checkSequence(value) ? undefined : 'UNSATISFIED_LOCKTIME'
}

/** Opcodes that decide whether and how a script goes on. */
export const FLOW_OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [OP.NOP, nothing],
  [OP.IF, condition(false)],
  [OP.NOTIF, condition(true)],
  [OP.ELSE, otherwise],
  [OP.ENDIF, end],
  [OP.VERIFY, verify],
  [OP.RETURN, () => 'OP_RETURN'],
  [OP.NOP1, reserved],
  [OP.CHECKLOCKTIMEVERIFY, checkLockTime],
  [OP.CHECKSEQUENCEVERIFY, checkSequence],
  ...Array.from({ length: 7 }, (_, i): [number, Operation] => [OP.NOP4 + i, reserved]),
])
