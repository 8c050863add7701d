import { type BlockPlan, buildBlock, feesOf, type Tweaks } from './blocks.ts'
import type { BuiltBlock, Coin } from './ledger.ts'
import { OP, pushNumber, script } from './opcodes.ts'
import { addInput, type Draft, type Purse, setFee, sign } from './payments.ts'
import type { WireTransaction } from './wire.ts'

/** A block with one fault, or at the edge of one; undefined where the moment offers none. */
export type Fault = (base: BlockPlan, purse: Purse) => BuiltBlock | undefined

const tweak =
  (tweaks: Tweaks | ((base: BlockPlan, purse: Purse) => Tweaks)): Fault =>
  (base, purse) =>
    buildBlock({ ...base, tweaks: typeof tweaks === 'function' ? tweaks(base, purse) : tweaks })
const withTransactions = (
  base: BlockPlan,
  { ledger }: Purse,
  transactions: readonly WireTransaction[],
): BuiltBlock => buildBlock({ ...base, transactions, fees: feesOf(ledger, transactions) })

/** A plain payment from a coin, with the given change before it is signed. */
function payment(
  purse: Purse,
  coin: Coin,
  change: (draft: Draft) => void = () => {},
): WireTransaction {
  const transaction = { version: 2, inputs: [], outputs: [], locktime: 0 }
  const draft: Draft = { purse, transaction, spent: [], paths: [], notes: [] }
  addInput(draft, coin)
  draft.transaction.outputs.push({ value: coin.value, script: Uint8Array.of(OP.ONE) })
  setFee(draft, 1_000n)
  change(draft)
  sign(draft)
  return draft.transaction
}
/** A coin that one signature opens, without any lock. */
const easy = ({ mature }: Purse): Coin | undefined =>
  mature.find(({ lock }) => lock?.kind === 'p2wpkh')
function withPayment(change: (draft: Draft, base: BlockPlan) => void): Fault {
  return (base, purse) => {
    const coin = easy(purse)
    if (!coin) return undefined
    const own = payment(purse, coin, (draft) => change(draft, base))
    return withTransactions(base, purse, [own])
  }
}
/** Signature operations in an output of the coinbase: four units of cost each. */
const sigops = (count: number): Fault =>
  tweak(({ payTo }) => ({
    coinbaseOutputs: [
      { value: 0n, script: payTo },
      { value: 0n, script: new Uint8Array(count).fill(OP.CHECKSIG) },
    ],
  }))
const HEIGHT = (base: BlockPlan, by: number): Uint8Array =>
  script(pushNumber(base.parent.height + 1 + by), [4, 1, 2, 3, 4])

