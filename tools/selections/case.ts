/** Random requests for coins, the same for the same seed. Built to hit edges: exact sums, twins, 253 inputs, ceilings. */
import { type Sat, type SatPerKvB, sat, satPerKvB, type Txid, weight } from '@kaccy/bitcoin/kernel'
import type {
  CandidateCoin,
  ChangeShape,
  PlannedPayment,
  SelectionRequest,
} from '@kaccy/bitcoin/protocol/coins'
import { Random } from '../simulate/random.ts'

/** How an input of a kind looks when it is signed: length of its script, lengths of its witness items. */
export interface Kind {
  readonly name: string
  readonly script: number
  readonly witness: readonly number[]
  readonly weight: number
  readonly outputScript: Uint8Array
  /** The dust limit at 3 sat/vB, from Bitcoin Core's table. */
  readonly dust: bigint
}
const outputScript = (length: number, ...start: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(length)
  bytes.set(start)
  return bytes
}
/** Weights by hand: they are compared with those that the engine plans. */
export const KINDS: readonly Kind[] = [
  {
    name: 'pkh',
    script: 107,
    witness: [],
    weight: 592,
    outputScript: outputScript(25, 0x76),
    dust: 546n,
  },
  {
    name: 'wpkh',
    script: 0,
    witness: [72, 33],
    weight: 272,
    outputScript: outputScript(22, 0, 20),
    dust: 294n,
  },
  {
    name: 'sh(wpkh)',
    script: 23,
    witness: [72, 33],
    weight: 364,
    outputScript: outputScript(23, 0xa9),
    dust: 540n,
  },
  {
    name: 'wsh(sortedmulti)',
    script: 0,
    witness: [0, 72, 72, 105],
    weight: 418,
    outputScript: outputScript(34, 0, 32),
    dust: 330n,
  },
  {
    name: 'tr',
    script: 0,
    witness: [64],
    weight: 230,
    outputScript: outputScript(34, 0x51, 32),
    dust: 330n,
  },
]

export interface Case {
  readonly seed: number
  readonly request: Omit<SelectionRequest, 'coins'> & { readonly coins: readonly CandidateCoin[] }
  /** The kind of each coin and each required coin, by the first digits of its txid. */
  readonly kinds: ReadonlyMap<Txid, Kind>
}

const OP_RETURN = outputScript(30, 0x6a, 28)

/** Between two amounts, as often in each order of magnitude. */
const spread = (random: Random, from: number, to: number): number =>
  Math.floor(from * Math.exp((random.next() / 0x1_0000_0000) * Math.log(to / from)))

class Builder {
  readonly kinds = new Map<Txid, Kind>()
  readonly #random: Random
  readonly #mixed: boolean
  readonly #kind: Kind
  #coins = 0

  constructor(random: Random) {
    this.#random = random
    this.#mixed = random.chance(25)
    this.#kind = this.anyKind()
  }

  anyKind(): Kind {
    return this.#random.pick(KINDS) ?? (KINDS[0] as Kind)
  }
  get mainKind(): Kind {
    return this.#kind
  }

