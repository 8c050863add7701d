import { type Rejection, reject } from '../chain/checks.ts'
import type { Coin } from '../chain/node.ts'
import type { Transaction, TransactionInput } from '../chain/transaction.ts'
import { classifyScript, parseScript } from '../script/script.ts'
import { witnessProgram } from './policy.ts'

const MAX_P2SH_SIGOPS = 15
const MAX_STACK = 1000
const MAX_PUSH = 520
const P2WSH_SCRIPT = 3600
const P2WSH_ITEMS = 100
const STACK_ITEM = 80
const ANNEX_TAG = 0x50
const TAPSCRIPT_LEAF = 0xc0

/** What a script of pushes leaves on the stack; undefined when running it fails. */
function pushedStack(script: Uint8Array): Uint8Array[] | undefined {
  const stack: Uint8Array[] = []
  const pieces = parseScript(script)
  if (!pieces) return undefined
  for (const { opcode, data } of pieces) {
    if (data) stack.push(data)
    else if (opcode === 0x4f) stack.push(Uint8Array.of(0x81))
    else if (opcode >= 0x51 && opcode <= 0x60) stack.push(Uint8Array.of(opcode - 0x50))
    else return undefined
    if (stack.length > MAX_STACK || (data?.length ?? 0) > MAX_PUSH) return undefined
  }
  return stack
}
/** Signature operations of a redeem script, with the key count of each multisig, up to where it breaks off. */
function redeemSigops(script: Uint8Array): number {
  let count = 0
  let before = 0xff
  for (let at = 0; at < script.length; ) {
    const opcode = script[at] ?? 0
    at += 1
    if (opcode >= 1 && opcode <= 78) {
      const width = opcode >= 76 ? 1 << (opcode - 76) : 0
      if (at + width > script.length) return count
      let length = width === 0 ? opcode : 0
      for (let i = width - 1; i >= 0; i--) length = length * 256 + (script[at + i] ?? 0)
      at += width + length
      if (at > script.length) return count
    }
    if (opcode === 0xac || opcode === 0xad) count += 1
    else if (opcode === 0xae || opcode === 0xaf) {
      count += before >= 0x51 && before <= 0x60 ? before - 0x50 : 20
    }
    before = opcode
  }
  return count
}
const redeemScript = (input: TransactionInput): Uint8Array | undefined =>
  pushedStack(input.script)?.pop()

/** The spent outputs and what scriptSigs redeem. Source: Core's AreInputsStandard. */
export function checkStandardInputs(
  transaction: Transaction,
  spent: readonly Coin[],
): Rejection | undefined {
  const odd = transaction.inputs.some((input, i) => {
    const { kind } = classifyScript(spent[i]?.script ?? new Uint8Array())
    if (kind === 'nonstandard' || kind === 'witness_unknown') return true
    if (kind !== 'scripthash') return false
    const redeem = redeemScript(input)
    return redeem === undefined || redeemSigops(redeem) > MAX_P2SH_SIGOPS
  })
  return odd ? reject('bad-txns-nonstandard-inputs') : undefined
}

function isStandardScriptHash(witness: readonly Uint8Array[]): boolean {
  const script = witness[witness.length - 1]
  if (!script || script.length > P2WSH_SCRIPT) return false
  const items = witness.slice(0, -1)
  return items.length <= P2WSH_ITEMS && items.every(({ length }) => length <= STACK_ITEM)
}
function isStandardTaproot(witness: readonly Uint8Array[]): boolean {
  if (witness.length < 2) return true
  const control = witness[witness.length - 1]?.[0]
  // No meaning is defined for an annex yet, and a script path needs a control block.
  if (control === undefined || control === ANNEX_TAG) return false
  if ((control & 0xfe) !== TAPSCRIPT_LEAF) return true
  return witness.slice(0, -2).every(({ length }) => length <= STACK_ITEM)
}
function isStandardWitness(input: TransactionInput, coin: Coin | undefined): boolean {
  if (input.witness.length === 0) return true
  let script = coin?.script ?? new Uint8Array()
  const { kind } = classifyScript(script)
  if (kind === 'anchor') return false
  const wrapped = kind === 'scripthash'
  if (wrapped) script = redeemScript(input) ?? new Uint8Array()
  const program = witnessProgram(script)
  if (!program) return false
  const size = program.program.length
  if (program.version === 0 && size === 32) return isStandardScriptHash(input.witness)
  if (program.version === 1 && size === 32 && !wrapped) return isStandardTaproot(input.witness)
  return true
}
/** Limits of witnesses. Source: Core's IsWitnessStandard. */
export function checkStandardWitness(
  transaction: Transaction,
  spent: readonly Coin[],
): Rejection | undefined {
  const fine = transaction.inputs.every((input, i) => isStandardWitness(input, spent[i]))
  return fine ? undefined : reject('bad-witness-nonstandard')
}
