import {
  type Clock,
  EngineError,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  type SatPerKvB,
  sat,
  satPerKvB,
} from '../../kernel/index.ts'
import type { FeeEstimate, FeeReport } from '../chain/index.ts'

/** A fee rate from outside of the node. Asked before the transaction that uses it, never inside. */
export interface FeeSource {
  /** Stands beside every rate it gave. */
  readonly name: string
  /** Satoshi per 1000 vbytes to be mined within `target` blocks; undefined: it does not know now. What it throws counts as that. */
  rate(target: number): Promise<SatPerKvB | undefined>
}

/** How soon: a target by name, a rate, or a moment (milliseconds since the epoch). */
export type FeeSpeed = Readonly<
  | { kind: 'priority'; priority: 'low' | 'normal' | 'high' }
  | { kind: 'rate'; rate: SatPerKvB }
  | { kind: 'deadline'; at: number }
>

/** A rate and where it comes from; never invented. */
export interface FeeQuote {
  /** Satoshi per 1000 vbytes, not below `minRate` unless the caller asked for less. */
  readonly rate: SatPerKvB
  /** `estimatesmartfee`, the name of a `FeeSource`, `caller`, `fixed`, `mempool_floor` or `relay_floor`. */
  readonly source: string
  /** Blocks within which it should be mined. */
  readonly target?: number
  /** What the node takes at least now, as far as it says so. */
  readonly minRate?: SatPerKvB
  /** What a coin costs to spend on an ordinary day. */
  readonly longTermRate: SatPerKvB
  /** When it was true, milliseconds since the epoch. */
  readonly at: number
}
export type FeeQuoteRefusal = Refusal<'FEE_SOURCE_MISSING'>
/** Answers for the moment; a node that does not answer counts as a source that does not know. */
export type FeeQuotes = (speed: FeeSpeed) => Promise<Result<FeeQuote, FeeQuoteRefusal>>

export interface FeeQuotesOptions {
  /** What the node says (`createFees`). */
  readonly report: () => Promise<Result<FeeReport, Refusal>>
  readonly clock: Clock
  /** Asked in this order where the node has no estimate. */
  readonly sources?: readonly FeeSource[]
  /** Used where nobody knows a rate, because somebody wrote it down on purpose. Nothing is used otherwise. */
  readonly fixed?: SatPerKvB
  /** Bitcoin Core's -consolidatefeerate: 10 sat/vB. */
  readonly longTermRate?: SatPerKvB
}

/** Blocks within which each priority should be mined. */
export const PRIORITY_TARGETS = { high: 2, normal: 6, low: 144 } as const
const LONG_TERM_RATE = satPerKvB(10_000n)
const BLOCK_MS = 10 * 60 * 1000
const MOST_BLOCKS = 144
/** Blocks come at random: half of those that should come before a deadline are counted on. */
const CAUTION = 2

/** The target in blocks; undefined for a rate that the caller names himself. */
export function targetOf(speed: FeeSpeed, now: number): number | undefined {
  switch (speed.kind) {
    case 'rate':
      return undefined
    case 'priority':
      return PRIORITY_TARGETS[speed.priority]
    case 'deadline': {
      const blocks = Math.floor((speed.at - now) / (BLOCK_MS * CAUTION))
      return Math.min(MOST_BLOCKS, Math.max(1, blocks))
    }
  }
}

/**
 * The estimate for a target: of those that promise it the cheapest, else the nearest that there is. High priority, and a target
 * of two blocks, take the careful mode, which does not follow a short dip.
 */
export function estimateFor(
  estimates: readonly FeeEstimate[],
  target: number,
): FeeEstimate | undefined {
  const mode = target <= PRIORITY_TARGETS.high ? 'conservative' : 'economical'
  const usable = estimates.filter((estimate) => estimate.mode === mode)
  const all = usable.length > 0 ? usable : estimates
  const soonEnough = all.filter((estimate) => estimate.target <= target)
  const nearest = all.toSorted((a, b) => a.target - b.target)[0]
  return soonEnough.toSorted((a, b) => b.target - a.target)[0] ?? nearest
}

