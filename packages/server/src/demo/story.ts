import { satText } from '../view/amount.ts'
import type { Snapshot } from '../view/model.ts'
import type { Deed } from './world.ts'

export const ASKED = 150_000
const FIRST = 100_000
const REST = ASKED - FIRST

/** One thing that happens, and the state that the engine must reach because of it. */
export interface Beat {
  readonly deed: (address: string) => Deed
  readonly reached: (snapshot: Snapshot) => boolean
}
export interface Chapter {
  readonly id: string
  readonly title: string
  readonly text: readonly string[]
  readonly beats: readonly Beat[]
}

const is = (status: string, verdict: string, credited: number) => (snapshot: Snapshot) =>
  snapshot.order?.status === status &&
  snapshot.order.verdict === verdict &&
  snapshot.order.credited === BigInt(credited)
const deepest = (snapshot: Snapshot): number =>
  Math.max(0, ...snapshot.payments.map(({ depth }) => depth))
const mineOne = (reached: Beat['reached']): Beat => ({
  deed: () => ({ do: 'mine', blocks: 1 }),
  reached,
})

/** The demo as a story: what is done to the chain, and what must follow. */
export const STORY: readonly Chapter[] = [
  {
    id: 'pay_first',
    title: 'A first payment, too small',
    text: [
      `The customer sends ${satText(FIRST)} of ${satText(ASKED)}. The mempool shows it at once.`,
      'Nothing is credited yet: an unconfirmed payment can still be taken back.',
    ],
    beats: [
      {
        deed: (address) => ({ do: 'pay', payment: 'first', coin: 'purse', address, amount: FIRST }),
        reached: is('unconfirmed', 'underpaid', 0),
      },
    ],
  },
  {
    id: 'pay_rest',
    title: 'The rest arrives',
    text: [
      `A second payment brings the missing ${satText(REST)}.`,
      'The sum of all payments counts, so the order is now paid exactly.',
    ],
    beats: [
      {
        deed: (address) => ({ do: 'pay', payment: 'rest', coin: 'pocket', address, amount: REST }),
        reached: is('unconfirmed', 'exact', 0),
      },
    ],
  },
  {
    id: 'confirm',
    title: 'A block confirms both',
    text: [
      'Good enough to start packing, not yet good enough for the books:',
      'this order is credited at three blocks.',
    ],
    beats: [mineOne(is('confirmed', 'exact', 0))],
  },
  {
    id: 'credit',
    title: 'Three blocks deep: credited',
    text: [
      'State, ledger entries, events and the place in the chain are stored together,',
      'in one commit: a crash can neither lose this credit nor make it twice.',
    ],
    beats: [
      mineOne((snapshot) => deepest(snapshot) === 2),
      mineOne(is('full_confirmed', 'exact', ASKED)),
    ],
  },
  {
    id: 'reorg',
    title: 'A reorganisation takes it back',
    text: [
      'Another branch wins, four blocks against three, and in it the customer spent',
      'the second coin elsewhere. The credit is reversed, and people are told.',
    ],
    beats: [
      {
        deed: () => ({ do: 'prepare', payment: 'double_spend', coin: 'pocket', amount: REST }),
        reached: is('full_confirmed', 'exact', ASKED),
      },
      {
        deed: () => ({ do: 'reorganise', depth: 3, blocks: [[], ['double_spend'], [], []] }),
        reached: is('unconfirmed', 'underpaid', 0),
      },
    ],
  },
  {
    id: 'redo',
    title: 'The honest branch wins after all',
    text: [
      'A longer branch appears with both payments in it: the double spend is history.',
      'The same payments are credited once more, by new entries: none is ever edited.',
    ],
    beats: [
      {
        deed: () => ({ do: 'reorganise', depth: 4, blocks: [['first', 'rest'], [], [], [], []] }),
        reached: is('full_confirmed', 'exact', ASKED),
      },
    ],
  },
  {
    id: 'finalize',
    title: 'Six blocks deep: final',
    text: [
      'The order has reached its last level.',
      'Would a deeper reorganisation still be undone? Yes, at any depth.',
    ],
    beats: [mineOne(is('finalized', 'exact', ASKED))],
  },
]
