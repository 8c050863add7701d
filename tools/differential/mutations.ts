import { OP, push, pushNumber, script } from './opcodes.ts'
import { addInput, type Draft, setFee, sumOf } from './payments.ts'
import { anyBytes } from './programs.ts'
import { concat, hex, unhex, type WireInput } from './wire.ts'

/** Changes a draft; says false when it does not fit this one. */
type Mutation = (draft: Draft) => unknown
const MAX_MONEY = 2_100_000_000_000_000n

const anyInput = ({ transaction, purse }: Draft): WireInput =>
  purse.random.pick(transaction.inputs) as WireInput
function flip(bytes: Uint8Array, at: number, mask = 1): Uint8Array {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ mask
  return copy
}
const firstOutput = (draft: Draft) =>
  draft.transaction.outputs[0] ?? { value: 0n, script: new Uint8Array() }

/** Before signing: the signatures cover it, so that the rule itself decides. */
const BEFORE: Readonly<Record<string, Mutation>> = {
  'odd version': ({ transaction, purse }) => {
    transaction.version = purse.random.pick([0, -1, 3, 4, 0x7fffffff, -0x80000000]) ?? 0
  },
  'lock time in the future': ({ transaction, purse: { random, ledger } }) => {
    const { height, medianTime } = ledger.moment
    transaction.locktime = random.chance(50)
      ? height + random.between(0, 3)
      : medianTime + random.between(-2, 60)
    const first = transaction.inputs[0]
    if (first && random.chance(80)) first.sequence = 0xfffffffe
  },
  'relative lock': (draft) => {
    const { random } = draft.purse
    const input = anyInput(draft)
    input.sequence = random.chance(50) ? random.between(0, 20) : (1 << 22) | random.between(0, 6)
    if (random.chance(80)) draft.transaction.version = 2
  },
  'odd sequence': (draft) => {
    anyInput(draft).sequence = draft.purse.random.next()
  },
  'more out than in': (draft) => {
    firstOutput(draft).value += sumOf(draft.spent) - sumOf(draft.transaction.outputs) + 1n
  },
  'negative output': (draft) => {
    firstOutput(draft).value = -1n
  },
  'too large an output': (draft) => {
    firstOutput(draft).value = MAX_MONEY + BigInt(draft.purse.random.between(0, 1))
  },
  'too large a sum': ({ transaction }) => {
    const bytes = Uint8Array.of(OP.ONE)
    transaction.outputs.push({ value: MAX_MONEY, script: bytes }, { value: 1n, script: bytes })
  },
  'one input twice': (draft) => {
    const [coin] = draft.spent
    if (coin) addInput(draft, coin)
  },
  'unknown input': (draft) => {
    const input = anyInput(draft)
    if (draft.purse.random.chance(50)) input.vout += 100
    else input.txid = hex(flip(unhex(input.txid), 7))
  },
  'spent coin': (draft) => {
    const { ledger, random } = draft.purse
    const all = [...ledger.ever.values()]
    const gone = Array.from({ length: 20 }, () => random.pick(all)).find(
      (coin) => coin && !ledger.coins.has(coin.key),
    )
    if (!gone) return false
    addInput(draft, gone)
    return true
  },
  'immature coinbase': (draft) => {
    const coin = draft.purse.random.pick(draft.purse.immature)
    if (!coin) return false
    addInput(draft, coin)
    setFee(draft, 5_000n)
    return true
  },
  'null input': (draft) => {
    const input = anyInput(draft)
    input.txid = '0'.repeat(64)
    input.vout = 0xffffffff
  },
  'contested coin': (draft) => {
    const { random, contested } = draft.purse
    const coin = random.pick(contested)
    if (!coin) return false
    addInput(draft, coin)
    setFee(draft, BigInt(random.between(1_000, 60_000)))
    return true
  },
  dust: (draft) => {
    firstOutput(draft).value = BigInt(draft.purse.random.between(0, 600))
  },
  'several data outputs': ({ transaction, purse }) => {
    const bytes = script(OP.RETURN, push(anyBytes(purse.random, 40)))
    transaction.outputs.push({ value: 0n, script: bytes }, { value: 0n, script: bytes })
  },
  'long data output': ({ transaction, purse }) => {
    const bytes = new Uint8Array(purse.random.between(76, 90)).fill(7)
    transaction.outputs.push({ value: 0n, script: script(OP.RETURN, push(bytes)) })
  },
  tiny: ({ transaction, purse }) => {
    const bytes = purse.random.chance(50)
      ? Uint8Array.of(OP.RETURN)
      : script(OP.RETURN, [3, 1, 2, 3])
    transaction.outputs.splice(0, transaction.outputs.length, { value: 0n, script: bytes })
  },
  'no outputs': ({ transaction }) => {
    transaction.outputs.length = 0
  },
  'many outputs': (draft) => {
    const { ledger, random } = draft.purse
    const output = firstOutput(draft)
    const value = output.value / 400n
    const count = random.between(100, 300)
    for (let i = 0; i < count; i++) draft.transaction.outputs.push({ value, script: output.script })
    output.value = value
    ledger.lockOf(output.script)
  },
  heavy: ({ transaction, purse }) => {
    const size = purse.random.between(97_000, 101_000)
    transaction.outputs.push({ value: 0n, script: new Uint8Array(size).fill(OP.RETURN) })
  },
}