/** Where fee rates come from, in their order, with provenance. */
export function createFeeQuotes(options: FeeQuotesOptions): FeeQuotes {
  const { clock, sources = [], fixed, longTermRate = LONG_TERM_RATE } = options
  return async (speed) => {
    const at = clock.now()
    const { report, reason } = await askNode(options)
    const floor = floorOf(report)
    const shared = { longTermRate, at, ...(floor ? { minRate: floor.rate } : {}) }
    const target = targetOf(speed, at)
    if (speed.kind === 'rate') return ok({ ...shared, rate: speed.rate, source: 'caller' })
    const wanted = target ?? PRIORITY_TARGETS.normal
    const reasons = reason === undefined ? [] : [reason]
    const found =
      estimateFor(report?.estimates ?? [], wanted) ??
      (await askSources(sources, wanted, reasons)) ??
      (fixed === undefined ? undefined : { rate: fixed, source: 'fixed' })
    if (!found)
      return refuse('FEE_SOURCE_MISSING', 'no source knows what a transaction has to pay now', {
        details: { target: wanted, reasons: reasons.join('; ').slice(0, 500) },
      })
    // Below the floor nothing enters: an estimate may be older than the crowd.
    const { rate, source } = floor && floor.rate > found.rate ? floor : found
    return ok({ ...shared, rate, source, target: wanted })
  }
}

interface NodeWord {
  readonly report?: FeeReport
  readonly reason?: string
}
async function askNode({ report }: FeeQuotesOptions): Promise<NodeWord> {
  try {
    const answer = await report()
    if (answer.ok) return { report: answer.value }
    return { reason: `node: ${answer.error.message}`, ...floorsIn(answer.error) }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    return { reason: `node: ${error.code}` }
  }
}
/** A node without an estimate still names its floors. */
function floorsIn({ details }: Refusal): Pick<NodeWord, 'report'> {
  const floor = (key: string) => {
    const value = details[key]
    return typeof value === 'number'
      ? { rate: satPerKvB(BigInt(value)), source: 'mempool' as const }
      : undefined
  }
  const mempoolMinimum = floor('mempool_minimum_sat_kvb')
  const relayMinimum = floor('relay_minimum_sat_kvb')
  return {
    report: {
      estimates: [],
      reasons: [],
      at: 0,
      ...(mempoolMinimum ? { mempoolMinimum } : {}),
      ...(relayMinimum ? { relayMinimum } : {}),
    },
  }
}

function floorOf(report: FeeReport | undefined) {
  const mempool = report?.mempoolMinimum?.rate ?? 0n
  const relay = report?.relayMinimum?.rate ?? 0n
  if (mempool === 0n && relay === 0n) return undefined
  return mempool > relay
    ? { rate: satPerKvB(mempool), source: 'mempool_floor' }
    : { rate: satPerKvB(relay), source: 'relay_floor' }
}

async function askSources(
  sources: readonly FeeSource[],
  target: number,
  reasons: string[],
): Promise<{ readonly rate: SatPerKvB; readonly source: string } | undefined> {
  for (const source of sources) {
    try {
      const rate = await source.rate(target)
      if (rate !== undefined && rate > 0n) return { rate, source: source.name }
      reasons.push(`${source.name}: no rate`)
    } catch (error) {
      // Somebody else's code and somebody else's server: whatever it throws is no rate.
      reasons.push(`${source.name}: ${error instanceof Error ? error.name : 'failed'}`)
    }
  }
  return undefined
}

const MILLION = 1_000_000n

/** The lower one of an absolute ceiling and one by the amount that is moved, in parts per million of it. */
export function feeCeiling(
  amount: Sat,
  ceilings: { readonly maxFee: Sat; readonly maxFeePpm?: number },
): Sat {
  const { maxFee, maxFeePpm } = ceilings
  if (maxFeePpm === undefined) return maxFee
  const relative = (amount * BigInt(maxFeePpm)) / MILLION
  return relative < maxFee ? sat(relative) : maxFee
}