export const FAULTS: Readonly<Record<string, Fault>> = {
  'wrong merkle root': tweak({ badRoot: true }),
  'wrong commitment': tweak({ commitment: 'wrong' }),
  'no commitment': tweak({ commitment: 'none' }),
  'two commitments': tweak({ commitment: 'double' }),
  'short reserved value': tweak({ reserved: [new Uint8Array(31)] }),
  'two reserved values': tweak({ reserved: [new Uint8Array(32), new Uint8Array(32)] }),
  'other reserved value': tweak({ reserved: [new Uint8Array(32).fill(9)] }),
  'greedy coinbase': tweak({ greed: 1n }),
  'modest coinbase': tweak((base) => ({ greed: -(base.fees / 2n) })),
  'wrong height': tweak((base, { random }) => ({
    coinbaseScript: HEIGHT(base, random.chance(50) ? 1 : -1),
  })),
  'wasteful height': tweak(({ parent }) => ({
    coinbaseScript: script([3], [(parent.height + 1) & 0xff, (parent.height + 1) >> 8, 0]),
  })),
  'short coinbase script': tweak({ coinbaseScript: Uint8Array.of(0x51) }),
  'long coinbase script': tweak((base) => ({
    coinbaseScript: script(HEIGHT(base, 0), new Uint8Array(100)),
  })),
  'longest coinbase script': tweak((base) => {
    const height = HEIGHT(base, 0)
    return { coinbaseScript: script(height, new Uint8Array(100 - height.length)) }
  }),
  'no coinbase': tweak({ arrange: (list) => (list.length > 1 ? list.slice(1) : []) }),
  'two coinbases': tweak({ arrange: (list) => [...list, ...list.slice(0, 1)] }),
  'coinbase not first': tweak({ arrange: (list) => [...list.slice(1), ...list.slice(0, 1)] }),
  'repeated tail': tweak({
    arrange: (list) =>
      list.length % 2 === 1 ? [...list, ...list.slice(-1)] : [...list, ...list.slice(-2)],
  }),
  'time too old': tweak(({ parent }) => ({ time: parent.medianTime })),
  'time just after the median': tweak(({ parent }) => ({ time: parent.medianTime + 1 })),
  'time too new': tweak({ time: 0xffffffff }),
  'other bits': tweak((_, { random }) => ({
    bits: random.pick([0x207ffffe, 0x1d00ffff, 0x217fffff, 0]) ?? 0,
  })),
  'too little work': tweak({ badWork: true }),
  'old version': tweak((_, { random }) => ({ version: random.between(-1, 4) })),
  'most signature operations': sigops(20_000),
  'too many signature operations': sigops(20_001),
  'immature spend': (base, purse) => {
    const coin = purse.random.pick(purse.immature)
    return coin && withTransactions(base, purse, [payment(purse, coin)])
  },
  'barely mature spend': (base, purse) => {
    const { height } = purse.ledger.tip
    const coin = purse.mature.find((each) => each.coinbase && each.height === height + 1 - 100)
    return coin && withTransactions(base, purse, [payment(purse, coin)])
  },
  'unknown input': withPayment(({ transaction }) => {
    for (const input of transaction.inputs) input.vout += 77
  }),
  'double spend inside': (base, purse) => {
    const coin = easy(purse)
    if (!coin) return undefined
    const one = payment(purse, coin)
    const two = payment(purse, coin, (draft) => setFee(draft, 2_000n))
    return withTransactions(base, purse, [one, two])
  },
  'spend of a spent coin': (base, purse) => {
    const gone = [...purse.ledger.ever.values()].filter(
      (coin) => !purse.ledger.coins.has(coin.key) && coin.lock?.kind === 'p2wpkh',
    )
    const coin = purse.random.pick(gone)
    return coin && withTransactions(base, purse, [payment(purse, coin)])
  },
  'child before parent': (base, purse) => {
    const coin = easy(purse)
    if (!coin) return undefined
    const parent = payment(purse, coin)
    const [output] = purse.ledger.coinsOf(parent, base.parent.height + 1)
    return output && withTransactions(base, purse, [payment(purse, output), parent])
  },
  'parent and child': (base, purse) => {
    const coin = easy(purse)
    if (!coin) return undefined
    const parent = payment(purse, coin)
    const [output] = purse.ledger.coinsOf(parent, base.parent.height + 1)
    return output && withTransactions(base, purse, [parent, payment(purse, output)])
  },
  'not final by height': withPayment(({ transaction }, { parent }) => {
    transaction.locktime = parent.height + 1
    for (const input of transaction.inputs) input.sequence = 0xfffffffe
  }),
  'final by height': withPayment(({ transaction }, { parent }) => {
    transaction.locktime = parent.height
    for (const input of transaction.inputs) input.sequence = 0xfffffffe
  }),
  'not final by time': withPayment(({ transaction }, { parent }) => {
    transaction.locktime = parent.medianTime
    for (const input of transaction.inputs) input.sequence = 0xfffffffe
  }),
  'final by time': withPayment(({ transaction }, { parent }) => {
    transaction.locktime = parent.medianTime - 1
    for (const input of transaction.inputs) input.sequence = 0xfffffffe
  }),
  'relative height lock': withPayment((draft, { parent }) => {
    const age = parent.height + 1 - (draft.spent[0]?.height ?? 0)
    const input = draft.transaction.inputs[0]
    if (input) input.sequence = Math.min(0xffff, age + draft.purse.random.between(0, 1))
  }),
  'relative time lock': withPayment((draft) => {
    const input = draft.transaction.inputs[0]
    if (input) input.sequence = (1 << 22) | draft.purse.random.between(0, 12)
  }),
  'bad signature': (base, purse) => {
    const coin = easy(purse)
    if (!coin) return undefined
    const own = payment(purse, coin)
    own.locktime ^= 1
    return withTransactions(base, purse, [own])
  },
  'more out than in': withPayment(({ transaction, spent }) => {
    for (const output of transaction.outputs) output.value = (spent[0]?.value ?? 0n) + 1n
  }),
  'negative output': withPayment(({ transaction }) => {
    for (const output of transaction.outputs) output.value = -1n
  }),
  'one transaction twice': (base, purse) => {
    const coin = easy(purse)
    if (!coin) return undefined
    const own = payment(purse, coin)
    return withTransactions(base, purse, [own, own, own])
  },
  'large data': (base, purse) => {
    const bytes = new Uint8Array(purse.random.chance(50) ? 1_000_001 : 999_000).fill(OP.RETURN)
    const outputs = [
      { value: 0n, script: base.payTo },
      { value: 0n, script: bytes },
    ]
    return purse.random.chance(15)
      ? buildBlock({ ...base, transactions: [], tweaks: { coinbaseOutputs: outputs } })
      : undefined
  },
}