function changeWitness(
  draft: Draft,
  change: (items: readonly Uint8Array[]) => readonly Uint8Array[] | undefined,
): boolean {
  const input = draft.purse.random.pick(
    draft.transaction.inputs.filter(({ witness }) => witness.length > 0),
  )
  const changed = input && change(input.witness)
  if (!input || !changed) return false
  input.witness = changed
  return true
}
const replaced = (items: readonly Uint8Array[], at: number, item: Uint8Array) =>
  items.map((old, i) => (i === at ? item : old))

/** After signing: what a stranger could do to it on its way, and what a bad signer does. */
const AFTER: Readonly<Record<string, Mutation>> = {
  'flipped witness bit': (draft) =>
    changeWitness(draft, (items) => {
      const { random } = draft.purse
      const at = random.between(0, items.length - 1)
      const item = items[at]
      if (!item?.length) return undefined
      const bit = 1 << random.between(0, 7)
      return replaced(items, at, flip(item, random.between(0, item.length - 1), bit))
    }),
  'shorter witness item': (draft) =>
    changeWitness(draft, (items) => {
      const at = draft.purse.random.between(0, items.length - 1)
      const item = items[at]
      return item?.length ? replaced(items, at, item.subarray(0, -1)) : undefined
    }),
  'longer witness item': (draft) =>
    changeWitness(draft, (items) => {
      const { random } = draft.purse
      const at = random.between(0, items.length - 1)
      const more = random.chance(70) ? 1 : random.between(400, 600)
      return replaced(items, at, concat(items[at] ?? [], new Uint8Array(more).fill(1)))
    }),
  'further witness item': (draft) =>
    changeWitness(draft, (items) => {
      const { random } = draft.purse
      const at = random.between(0, items.length)
      return [...items.slice(0, at), anyBytes(random, 40), ...items.slice(at)]
    }),
  'missing witness item': (draft) =>
    changeWitness(draft, (items) => {
      const at = draft.purse.random.between(0, items.length - 1)
      return items.filter((_, i) => i !== at)
    }),
  'swapped witness items': (draft) =>
    changeWitness(draft, (items) => (items.length > 1 ? items.toReversed() : undefined)),
  'empty witness item': (draft) =>
    changeWitness(draft, (items) =>
      replaced(items, draft.purse.random.between(0, items.length - 1), new Uint8Array()),
    ),
  'true that is not one': (draft) =>
    changeWitness(draft, (items) => {
      const at = items.findIndex((item) => item.length === 1 && item[0] === 1)
      return at < 0 ? undefined : replaced(items, at, Uint8Array.of(0, 1))
    }),
  annex: (draft) => changeWitness(draft, (items) => [...items, Uint8Array.of(0x50, 1)]),
  'other hash type': (draft) =>
    changeWitness(draft, (items) => {
      const at = items.findIndex((item) => item.length >= 64 && item.length <= 73)
      const item = items[at]
      if (!item) return undefined
      const end = item.length === 64 ? item : item.subarray(0, -1)
      const type = draft.purse.random.pick([0, 1, 2, 3, 4, 0x81, 0x80, 0xff]) ?? 0
      return replaced(items, at, concat(end, [type]))
    }),
  'witness where none belongs': (draft) => {
    const input = draft.transaction.inputs.find(({ witness }) => witness.length === 0)
    if (!input) return false
    input.witness = [anyBytes(draft.purse.random, 20)]
    return true
  },
  'flipped script bit': (draft) => {
    const { random } = draft.purse
    const input = random.pick(draft.transaction.inputs.filter((each) => each.script.length > 0))
    if (!input) return false
    input.script = flip(
      input.script,
      random.between(0, input.script.length - 1),
      1 << random.between(0, 7),
    )
    return true
  },
  'script in front': (draft) => {
    const input = anyInput(draft)
    const { random } = draft.purse
    const more = random.chance(50) ? pushNumber(random.between(0, 3)) : Uint8Array.of(OP.NOP)
    input.script = concat(more, input.script)
  },
  'wasteful push': (draft) => {
    const input = anyInput(draft)
    const [size = 0] = input.script
    if (size < 1 || size > 75) return false
    input.script = concat([OP.PUSHDATA1], input.script)
    return true
  },
  'no script': (draft) => {
    const input = anyInput(draft)
    input.script = new Uint8Array()
    input.witness = []
  },
  'dummy that is not empty': (draft) => {
    const input = draft.transaction.inputs.find(({ script }) => script[0] === 0)
    if (!input) return false
    input.script = concat([OP.ONE], input.script.subarray(1))
    return true
  },
  'locktime changed': ({ transaction }) => {
    transaction.locktime += 1
  },
  'amount changed': (draft) => {
    firstOutput(draft).value -= 1n
  },
  'other prevout': (draft) => {
    const [coin] = draft.purse.mature
    const input = anyInput(draft)
    if (!coin) return false
    input.txid = coin.txid
    input.vout = coin.vout
    return true
  },
}
function apply(table: Readonly<Record<string, Mutation>>, draft: Draft): void {
  const name = draft.purse.random.pick(Object.keys(table)) ?? ''
  if (table[name]?.(draft) !== false) draft.notes.push(name)
}
export const mutateBefore = (draft: Draft): void => apply(BEFORE, draft)
export const mutateAfter = (draft: Draft): void => apply(AFTER, draft)
