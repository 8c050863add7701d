import {
  assert,
  type BlockRef,
  feeFor,
  type OutPoint,
  outPointKey,
  paymentId,
  type SatPerKvB,
  satPerKvB,
  type Txid,
} from '../../kernel/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import type { LookCoin, LookExpectation } from '../../protocol/last-look/index.ts'
import { DEFAULT_DUST_RATE } from '../../protocol/amounts/index.ts'
import { DEFAULT_RELAY_RATE } from '../../protocol/coins/index.ts'
import { CHANGE } from '../wallet/index.ts'
import type { OwedPayment } from './owner.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'
import type { SpendingTx } from './transaction.ts'

/** What nodes relay at most. Source: Bitcoin Core, MAX_STANDARD_TX_WEIGHT. */
const MAX_WEIGHT = 400_000
/**
 * Signatures may be some bytes shorter than planned for, which makes the same fee a higher rate: never by a twentieth. The fee
 * itself is held to the ceiling at the planned weight.
 */
const RATE_SLACK = 20n
/** Blocks whose times make the median. Source: BIP 113. */
const MEDIAN_BLOCKS = 11

export interface ExpectationInput {
  readonly spend: SpendRecord
  readonly version: VersionRecord
  readonly descriptor: Descriptor
  /** From the requests' own rows (`SpendOwner.owed`), never from the plan. */
  readonly owed: readonly OwedPayment[]
  readonly tip: BlockRef
  readonly dustRate?: SatPerKvB
}

/**
 * What the last look has to find in the final bytes: coins from the facts of the chain and our leases, payments from the requests,
 * ceilings from the plan that people approved. Nothing of it is read from the PSBT or the signed bytes.
 * @returns undefined when a coin of the version is not leased to its spend, or not ours: then nothing may be sent
 */
export async function expectationOf(
  tx: SpendingTx,
  input: ExpectationInput,
): Promise<LookExpectation | undefined> {
  const { spend, version, descriptor, owed, tip } = input
  const { transaction } = version
  const coins = await coinsOf(tx, spend, version)
  if (!coins) return undefined
  const keychains = await tx.wallet.keychains(spend.wallet)
  const mostFee = feeFor(version.maxRate, version.weight)
  const relayed = version.rate < DEFAULT_RELAY_RATE ? version.rate : DEFAULT_RELAY_RATE
  return {
    descriptor,
    coins,
    anchor: spend.anchor,
    payments: version.kind === 'cancel' ? [] : owed,
    change: transaction.outputs.flatMap(({ role, amount }) =>
      role.kind === 'change' && role.branch === CHANGE ? [{ index: role.index, amount }] : [],
    ),
    changeEnd: keychains.find(({ branch }) => branch === CHANGE)?.nextIndex ?? 0,
    version: transaction.version,
    lockTime: transaction.lockTime,
    unsignedTxid: version.hash as Txid,
    limits: {
      maxFee: mostFee < version.maxFee ? mostFee : version.maxFee,
      maxRate: satPerKvB(version.maxRate + version.maxRate / RATE_SLACK),
      minRate: satPerKvB(relayed),
      dustRate: input.dustRate ?? DEFAULT_DUST_RATE,
      maxWeight: MAX_WEIGHT,
    },
    tip: { height: tip.height, medianTime: await medianTime(tx, tip) },
  }
}

/** The leased coins of a version as the chain has them; change of a parent that no mempool shows, as we planned it. */
async function coinsOf(
  tx: SpendingTx,
  spend: SpendRecord,
  { transaction }: VersionRecord,
): Promise<readonly LookCoin[] | undefined> {
  const points: OutPoint[] = transaction.inputs.map(({ txid, vout }) => ({ txid, vout }))
  const leases = await tx.coins.leasesOf(spend.id)
  const leased = new Set(leases.map(({ point }) => outPointKey(point)))
  const payments = await tx.deposits.payments(points.map(paymentId))
  const known = new Map(payments.map((payment) => [outPointKey(payment.point), payment]))
  const coins: LookCoin[] = []
  for (const [i, point] of points.entries()) {
    const key = outPointKey(point)
    const coin = known.get(key) ?? (await plannedChange(tx, point))
    if (!coin || coin.wallet !== spend.wallet || !leased.has(key)) return undefined
    const { amount, script, branch, index } = coin
    const sequence = transaction.inputs[i]?.sequence
    assert(sequence !== undefined, 'an input without sequence')
    coins.push({ ...point, amount, script, branch, index, sequence })
  }
  return coins
}

/** The change of one of our own transactions that the chain has not shown us yet. */
export async function plannedChange(tx: Pick<SpendingTx, 'spending'>, { txid, vout }: OutPoint) {
  const parent = await tx.spending.versionByTxid(txid)
  const output = parent?.transaction.outputs[vout]
  if (!parent || output?.role.kind !== 'change') return undefined
  const { branch, index } = output.role
  return { wallet: parent.wallet, amount: output.amount, script: output.script, branch, index }
}

async function medianTime(
  { chain }: Pick<SpendingTx, 'chain'>,
  { height }: BlockRef,
): Promise<number> {
  const heights = Array.from({ length: MEDIAN_BLOCKS }, (_, i) => height - i).filter((h) => h >= 0)
  const times = (await chain.headersAt(heights)).map(({ time }) => time).sort((a, b) => a - b)
  return times[Math.floor(times.length / 2)] ?? 0
}
