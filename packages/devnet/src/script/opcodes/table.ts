import type { ScriptError } from '../errors.ts'
import type { Operation } from '../execution.ts'
import { encodeScriptNumber, isTrue } from '../number.ts'
import { ARITHMETIC_OPERATIONS, numberEqual } from './arithmetic.ts'
import { ELEMENT_OPERATIONS, equal } from './elements.ts'
import { FLOW_OPERATIONS } from './flow.ts'
import { HASHING_OPERATIONS } from './hashing.ts'
import { checkMultisig } from './multisig.ts'
import { OP } from './names.ts'
import { checkSig, SIGNATURE_OPERATIONS } from './signatures.ts'

/** The operation, and then the script ends unless it left something true, which goes. */
const verified =
  (operation: Operation, error: ScriptError): Operation =>
  (run) => {
    const fault = operation(run)
    if (fault) return fault
    if (!isTrue(run.peek(1))) return error
    run.drop(1)
    return undefined
  }
const pushing = (value: number): Operation => {
  const element = encodeScriptNumber(value)
  return ({ stack }) => {
    stack.push(element)
    return undefined
  }
}

function* operations(): Generator<readonly [number, Operation]> {
  yield [OP['1NEGATE'], pushing(-1)]
  for (let i = 1; i <= 16; i++) yield [OP['1'] - 1 + i, pushing(i)]
  yield* FLOW_OPERATIONS
  yield* ELEMENT_OPERATIONS
  yield* ARITHMETIC_OPERATIONS
  yield* HASHING_OPERATIONS
  yield* SIGNATURE_OPERATIONS
  yield [OP.CHECKMULTISIG, checkMultisig]
  yield [OP.EQUALVERIFY, verified(equal, 'EQUALVERIFY')]
  yield [OP.NUMEQUALVERIFY, verified(numberEqual, 'NUMEQUALVERIFY')]
  yield [OP.CHECKSIGVERIFY, verified(checkSig, 'CHECKSIGVERIFY')]
  yield [OP.CHECKMULTISIGVERIFY, verified(checkMultisig, 'CHECKMULTISIGVERIFY')]
}
const table: (Operation | undefined)[] = new Array(256).fill(undefined)
for (const [opcode, operation] of operations()) table[opcode] = operation

/** By opcode, what it does; nothing where it is unknown or reserved. Plain pushes are not in it. */
export const OPERATIONS: readonly (Operation | undefined)[] = table

/** Opcodes that end a script wherever they stand, also where they would not run. Source: CVE-2010-5137. */
const DISABLED: ReadonlySet<number> = new Set([
  OP.CAT,
  OP.SUBSTR,
  OP.LEFT,
  OP.RIGHT,
  OP.INVERT,
  OP.AND,
  OP.OR,
  OP.XOR,
  OP['2MUL'],
  OP['2DIV'],
  OP.MUL,
  OP.DIV,
  OP.MOD,
  OP.LSHIFT,
  OP.RSHIFT,
])
export const isDisabled = (opcode: number): boolean => DISABLED.has(opcode)
