/** Chain schedules as `vectors/scenarios/chain_schedules.json` writes them; its README explains every word. */
export interface ScheduleFile {
  readonly defaults: {
    readonly credit_at: number
    readonly finalize_at: number
    readonly expiry_s: number
    readonly tolerance_sat: number
  }
  readonly schedules: readonly Schedule[]
}
export interface Schedule {
  readonly name: string
  readonly why?: string
  readonly orders: readonly {
    readonly id: string
    readonly amount?: number
    readonly address: string
  }[]
  readonly steps: readonly Step[]
  readonly final?: Final
  readonly wallet?: readonly number[]
}
export interface Final {
  readonly credited?: Readonly<Record<string, number>>
  readonly reversals?: number
  readonly alerts?: readonly string[]
  /** What withdrawals paid. */
  readonly paid?: unknown
  readonly transactions_to?: unknown
}
export interface Expectation {
  readonly state?: string
  readonly match?: string
  readonly late?: boolean
  readonly seen?: number
  readonly credited?: number
}
export interface TxStep {
  readonly id: string
  readonly ins: readonly string[]
  readonly outs: readonly (readonly [string, number])[]
  readonly rbf: boolean
}
export interface ReorgStep {
  readonly drop: number
  readonly blocks: readonly (readonly string[])[]
  readonly lose?: readonly string[]
}
/** A step has one of these words; `down` may have `blind` beside it. */
export interface Step {
  readonly tx?: TxStep
  readonly mine?: readonly string[]
  readonly mine_empty?: number
  readonly mine_coinbase_to?: string
  readonly reorg?: ReorgStep
  readonly evict?: readonly string[]
  readonly restart?: number
  readonly down?: number
  readonly poll?: number
  readonly clock?: number
  readonly blind?: boolean
  readonly fault?: { readonly rpc: string; readonly kind: string; readonly code?: number }
  readonly expect?: Readonly<Record<string, Expectation>>
  readonly parallel?: readonly Step[]
  readonly withdraw?: unknown
  readonly bump?: unknown
  readonly crash?: unknown
  readonly mine_original_of?: unknown
}

const WORDS: ReadonlySet<string> = new Set([
  'tx',
  'mine',
  'mine_empty',
  'mine_coinbase_to',
  'reorg',
  'evict',
  'restart',
  'down',
  'poll',
  'clock',
  'blind',
  'fault',
  'expect',
  'parallel',
  'withdraw',
  'bump',
  'crash',
  'mine_original_of',
])
const PAYOUT_WORDS: readonly (keyof Step)[] = ['withdraw', 'bump', 'crash', 'mine_original_of']

/** @throws TypeError for a file of another shape. */
export function parseSchedules(text: string): ScheduleFile {
  const file = JSON.parse(text) as Partial<ScheduleFile>
  if (!Array.isArray(file.schedules)) throw new TypeError('no list of schedules')
  const defaults = {
    credit_at: 3,
    finalize_at: 6,
    expiry_s: 3600,
    tolerance_sat: 0,
    ...file.defaults,
  }
  return { defaults, schedules: file.schedules }
}

/** The steps and those that happen beside each other in one of them. */
const allSteps = (steps: readonly Step[]): readonly Step[] =>
  steps.flatMap((step) => [step, ...allSteps(step.parallel ?? [])])

const KNOWN = {
  schedule: ['name', 'why', 'orders', 'steps', 'final', 'wallet'],
  order: ['id', 'amount', 'address'],
  final: ['credited', 'reversals', 'alerts', 'paid', 'transactions_to'],
} as const

/** Words that nobody knows here: what is not understood must not pass. */
export function unknownWords(schedule: Schedule): readonly string[] {
  const strange = (what: keyof typeof KNOWN, value: object) =>
    Object.keys(value)
      .filter((word) => !(KNOWN[what] as readonly string[]).includes(word))
      .map((word) => `unknown word in ${what}: ${word}`)
  return [
    ...strange('schedule', schedule),
    ...schedule.orders.flatMap((order) => strange('order', order)),
    ...allSteps(schedule.steps).flatMap((step) =>
      Object.keys(step)
        .filter((word) => !WORDS.has(word))
        .map((word) => `unknown step ${word}`),
    ),
    ...strange('final', schedule.final ?? {}),
  ]
}

/** Why a schedule cannot be run yet; undefined when it can. */
export function reasonToSkip(schedule: Schedule): string | undefined {
  const { final, steps, wallet } = schedule
  const payout =
    allSteps(steps).some((step) => PAYOUT_WORDS.some((word) => step[word] !== undefined)) ||
    final?.paid !== undefined ||
    final?.transactions_to !== undefined
  return payout || wallet ? 'there are no withdrawals yet' : undefined
}
