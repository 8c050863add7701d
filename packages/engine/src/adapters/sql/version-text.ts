import type { PlannedInput, PlannedOutput } from '../../capabilities/spending/index.ts'
import {
  AssertionError,
  MAX_SAT,
  type Sat,
  sat,
  toHex,
  tryFromHex,
  isHash,
  txid,
  type WithdrawalId,
} from '../../kernel/index.ts'

/** Inputs of a planned transaction as JSON in one fixed form. Amounts are decimal texts, scripts hex. */
export const inputsText = (inputs: readonly PlannedInput[]): string =>
  JSON.stringify(
    inputs.map((input) => ({
      txid: input.txid,
      vout: input.vout,
      amount_sat: input.amount.toString(),
      script: toHex(input.script),
      branch: input.branch,
      index: input.index,
      sequence: input.sequence,
    })),
  )
export const outputsText = (outputs: readonly PlannedOutput[]): string =>
  JSON.stringify(
    outputs.map(({ script, amount, role }) => ({
      script: toHex(script),
      amount_sat: amount.toString(),
      ...(role.kind === 'payment'
        ? { withdrawals: role.withdrawals }
        : { branch: role.branch, index: role.index }),
    })),
  )

type Members = Readonly<Record<string, unknown>>

/** What a text must hold, or the row is damaged: money is never planned from a guess. */
function refuse(what: string): never {
  throw new AssertionError(`a stored transaction has ${what}`)
}
function listOf(text: string): readonly Members[] {
  const value: unknown = JSON.parse(text)
  if (!Array.isArray(value)) return refuse('no list of parts')
  return value.map((part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? (part as Members)
      : refuse('a part that is none'),
  )
}
/** @throws AssertionError unless these are all members there are. */
function requireMembers(part: Members, names: readonly string[]): void {
  const found = Object.keys(part)
  if (found.length !== names.length || !names.every((name) => Object.hasOwn(part, name)))
    refuse(`a part with other members: ${found.join(' ').slice(0, 80)}`)
}
function numberIn(part: Members, name: string, most: number): number {
  const value = part[name]
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most)
    return refuse(`a bad ${name}`)
  return value
}
function amountIn(part: Members): Sat {
  const value = part['amount_sat']
  if (typeof value !== 'string' || !/^(0|[1-9]\d{0,15})$/.test(value) || BigInt(value) > MAX_SAT)
    return refuse('a bad amount')
  return sat(BigInt(value))
}
function scriptIn(part: Members): Uint8Array {
  const value = part['script']
  const script = typeof value === 'string' ? tryFromHex(value) : undefined
  return script ?? refuse('a bad script')
}

const UINT32 = 0xffff_ffff
const INDEX = 0x7fff_ffff
const INPUT = ['txid', 'vout', 'amount_sat', 'script', 'branch', 'index', 'sequence']
const PAYMENT = ['script', 'amount_sat', 'withdrawals']
const CHANGE = ['script', 'amount_sat', 'branch', 'index']

/** @throws AssertionError for a text that `inputsText` cannot have written. */
export const inputsOf = (text: string): readonly PlannedInput[] =>
  listOf(text).map((part) => {
    requireMembers(part, INPUT)
    const hash = part['txid']
    return {
      txid: isHash(hash) ? txid(hash) : refuse('a bad txid'),
      vout: numberIn(part, 'vout', UINT32),
      amount: amountIn(part),
      script: scriptIn(part),
      branch: numberIn(part, 'branch', INDEX),
      index: numberIn(part, 'index', INDEX),
      sequence: numberIn(part, 'sequence', UINT32),
    }
  })

/** @throws AssertionError for a text that `outputsText` cannot have written. */
export const outputsOf = (text: string): readonly PlannedOutput[] =>
  listOf(text).map((part) => {
    const pays = Object.hasOwn(part, 'withdrawals')
    requireMembers(part, pays ? PAYMENT : CHANGE)
    return {
      script: scriptIn(part),
      amount: amountIn(part),
      role: pays ? paidBy(part) : change(part),
    }
  })

function paidBy(part: Members): PlannedOutput['role'] {
  const ids = part['withdrawals']
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string'))
    return refuse('an output that pays nobody known')
  return { kind: 'payment', withdrawals: ids as WithdrawalId[] }
}
const change = (part: Members): PlannedOutput['role'] => ({
  kind: 'change',
  branch: numberIn(part, 'branch', INDEX),
  index: numberIn(part, 'index', INDEX),
})
