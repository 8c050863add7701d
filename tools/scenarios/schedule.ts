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
  /** What the best chain pays each destination, satoshi. */
  readonly paid?: Readonly<Record<string, number>>
  /** Transactions to each destination, mined and waiting. */
  readonly transactions_to?: Readonly<Record<string, number>>
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
export interface FaultStep {
  readonly rpc: string
  readonly kind: 'timeout_before' | 'timeout_after' | 'error'
  readonly code?: number
  readonly message?: string
}
export interface WithdrawStep {
  readonly key: string
  readonly to: string
  readonly amount: number
  /** The coin is so exact that what is left is fee. */
  readonly no_change?: boolean
  readonly expect_error?: string
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
  readonly fault?: FaultStep
  readonly expect?: Readonly<Record<string, Expectation>>
  readonly parallel?: readonly Step[]
  readonly withdraw?: WithdrawStep
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
/** Explained by the file's terms, used by none of its schedules. */
const IDLE_WORDS: readonly (keyof Step)[] = ['bump', 'crash', 'mine_original_of']

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
  withdraw: ['key', 'to', 'amount', 'no_change', 'expect_error'],
  fault: ['rpc', 'kind', 'code', 'message'],
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
    ...allSteps(schedule.steps).flatMap((step) => [
      ...Object.keys(step)
        .filter((word) => !WORDS.has(word))
        .map((word) => `unknown step ${word}`),
      ...strange('withdraw', step.withdraw ?? {}),
      ...strange('fault', step.fault ?? {}),
    ]),
    ...strange('final', schedule.final ?? {}),
  ]
}

/** Why a schedule cannot be run yet; undefined when it can. */
export function reasonToSkip({ steps }: Schedule): string | undefined {
  const word = IDLE_WORDS.find((one) => allSteps(steps).some((step) => step[one] !== undefined))
  return word && `nothing here can ${word} yet`
}

/** Whether the engine has to pay out, with a node that takes its transactions. */
export const paysOut = ({ steps, wallet }: Schedule): boolean =>
  wallet !== undefined ||
  allSteps(steps).some(({ withdraw, fault }) => withdraw !== undefined || fault !== undefined)
