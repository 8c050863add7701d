import type { PayoutWorld, Told } from './payouts-world.ts'

/** One step of a story: what the process is told about the request, or what happens outside of it. */
export type StoryStep =
  | ((externalId: string) => Told)
  | { readonly outside: (world: PayoutWorld) => void }
export interface Story {
  readonly name: string
  readonly amount: number
  readonly maxRate?: number
  /** After the request was made. */
  readonly steps: readonly StoryStep[]
}

const turn = (what: 'plan' | 'sign' | 'send' | 'bump') => (): Told => ({ do: 'turn', turn: what })
const [plan, sign, send, bumpDue] = [turn('plan'), turn('sign'), turn('send'), turn('bump')]
const look = (): Told => ({ do: 'look' })
const bump = (externalId: string): Told => ({ do: 'bump', externalId, rate: 20_000 })
const decide =
  (what: 'cancel' | 'approve' | 'reject') =>
  (externalId: string): Told => ({ do: what, externalId })
const cancel = decide('cancel')
const outside = (act: (world: PayoutWorld) => void): StoryStep => ({ outside: act })
const mined = (blocks: number) => [outside(({ devnet }) => void devnet.mine(blocks)), look] as const
const pass = (minutes: number) => outside((world) => world.pass(minutes * 60_000))
const evict = outside(({ devnet }) => void devnet.evict(...devnet.view.mempool()))
const feeSpike = (rate: number) => outside(({ devnet }) => devnet.feeSpike(rate))
const paid = [plan, sign, send] as const

/** Together they make every kind of commit that a payout makes. */
export const STORIES: readonly Story[] = [
  { name: 'paid', amount: 20_000, steps: [...paid, ...mined(1), ...mined(5)] },
  { name: 'bumped', amount: 21_000, steps: [...paid, bump, sign, send, ...mined(1), ...mined(5)] },
  { name: 'cancelled in the queue', amount: 22_000, steps: [cancel] },
  { name: 'cancelled before anybody saw it', amount: 23_000, steps: [plan, cancel] },
  {
    name: 'cancelled after signers saw it',
    amount: 24_000,
    steps: [...paid, cancel, sign, send, ...mined(1), ...mined(5)],
  },
  { name: 'too dear', amount: 25_000, maxRate: 1000, steps: [plan, cancel] },
  {
    name: 'approved by a person',
    amount: 10_100_000,
    steps: [decide('approve'), ...paid, ...mined(6)],
  },
  { name: 'rejected by a person', amount: 10_200_000, steps: [decide('reject')] },
  {
    name: 'forgotten by the mempool',
    amount: 26_000,
    steps: [...paid, look, evict, look, pass(40), send, ...mined(6)],
  },
  {
    name: 'refused by the mempool and bumped',
    amount: 27_000,
    steps: [plan, sign, feeSpike(12), send, bumpDue, sign, send, feeSpike(1), ...mined(6)],
  },
  {
    name: 'sent by somebody else',
    amount: 28_000,
    steps: [plan, sign, outside((world) => world.leakAll()), send, look, ...mined(6)],
  },
  {
    name: 'reorganised',
    amount: 29_000,
    steps: [...paid, ...mined(1), outside(({ devnet }) => void devnet.reorg(1)), look, ...mined(6)],
  },
]
