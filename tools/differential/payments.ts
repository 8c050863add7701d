import type { Random } from '../simulate/random.ts'
import type { Coin, Ledger } from './ledger.ts'
import { anyLock, dataLock, type LockPath, simpleLock } from './locks.ts'
import { vsizeOf, type WireOutput, type WireTransaction } from './wire.ts'

/** Coins to choose from, for a transaction on top of the tip and the mempool. */
export interface Purse {
  readonly ledger: Ledger
  readonly random: Random
  readonly mature: readonly Coin[]
  readonly immature: readonly Coin[]
  /** Outputs of the mempool that nothing in it spends. */
  readonly pending: readonly Coin[]
  /** Confirmed coins that a mempool transaction spends. */
  readonly contested: readonly Coin[]
}
/** A transaction in the making: signed last, so that a change before that is covered by the signatures. */
export interface Draft {
  readonly purse: Purse
  readonly transaction: WireTransaction
  readonly spent: Coin[]
  readonly paths: (LockPath | undefined)[]
  /** What was done to it, for the report. */
  readonly notes: string[]
}

const DEFAULT_SEQUENCES = [0xffffffff, 0xfffffffe, 0xfffffffd, 0xfffffffd, 0]

export function addInput(draft: Draft, coin: Coin): void {
  const { random } = draft.purse
  draft.transaction.inputs.push({
    txid: coin.txid,
    vout: coin.vout,
    script: new Uint8Array(),
    sequence: random.pick(DEFAULT_SEQUENCES) ?? 0,
    witness: [],
  })
  draft.spent.push(coin)
  draft.paths.push(random.pick(coin.lock?.paths ?? []))
}
/** Gives the transaction what the chosen paths ask for. */
export function meetNeeds({ transaction, paths, purse }: Draft): void {
  paths.forEach((path, i) => {
    const input = transaction.inputs[i]
    if (!path || !input) return
    const { version, sequence, locktime } = path.needs
    if (version !== undefined) transaction.version = Math.max(transaction.version, version)
    if (sequence !== undefined) {
      const more = purse.random.chance(20) ? purse.random.between(0, 3) : 0
      input.sequence = sequence + more
    }
    if (locktime !== undefined) {
      transaction.locktime = Math.max(transaction.locktime, locktime)
      if (sequence === undefined && input.sequence === 0xffffffff) input.sequence = 0xfffffffe
    }
  })
}
export const sumOf = (outputs: readonly WireOutput[]): bigint =>
  outputs.reduce((sum, { value }) => sum + value, 0n)

function addOutputs(draft: Draft, strict: boolean): void {
  const { ledger, random } = draft.purse
  const count = random.weighted({ one: 4, two: 5, more: 2 })
  const poor = sumOf(draft.spent) < 100_000n
  const many = poor || count === 'one' ? 1 : count === 'two' ? 2 : random.between(3, 8)
  const each = sumOf(draft.spent) / BigInt(many)
  for (let i = 0; i < many; i++) {
    const lock = anyLock(random, ledger.moment, strict)
    const value = (each * BigInt(random.between(85, 100))) / 100n
    draft.transaction.outputs.push({ value, script: ledger.register(lock) })
  }
  if (random.chance(6)) {
    draft.transaction.outputs.push({ value: 0n, script: dataLock(random).script })
  }
  if (random.chance(4)) {
    const edge = BigInt(
      (random.pick([294, 330, 354, 540, 546, 240]) ?? 546) + random.between(-1, 1),
    )
    const lock = random.chance(50) ? simpleLock(random) : anyLock(random, ledger.moment, true)
    draft.transaction.outputs.push({ value: edge, script: ledger.register(lock) })
  }
}
/** Takes so much from the first outputs that exactly `fee` remains, as far as they reach. */
export function setFee(draft: Draft, fee: bigint): void {
  let missing = fee - (sumOf(draft.spent) - sumOf(draft.transaction.outputs))
  for (const output of draft.transaction.outputs) {
    if (missing === 0n || output.value === 0n) continue
    const change = missing > output.value ? output.value : missing
    output.value -= change
    missing -= change
  }
}
export function sign(draft: Draft): void {
  const { transaction, spent, paths, purse } = draft
  transaction.inputs.forEach((input, index) => {
    const path = paths[index]
    if (!path) return
    try {
      const place = { transaction, index, spent }
      const { script, witness } = path.unlock(place, purse.random)
      input.script = script
      input.witness = witness
    } catch {
      // No signature hash exists for what the draft was bent into: it goes out unsigned.
      draft.notes.push('unsigned')
    }
  })
}

function chooseFee(draft: Draft): void {
  const { random } = draft.purse
  const kind = random.weighted({ normal: 86, edge: 8, low: 2, none: 2, high: 2 })
  const sat = (from: number, to: number) => BigInt(random.between(from, to))
  if (kind === 'normal') setFee(draft, sat(2_000, 40_000))
  else if (kind === 'low') setFee(draft, sat(0, 300))
  else if (kind === 'none') setFee(draft, 0n)
  else if (kind === 'high') setFee(draft, sat(1_000_000, 30_000_000))
  else {
    // Right at the relay fee: signatures of the second pass may differ by a byte, which is welcome.
    sign(draft)
    setFee(draft, BigInt(vsizeOf(draft.transaction) + random.between(-1, 1)))
  }
  if (kind !== 'normal') draft.notes.push(`${kind} fee`)
}
/** Mostly what is worth more, so that dust does not fill the purse. */
const richer = (one: Coin | undefined, two: Coin | undefined): Coin | undefined =>
  one && two && two.value > one.value ? two : one
function chooseCoins(draft: Draft): void {
  const { random, mature, pending, contested } = draft.purse
  const count = random.weighted({ one: 10, two: 5, some: 2 })
  const many = count === 'one' ? 1 : count === 'two' ? 2 : random.between(3, 6)
  const used = new Set<string>()
  for (let i = 0; i < many; i++) {
    const from = random.weighted({ mature: 70, pending: 25, contested: 5 })
    const list = from === 'pending' ? pending : from === 'contested' ? contested : mature
    const coin = richer(random.pick(list), random.pick(list)) ?? random.pick(mature)
    if (!coin || used.has(coin.key)) continue
    // What nobody can open is tried now and then.
    if (!coin.lock?.paths.length && !random.chance(10)) continue
    used.add(coin.key)
    addInput(draft, coin)
  }
  const fallback = mature.find((coin) => coin.lock?.paths.length)
  if (draft.spent.length === 0 && fallback) addInput(draft, fallback)
}

/** A payment that keeps the rules, as far as the chosen coins and moments allow. Unsigned. */
export function draftPayment(purse: Purse): Draft {
  const { random } = purse
  const version = random.weighted({ two: 85, one: 8, three: 6, high: 1 })
  const versions = { one: 1, two: 2, three: 3, high: 0xffffffff }
  const transaction = { version: versions[version], inputs: [], outputs: [], locktime: 0 }
  const draft: Draft = { purse, transaction, spent: [], paths: [], notes: [] }
  chooseCoins(draft)
  addOutputs(draft, random.chance(85))
  meetNeeds(draft)
  chooseFee(draft)
  return draft
}
