import type { Operation } from '../execution.ts'
import { encodeScriptNumber, truth } from '../number.ts'
import { OP } from './names.ts'

const unary =
  (compute: (a: number) => number): Operation =>
  (run) => {
    if (run.stack.length < 1) return 'INVALID_STACK_OPERATION'
    const a = run.number(1)
    if (a === undefined) return 'UNKNOWN_ERROR'
    run.drop(1)
    run.stack.push(encodeScriptNumber(compute(a)))
    return undefined
  }
const binary =
  (compute: (a: number, b: number) => number | boolean): Operation =>
  (run) => {
    if (run.stack.length < 2) return 'INVALID_STACK_OPERATION'
    const a = run.number(2)
    const b = run.number(1)
    if (a === undefined || b === undefined) return 'UNKNOWN_ERROR'
    run.drop(2)
    run.stack.push(encodeScriptNumber(Number(compute(a, b))))
    return undefined
  }
const within: Operation = (run) => {
  if (run.stack.length < 3) return 'INVALID_STACK_OPERATION'
  const value = run.number(3)
  const least = run.number(2)
  const limit = run.number(1)
  if (value === undefined || least === undefined || limit === undefined) return 'UNKNOWN_ERROR'
  run.drop(3)
  run.stack.push(truth(least <= value && value < limit))
  return undefined
}

export const numberEqual: Operation = binary((a, b) => a === b)

/** Opcodes that compute. Operands have four bytes at most, results may have five. */
export const ARITHMETIC_OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [OP['1ADD'], unary((a) => a + 1)],
  [OP['1SUB'], unary((a) => a - 1)],
  [OP.NEGATE, unary((a) => -a)],
  [OP.ABS, unary(Math.abs)],
  [OP.NOT, unary((a) => Number(a === 0))],
  [OP['0NOTEQUAL'], unary((a) => Number(a !== 0))],
  [OP.ADD, binary((a, b) => a + b)],
  [OP.SUB, binary((a, b) => a - b)],
  [OP.BOOLAND, binary((a, b) => a !== 0 && b !== 0)],
  [OP.BOOLOR, binary((a, b) => a !== 0 || b !== 0)],
  [OP.NUMEQUAL, numberEqual],
  [OP.NUMNOTEQUAL, binary((a, b) => a !== b)],
  [OP.LESSTHAN, binary((a, b) => a < b)],
  [OP.GREATERTHAN, binary((a, b) => a > b)],
  [OP.LESSTHANOREQUAL, binary((a, b) => a <= b)],
  [OP.GREATERTHANOREQUAL, binary((a, b) => a >= b)],
  [OP.MIN, binary(Math.min)],
  [OP.MAX, binary(Math.max)],
  [OP.WITHIN, within],
])
