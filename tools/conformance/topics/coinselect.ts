import {
  ok,
  parseSat,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  sat,
  satPerKvB,
  type Txid,
  weight,
} from '@kaccy/bitcoin/kernel'
import {
  type CandidateCoin,
  type ChangeShape,
  type Selection,
  type SelectionRequest,
  selectCoins,
} from '@kaccy/bitcoin/protocol/coins'
import {
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  runShapes,
  type Verdict,
} from '../cases.ts'

export const topic = 'coinselect'

const bytes = (count: number) => weight(4 * count)
const coin = (i: number, amount: bigint, size: number, hasWitness: boolean): CandidateCoin => ({
  point: { txid: i.toString(16).padStart(64, '0') as Txid, vout: 0 },
  amount: sat(amount),
  weight: weight(size),
  hasWitness,
})
const script = (length: number): Uint8Array => new Uint8Array(length)
/** Enough for a draw; which coins are drawn must not matter to any case. */
const entropy = { bytes: (length: number) => new Uint8Array(length).fill(0x5a) }
const free = { minRate: satPerKvB(0n), dustRate: satPerKvB(0n), entropy } as const

/** Cases about our own search: effective values, and a changeless set or none. */
interface Changeless {
  readonly pool_effective_values: readonly number[]
  readonly target: number
  readonly cost_of_change: number
}

/**
 * Asks for exactly the case: inputs and outputs cost nothing, so that values are effective values, and a satoshi for each
 * vbyte of a later spend makes the cost of change.
 */
function withoutFees({ pool_effective_values, target, cost_of_change }: Changeless) {
  return selectCoins({
    ...free,
    coins: pool_effective_values.map((value, i) => coin(i, BigInt(value), 0, true)),
    payments: [{ script: script(22), amount: sat(BigInt(target)) }],
    change: { outputWeight: bytes(31), spendWeight: bytes(cost_of_change), dust: sat(0n) },
    rate: satPerKvB(0n),
    longTermRate: satPerKvB(1000n),
    feeFrom: 'change',
  })
}

const sorted = (values: readonly (number | bigint)[]): string =>
  [...values]
    .map(Number)
    .sort((a, b) => a - b)
    .join(' ')
const changeless = (answer: ReturnType<typeof selectCoins>): Selection | undefined =>
  answer.ok && answer.value.change === undefined ? answer.value : undefined

interface CoreCase extends Changeless {
  readonly name: string
  readonly expect: readonly number[] | null
}
interface RateCase extends Omit<CoreCase, 'cost_of_change'> {
  readonly feerate_sat_kvb: number
  readonly long_term_feerate_sat_kvb: number
}

const amounts = (selection: Selection | undefined): string =>
  selection ? sorted(selection.coins.map(({ amount }) => amount)) : 'none'

function checkCore(one: CoreCase): Verdict {
  const found = amounts(changeless(withoutFees(one)))
  return differs({ coins: [found, one.expect ? sorted(one.expect) : 'none'] })
}

const P2WPKH_INPUT = 272
const P2WPKH: ChangeShape = { outputWeight: bytes(31), spendWeight: bytes(68), dust: sat(294n) }

function checkRate(one: RateCase): Verdict {
  const rate = BigInt(one.feerate_sat_kvb)
  const fee = (vbytes: bigint) => (rate * vbytes) / 1000n
  const answer = selectCoins({
    ...free,
    coins: one.pool_effective_values.map((value, i) =>
      coin(i, BigInt(value) + fee(68n), P2WPKH_INPUT, true),
    ),
    // Version, counts, lock time, marker and one output come to 41.5 vbytes.
    payments: [{ script: script(22), amount: sat(BigInt(one.target) - fee(42n)) }],
    change: P2WPKH,
    rate: satPerKvB(rate),
    longTermRate: satPerKvB(BigInt(one.long_term_feerate_sat_kvb)),
    feeFrom: 'change',
  })
  const expected = one.expect?.map((value) => BigInt(value) + fee(68n))
  return differs({ coins: [amounts(changeless(answer)), expected ? sorted(expected) : 'none'] })
}

const core = jsonShape<{
  readonly branch_and_bound: readonly CoreCase[]
  readonly feerate_sensitivity: readonly RateCase[]
}>(
  (data) => isRecord(data, 'branch_and_bound', 'feerate_sensitivity'),
  function* (data) {
    for (const one of data.branch_and_bound) yield [one.name, () => checkCore(one)]
    for (const one of data.feerate_sensitivity) yield [one.name, () => checkRate(one)]
  },
)

interface Exhausted extends Changeless {
  readonly sufficient: boolean
  readonly least_excess: number | null
}

const exhausted = jsonShape<readonly Exhausted[]>(
  (data) => isTable(data, 'pool_effective_values', 'sufficient', 'least_excess'),
  function* (data) {
    for (const [i, one] of data.entries()) {
      yield [
        String(i),
        () => {
          const answer = withoutFees(one)
          const excess = changeless(answer)?.fee
          return differs({
            sufficient: [answer.ok, one.sufficient],
            excess: [excess === undefined ? null : Number(excess), one.least_excess],
          })
        },
      ]
    }
  },
)

/** Cases of a library that counts bytes of P2PKH transactions. */
interface Sized {
  readonly value?: unknown
  readonly script?: { readonly length: number }
}
interface LibraryCase {
  readonly description: string
  readonly feeRate: unknown
  readonly inputs: readonly unknown[]
  readonly outputs?: readonly unknown[]
  /** The same output as often as the inputs allow. */
  readonly output?: unknown
  readonly expected: {
    readonly inputs?: readonly Sized[]
    readonly outputs?: readonly Sized[]
    readonly fee?: number
  }
}

