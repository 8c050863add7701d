import {
  assert,
  outPointKey,
  sumSat,
  type Txid,
  toHex,
  type WithdrawalId,
} from '../../kernel/index.ts'
import { encodePush } from '../../protocol/script/index.ts'
import { type Transaction, txidOf } from '../../protocol/transaction/index.ts'
import type { Coin } from '../coins/index.ts'
import { type Draft, SHUFFLE } from './draft.ts'
import type { PlannedInput, PlannedOutput, VersionRecord } from './ports.ts'

export type PlannedTransaction = VersionRecord['transaction']

/** An address of ours that takes change. */
export interface ChangePlace {
  readonly branch: number
  readonly index: number
  readonly script: Uint8Array
}

/** Signals replaceability and lets the lock time count (BIP 125). */
export const SEQUENCE = 0xffff_fffd
const VERSION = 2

/**
 * The unsigned transaction of a draft, its change sent to `place`: inputs and outputs sorted (BIP 69) or in the random order
 * that was drawn with the draft. Pure.
 * @throws AssertionError unless inputs are outputs and fee, to the satoshi (I12)
 */
export function arrange(draft: Draft, place: ChangePlace | undefined): PlannedTransaction {
  assert((draft.change !== undefined) === (place !== undefined), 'change without a place for it')
  const outputs: PlannedOutput[] = draft.payments.map(({ script, amount, withdrawals }) => ({
    script,
    amount,
    role: { kind: 'payment', withdrawals },
  }))
  if (draft.change !== undefined && place) {
    const { branch, index, script } = place
    outputs.push({ script, amount: draft.change, role: { kind: 'change', branch, index } })
  }
  const inputs = draft.coins.map(inputOf)
  const chance = draft.shuffle
  const isSorted = draft.order === 'bip69'
  const planned: PlannedTransaction = {
    version: VERSION,
    lockTime: draft.lockTime,
    inputs: isSorted ? inputs.toSorted(compareInputs) : shuffled(inputs, chance, 0),
    outputs: isSorted ? outputs.toSorted(compareOutputs) : shuffled(outputs, chance, inputs.length),
  }
  assertPlan(planned, draft)
  return planned
}

const inputOf = ({ point, amount, script, branch, index }: Coin): PlannedInput => ({
  ...point,
  amount,
  script,
  branch,
  index,
  sequence: SEQUENCE,
})

function assertPlan({ inputs, outputs }: PlannedTransaction, draft: Draft): void {
  const left = sumSat(inputs.map(({ amount }) => amount))
  assert(left === sumSat(outputs.map(({ amount }) => amount)) + draft.fee, 'inputs less outputs')
  const points = new Set(inputs.map(outPointKey))
  assert(points.size === inputs.length, 'a coin stands twice in a transaction')
  assert(points.has(outPointKey(draft.anchor)), 'the anchor is not among the inputs')
  assert(draft.fee <= draft.maxFee, 'the fee is above its ceiling')
}

/** By transaction id and number. Source: BIP 69. */
const compareInputs = (a: PlannedInput, b: PlannedInput): number =>
  a.txid < b.txid ? -1 : a.txid > b.txid ? 1 : a.vout - b.vout
/** By amount, then script. Source: BIP 69. */
function compareOutputs(a: PlannedOutput, b: PlannedOutput): number {
  if (a.amount !== b.amount) return a.amount < b.amount ? -1 : 1
  const [left, right] = [toHex(a.script), toHex(b.script)]
  return left < right ? -1 : left > right ? 1 : 0
}

/** Each element gets its own bytes of chance; they decide. */
function shuffled<T>(list: readonly T[], chance: Uint8Array, from: number): readonly T[] {
  const keyed = list.map((item, i) => {
    const at = SHUFFLE * (from + i)
    return { item, key: toHex(chance.subarray(at, at + SHUFFLE)) }
  })
  assert(
    keyed.every(({ key }) => key.length === 2 * SHUFFLE),
    'a random order without chance',
  )
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item)
}

/** The transaction as it is before anybody signs: without scripts and witnesses. */
export const unsignedOf = ({
  version,
  lockTime,
  inputs,
  outputs,
}: PlannedTransaction): Transaction => ({
  version,
  lockTime,
  inputs: inputs.map(({ txid, vout, sequence }) => ({
    txid,
    vout,
    sequence,
    script: new Uint8Array(),
    witness: [],
  })),
  outputs: outputs.map(({ amount, script }) => ({ amount, script })),
})

/** What people approve and receipts name: the id of the unsigned transaction. */
export const hashOf = (planned: PlannedTransaction): Txid => txidOf(unsignedOf(planned))

/**
 * The id that the signed transaction will have, whatever the signatures: undefined as long as an input is legacy, because
 * there signatures are part of what is hashed.
 * @param redeemScripts of nested inputs, in the order of the inputs
 */
export function finalTxid(
  planned: PlannedTransaction,
  redeemScripts: readonly (Uint8Array | undefined)[],
): Txid | undefined {
  const unsigned = unsignedOf(planned)
  const scripts = planned.inputs.map(({ script }, i) => scriptSigOf(script, redeemScripts[i]))
  if (scripts.some((script) => script === undefined)) return undefined
  const inputs = unsigned.inputs.map((input, i) => ({
    ...input,
    script: scripts[i] ?? new Uint8Array(),
  }))
  return txidOf({ ...unsigned, inputs })
}

/** Empty for native segwit, the push of the redeem script for nested; undefined for what nobody knows before it is signed. */
function scriptSigOf(script: Uint8Array, redeem: Uint8Array | undefined): Uint8Array | undefined {
  if (isWitnessProgram(script)) return new Uint8Array()
  return redeem && isWitnessProgram(redeem) ? encodePush(redeem) : undefined
}
/** Source: BIP 141. */
const isWitnessProgram = (script: Uint8Array): boolean =>
  script.length >= 4 &&
  script.length <= 42 &&
  script[1] === script.length - 2 &&
  (script[0] === 0 || ((script[0] ?? 0) >= 0x51 && (script[0] ?? 0) <= 0x60))

/** Whether two transactions pay the same requests the same: what a bump must keep. */
export function samePayments(a: PlannedTransaction, b: PlannedTransaction): boolean {
  const paid = (planned: PlannedTransaction) =>
    planned.outputs
      .flatMap(({ script, amount, role }) =>
        role.kind === 'payment' ? [`${role.withdrawals.join()} ${amount} ${toHex(script)}`] : [],
      )
      .sort()
      .join('\n')
  return paid(a) === paid(b)
}

/** The output of ours, where there is one; a plan has one at most. */
export const changeOf = (planned: PlannedTransaction) => {
  const vout = planned.outputs.findIndex(({ role }) => role.kind === 'change')
  const output = planned.outputs[vout]
  if (output?.role.kind !== 'change') return undefined
  const { branch, index } = output.role
  return { vout, amount: output.amount, script: output.script, branch, index }
}

export const paymentsOf = (planned: PlannedTransaction) =>
  planned.outputs.flatMap(({ script, amount, role }) =>
    role.kind === 'payment' ? [{ script, amount, withdrawals: role.withdrawals }] : [],
  )

/** The output that pays a request. */
export const outputFor = (planned: PlannedTransaction, request: WithdrawalId): number =>
  planned.outputs.findIndex(
    ({ role }) => role.kind === 'payment' && role.withdrawals.includes(request),
  )
