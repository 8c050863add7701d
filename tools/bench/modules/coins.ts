import { sat, satPerKvB, type Txid, weight } from '@kaccy/bitcoin/kernel'
import {
  type CandidateCoin,
  type CoinPool,
  preparePool,
  selectCoins,
} from '@kaccy/bitcoin/protocol/coins'
import { selectUTXO } from '@scure/btc-signer'
import { costLine, type Report } from '../measure.ts'
import { type Random, seeded } from '../synthetic.ts'

export const name = 'coins'

/** P2WPKH coins, two recipients, 20 sat/vB now and 10 on an ordinary day. */
const RATE = 20
const LONG_TERM = 10
const INPUT = 68
const OUTPUT = 31
const SCRIPT = Uint8Array.from([0, 20, ...new Array<number>(20).fill(7)])
const RECIPIENTS = [
  'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu',
  'bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g',
] as const
const CHANGE = 'bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el'
const PEER = 'selectUTXO of btc-signer'

interface Made {
  readonly inputs: number
  readonly fee: number
  readonly hasChange: boolean
}
/** Chooses for a payment of `target` satoshi in two halves. */
type Choose = (target: number) => Made

const fraction = (random: Random): number => (random.int(0xffff_fffe) + 1) / 0xffff_ffff
/** Amounts as wallets have them: log-normal, a median of 200,000 sat. */
function amounts(random: Random, count: number): number[] {
  const normal = () =>
    Math.sqrt(-2 * Math.log(fraction(random))) * Math.cos(2 * Math.PI * fraction(random))
  return Array.from({ length: count }, () =>
    Math.max(2_000, Math.round(Math.exp(12.2 + 1.5 * normal()))),
  )
}

const halves = (target: number) => [Math.floor(target / 2), target - Math.floor(target / 2)]

const coinsOf = (values: readonly number[]): CandidateCoin[] =>
  values.map((value, i) => ({
    point: { txid: i.toString(16).padStart(64, '0') as Txid, vout: 0 },
    amount: sat(BigInt(value)),
    weight: weight(4 * INPUT),
    hasWitness: true,
  }))

function ours(pool: CoinPool): Choose {
  const random = seeded(3)
  return (target) => {
    const answer = selectCoins({
      coins: pool,
      payments: halves(target).map((amount) => ({ script: SCRIPT, amount: sat(BigInt(amount)) })),
      change: {
        outputWeight: weight(4 * OUTPUT),
        spendWeight: weight(4 * INPUT),
        dust: sat(294n),
      },
      rate: satPerKvB(BigInt(RATE * 1000)),
      longTermRate: satPerKvB(BigInt(LONG_TERM * 1000)),
      entropy: random,
      feeFrom: 'change',
    })
    if (!answer.ok) throw new TypeError(answer.error.message)
    const { coins, fee, change } = answer.value
    return { inputs: coins.length, fee: Number(fee), hasChange: change !== undefined }
  }
}

function peer(values: readonly number[]): Choose {
  const coins = values.map((value, i) => {
    const txid = new Uint8Array(32)
    new DataView(txid.buffer).setUint32(0, i + 1)
    return { txid, index: 0, witnessUtxo: { amount: BigInt(value), script: SCRIPT } }
  })
  return (target) => {
    const outputs = halves(target).map((amount, i) => ({
      address: RECIPIENTS[i] as string,
      amount: BigInt(amount),
    }))
    const made = selectUTXO(coins, outputs, 'default', {
      feePerByte: BigInt(RATE),
      changeAddress: CHANGE,
      createTx: false,
      allowLegacyWitnessUtxo: true,
    })
    if (!made) throw new TypeError('the peer found nothing')
    return { inputs: made.inputs.length, fee: Number(made.fee), hasChange: made.change }
  }
}

/** Bitcoin Core's waste, by one measure for everybody: the fee beyond what inputs cost later, and the cost of change. */
function wasteOf({ inputs, fee, hasChange }: Made): number {
  const base = (10.5 + 2 * OUTPUT) * RATE
  return fee - base - inputs * INPUT * LONG_TERM + (hasChange ? INPUT * LONG_TERM : 0)
}

/** Milliseconds of each choice, the best of some tries, and the waste of all. */
function measure(choose: Choose, targets: readonly number[], tries: number) {
  const times: number[] = []
  let waste = 0
  for (const target of targets) {
    let best = Number.POSITIVE_INFINITY
    let made: Made | undefined
    for (let i = 0; i < tries; i++) {
      const start = performance.now()
      made = choose(target)
      best = Math.min(best, performance.now() - start)
    }
    times.push(best)
    if (made) waste += wasteOf(made)
  }
  times.sort((a, b) => a - b)
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  return { mean, p95: times[Math.floor(times.length * 0.95)] ?? 0, waste: waste / targets.length }
}

/** Milliseconds, the best of three. */
function timed(work: () => unknown): number {
  const times = [0, 1, 2].map(() => {
    const start = performance.now()
    work()
    return performance.now() - start
  })
  return Math.min(...times)
}

/** `shared`: how many targets the peer has the patience for; both are compared on these. */
function compare(report: Report, count: number, shared: number): void {
  const random = seeded(count)
  const values = amounts(random, count)
  const targets = Array.from({ length: 200 }, () =>
    Math.round(50_000 * Math.exp(fraction(random) * Math.log(400))),
  )
  const coins = coinsOf(values)
  const choose = ours(preparePool(coins))
  measure(choose, targets, 2)
  const all = measure(choose, targets, 5)
  const same = measure(choose, targets.slice(0, shared), 5)
  const other = measure(peer(values), targets.slice(0, shared), 1)
  const text = count.toLocaleString('en')
  const line = (what: string, unit: string, value: number, baseline: string, theirs: number) =>
    report(costLine(`${what} ${text}`, unit, value, baseline, theirs))
  line('choose coins among', 'ms', all.mean, PEER, other.mean)
  line('the same, 95 % are below, among', 'ms', all.p95, PEER, other.p95)
  line('mean waste of a choice among', 'sat', same.waste, PEER, other.waste)
  const sorting = timed(() => [...coins].sort((a, b) => Number(b.amount - a.amount)))
  const preparing = timed(() => preparePool(coins).view(satPerKvB(20_000n), 'effective_value'))
  line('prepare a pool of', 'ms', preparing, 'Array.sort by amount', sorting)
}

export async function run(report: Report): Promise<void> {
  compare(report, 1_000, 20)
  compare(report, 10_000, 6)
  compare(report, 100_000, 1)
}