const OVERHEAD = 10
const INPUT = 148
const OUTPUT = 34
const asSized = (value: unknown): Sized =>
  typeof value === 'object' && value !== null ? value : { value }
const inputSize = (input: Sized): number => (input.script ? 41 + input.script.length : INPUT)
const outputSize = (output: Sized): number => (output.script ? 9 + output.script.length : OUTPUT)

/** As the interfaces read amounts and rates: whole numbers, no texts, nothing missing. */
const whole = (value: unknown, param: string): Result<Sat, Refusal> =>
  typeof value === 'number'
    ? parseSat(value, param)
    : refuse('AMOUNT_INVALID', `${param} is not a number`, { param })

interface Read {
  readonly request: SelectionRequest
  readonly payments: readonly Sized[]
  readonly rate: bigint
}

/**
 * Where some outputs have no value, the library parts what is left among them: then the outputs are those it came to, or the whole
 * with the fee borne by it where it came to none. All inputs are spent in these cases.
 */
function outputsOf({ inputs, outputs, output, expected }: LibraryCase) {
  const asked = outputs?.map(asSized) ?? []
  const isOpen = asked.length > 0 && asked.every((one) => !('value' in one))
  if (output !== undefined) {
    const one = asSized(output)
    const copies = (expected.outputs ?? [one]).filter(({ value }) => value === one.value)
    return { payments: copies.map(() => one), isAll: true, isBorne: false }
  }
  if (expected.inputs && asked.some((one) => !('value' in one))) {
    return { payments: expected.outputs ?? [], isAll: true, isBorne: false }
  }
  if (!isOpen) return { payments: asked, isAll: false, isBorne: false }
  const whole = inputs.map((input) => Number(asSized(input).value)).reduce((a, b) => a + b, 0)
  return {
    payments: asked.map((one) => ({ ...one, value: whole / asked.length })),
    isAll: true,
    isBorne: true,
  }
}

function read(one: LibraryCase): Result<Read, Refusal> {
  const rate = whole(one.feeRate, 'fee_rate')
  if (!rate.ok) return rate
  const coins: CandidateCoin[] = []
  for (const [i, input] of one.inputs.map(asSized).entries()) {
    const amount = whole(input.value, 'input')
    if (!amount.ok) return amount
    coins.push(coin(i, amount.value, 4 * inputSize(input), false))
  }
  const { payments, isAll, isBorne } = outputsOf(one)
  const planned: { script: Uint8Array; amount: Sat }[] = []
  for (const payment of payments) {
    const amount = whole(payment.value, 'output')
    if (!amount.ok) return amount
    planned.push({ script: script(outputSize(payment) - 9), amount: amount.value })
  }
  const perKvB = satPerKvB(rate.value * 1000n)
  const spend = rate.value * BigInt(INPUT)
  return ok({
    rate: rate.value,
    payments,
    request: {
      ...free,
      coins: isAll ? [] : coins,
      ...(isAll ? { required: coins } : {}),
      payments: planned,
      change: { outputWeight: bytes(OUTPUT), spendWeight: bytes(INPUT), dust: sat(spend + 1n) },
      rate: perKvB,
      // With the same rate later, an input is worth the same then, and waste is change or surplus alone.
      longTermRate: perKvB,
      ...(isBorne ? { dustRate: perKvB } : {}),
      feeFrom: isBorne ? 'payments' : 'change',
    },
  })
}

/** Their waste by the measure of the engine: what change costs now and later, or what is left to the fee. */
function theirWaste({ expected }: LibraryCase, { payments, rate }: Read): bigint {
  const inputs = (expected.inputs ?? []).reduce((sum, input) => sum + inputSize(input), OVERHEAD)
  const size = payments.reduce((sum, payment) => sum + outputSize(payment), inputs)
  const surplus = BigInt(expected.fee ?? 0) - rate * BigInt(size)
  const hasChange = (expected.outputs ?? []).length > payments.length
  return hasChange ? surplus + rate * BigInt(INPUT) : surplus
}

function checkLibrary(one: LibraryCase): Verdict {
  const request = read(one)
  const answer = request.ok ? selectCoins(request.value.request) : request
  if (!one.expected.inputs) return differs({ selection: [answer.ok, false] })
  const { coins, payments, fee, change, waste } = must(answer) as Selection
  const asked = must(request)
  const spent = coins.reduce((sum, { weight: size }) => sum + size / 4, OVERHEAD)
  const paid = asked.payments.reduce((sum, payment) => sum + outputSize(payment), spent)
  const size = BigInt(paid + (change === undefined ? 0 : OUTPUT))
  const total = coins.reduce((sum, { amount }) => sum + amount, 0n)
  const out = payments.reduce((sum, amount) => sum + amount, change ?? 0n)
  const theirs = theirWaste(one, asked)
  return differs({
    balance: [total, out + fee],
    'fee for the size': [fee >= asked.rate * size, true],
    [`waste of ${waste} within ${theirs}`]: [waste <= theirs, true],
  })
}

const library = jsonShape<readonly LibraryCase[]>(
  (data) => isTable(data, 'description', 'feeRate', 'inputs', 'expected'),
  function* (data) {
    for (const [i, one] of data.entries()) {
      yield [`${i} ${one.description}`, () => checkLibrary(one)]
    }
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [core, exhausted, library])
