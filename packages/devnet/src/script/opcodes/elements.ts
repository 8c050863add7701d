import type { Operation } from '../execution.ts'
import { encodeScriptNumber, isTrue, truth } from '../number.ts'
import { OP } from './names.ts'

/** An operation on at least `count` elements of the stack that cannot fail otherwise. */
const on =
  (count: number, act: (stack: Uint8Array[]) => void): Operation =>
  ({ stack }) => {
    if (stack.length < count) return 'INVALID_STACK_OPERATION'
    act(stack)
    return undefined
  }
/** Pushes copies of the `count` elements that begin at `depth`. */
const copy = (depth: number, count: number): Operation =>
  on(depth, (stack) => {
    const from = stack.length - depth
    for (let i = 0; i < count; i++) stack.push(stack[from + i] as Uint8Array)
  })
/** Moves `count` elements that begin at `depth` to the top. */
const lift = (depth: number, count: number): Operation =>
  on(depth, (stack) => {
    stack.push(...stack.splice(stack.length - depth, count))
  })

const pick =
  (isMoved: boolean): Operation =>
  (run) => {
    const { stack } = run
    if (stack.length < 2) return 'INVALID_STACK_OPERATION'
    const depth = run.number(1)
    if (depth === undefined) return 'UNKNOWN_ERROR'
    run.drop(1)
    if (depth < 0 || depth >= stack.length) return 'INVALID_STACK_OPERATION'
    const at = stack.length - 1 - depth
    const element = stack[at] as Uint8Array
    if (isMoved) stack.splice(at, 1)
    stack.push(element)
    return undefined
  }

export const equal: Operation = on(2, (stack) => {
  const b = stack.pop() as Uint8Array
  const a = stack.pop() as Uint8Array
  let isEqual = a.length === b.length
  for (let i = 0; isEqual && i < a.length; i++) isEqual = a[i] === b[i]
  stack.push(truth(isEqual))
})

/** Opcodes that move whole elements. */
export const ELEMENT_OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [
    OP.TOALTSTACK,
    (run) => {
      const element = run.stack.pop()
      if (!element) return 'INVALID_STACK_OPERATION'
      run.altStack.push(element)
      return undefined
    },
  ],
  [
    OP.FROMALTSTACK,
    (run) => {
      const element = run.altStack.pop()
      if (!element) return 'INVALID_ALTSTACK_OPERATION'
      run.stack.push(element)
      return undefined
    },
  ],
  [OP['2DROP'], on(2, (stack) => stack.splice(-2))],
  [OP['2DUP'], copy(2, 2)],
  [OP['3DUP'], copy(3, 3)],
  [OP['2OVER'], copy(4, 2)],
  [OP['2ROT'], lift(6, 2)],
  [OP['2SWAP'], lift(4, 2)],
  [
    OP.IFDUP,
    on(1, (stack) => {
      const top = stack[stack.length - 1] as Uint8Array
      if (isTrue(top)) stack.push(top)
    }),
  ],
  [OP.DEPTH, on(0, (stack) => stack.push(encodeScriptNumber(stack.length)))],
  [OP.DROP, on(1, (stack) => stack.pop())],
  [OP.DUP, copy(1, 1)],
  [OP.NIP, on(2, (stack) => stack.splice(-2, 1))],
  [OP.OVER, copy(2, 1)],
  [OP.PICK, pick(false)],
  [OP.ROLL, pick(true)],
  [OP.ROT, lift(3, 1)],
  [OP.SWAP, lift(2, 1)],
  [OP.TUCK, on(2, (stack) => stack.splice(-2, 0, stack[stack.length - 1] as Uint8Array))],
  [
    OP.SIZE,
    on(1, (stack) => {
      stack.push(encodeScriptNumber((stack[stack.length - 1] as Uint8Array).length))
    }),
  ],
  [OP.EQUAL, equal],
])