  coin(amount: number): CandidateCoin {
    const kind = this.#mixed ? this.anyKind() : this.#kind
    const txid = (this.#coins++).toString(16).padStart(64, '0') as Txid
    this.kinds.set(txid, kind)
    return {
      point: { txid, vout: this.#random.between(0, 3) },
      amount: sat(BigInt(amount)),
      weight: weight(kind.weight),
      hasWitness: kind.witness.length > 0,
      ...(this.#random.chance(30) ? { group: `script ${this.#random.between(0, 3)}` } : {}),
    }
  }

  coins(count: number): CandidateCoin[] {
    const random = this.#random
    const isCoarse = random.chance(20)
    return Array.from({ length: count }, () => {
      const amount = spread(random, 100, random.chance(50) ? 200_000 : 500_000_000)
      return this.coin(isCoarse ? Math.max(100, amount - (amount % 5_000)) : amount)
    })
  }
}

function sizeOfPool(random: Random): number {
  if (random.chance(70)) return random.between(0, 12)
  if (random.chance(90)) return random.between(13, 60)
  return random.between(240, 300)
}

/** Payments that take a part of the pool, often exactly what some of its coins bring. */
function paymentsFor(
  random: Random,
  builder: Builder,
  coins: readonly CandidateCoin[],
  rate: number,
) {
  if (random.chance(3)) return []
  const count = random.chance(95) ? random.between(1, 4) : random.between(250, 256)
  const some = coins.filter(() => random.chance(coins.length > 100 ? 95 : 40))
  let due = 0
  for (const coin of some) due += Number(coin.amount) - Math.floor((coin.weight * rate) / 4000)
  due -= Math.floor((rate * (11 + 33 * count)) / 1000) + random.between(-600, 600)
  if (due < 600 * count || random.chance(25)) due = spread(random, 600, 50_000_000)
  if (random.chance(5)) due = random.between(0, 2_000)
  const payments: PlannedPayment[] = []
  let left = Math.max(0, due)
  for (let i = 0; i < count; i++) {
    const part = i === count - 1 ? left : Math.floor(left / (count - i))
    left -= part
    const isData = random.chance(2)
    const script = isData ? OP_RETURN : builder.anyKind().outputScript
    payments.push({ script, amount: sat(BigInt(isData ? 0 : part)) })
  }
  return payments
}

function ceilings(random: Random, rate: number): Partial<Omit<SelectionRequest, 'coins'>> {
  const kvb = (value: number): SatPerKvB => satPerKvB(BigInt(value))
  const satoshi = (value: number): Sat => sat(BigInt(value))
  return {
    ...(random.chance(20) ? { maxFee: satoshi(spread(random, 100, 200_000)) } : {}),
    ...(random.chance(20) ? { maxRate: kvb(rate + random.between(-200, 3_000)) } : {}),
    ...(random.chance(15)
      ? {
          minFee: {
            fee: satoshi(spread(random, 1, 50_000)),
            rate: kvb(random.chance(50) ? 1_000 : rate + random.between(-500, 500)),
          },
        }
      : {}),
    ...(random.chance(10) ? { maxWeight: weight(random.between(400, 6_000)) } : {}),
    ...(random.chance(30) ? { minChange: satoshi(spread(random, 300, 100_000)) } : {}),
    ...(random.chance(10) ? { minRate: kvb(random.between(500, 2_000)) } : {}),
  }
}

export function caseOf(seed: number): Case {
  const random = new Random(seed)
  const builder = new Builder(random)
  const rate = random.chance(30) ? 1_000 * random.between(1, 50) : spread(random, 1_000, 300_000)
  const coins = builder.coins(sizeOfPool(random))
  const required = random.chance(15) ? builder.coins(random.between(1, 3)) : undefined
  const change = builder.mainKind
  const shape: ChangeShape = {
    outputWeight: weight(4 * (9 + change.outputScript.length)),
    spendWeight: weight(change.weight),
    dust: sat(change.dust),
  }
  // Coins that have to be in may stand in the pool as well.
  const offered: readonly CandidateCoin[] =
    required && random.chance(50) ? [...coins, ...required] : coins
  return {
    seed,
    kinds: builder.kinds,
    request: {
      ...(required ? { required } : {}),
      coins: offered,
      payments: paymentsFor(random, builder, [...coins, ...(required ?? [])], rate),
      change: shape,
      rate: satPerKvB(BigInt(rate)),
      longTermRate: satPerKvB(BigInt(spread(random, 1_000, 100_000))),
      ...ceilings(random, rate),
      entropy: { bytes: (length) => Uint8Array.from({ length }, () => random.between(0, 255)) },
      feeFrom: random.chance(20) ? 'payments' : 'change',
      avoidPartialSpends: random.chance(20),
    },
  }
}
