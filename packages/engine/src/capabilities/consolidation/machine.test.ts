import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SpendStatus } from '../spending/index.ts'
import {
  type ConsolidationEvent,
  type ConsolidationState,
  isUnderWay,
  nextConsolidation,
} from './machine.ts'

const CHAINS: readonly SpendStatus[] = ['open', 'mined', 'settled', 'dropped', 'lost']
const followed = (chain: SpendStatus, sent: boolean): ConsolidationEvent => ({
  type: 'followed',
  facts: { chain, sent },
})
const STATES: readonly ConsolidationState[] = [
  'idle',
  'analysing',
  'planned',
  'consolidating',
  'completed',
  'cancelled',
  'failed',
]
const events = fc.oneof(
  fc.constantFrom<ConsolidationEvent>(
    { type: 'triggered' },
    { type: 'declined' },
    { type: 'planned' },
  ),
  fc
    .record({ chain: fc.constantFrom(...CHAINS), sent: fc.boolean() })
    .map(({ chain, sent }): ConsolidationEvent => followed(chain, sent)),
)

/** What is left after these events; where one cannot come, the story says so. */
const story = (from: ConsolidationState, ...all: readonly ConsolidationEvent[]) =>
  all.reduce<ConsolidationState | undefined>(
    (state, event) => state && nextConsolidation(state, event),
    from,
  )

test('from idle to completed, as the seed draws it', () => {
  expect(story('idle', { type: 'triggered' })).toBe('analysing')
  expect(story('analysing', { type: 'planned' })).toBe('planned')
  expect(story('planned', followed('open', false))).toBe('planned')
  expect(story('planned', followed('open', true))).toBe('consolidating')
  expect(story('consolidating', followed('mined', true))).toBe('completed')
  expect(story('completed', followed('settled', true))).toBe('completed')
  expect(story('completed', { type: 'triggered' })).toBe('analysing')
})

test('the ways back: nothing to gain, given up, reorganised, robbed, and mined after all', () => {
  expect(story('analysing', { type: 'declined' })).toBe('idle')
  expect(story('planned', followed('dropped', false))).toBe('cancelled')
  expect(story('completed', followed('open', true))).toBe('consolidating')
  expect(story('consolidating', followed('lost', true))).toBe('failed')
  expect(story('failed', followed('open', true))).toBe('consolidating')
  expect(story('cancelled', followed('mined', true))).toBe('completed')
})

test('what is under way is not begun again, and nothing is planned without a look', () => {
  for (const state of STATES) {
    const isFree = !isUnderWay(state)
    expect(nextConsolidation(state, { type: 'triggered' }) !== undefined).toBe(isFree)
    const planned = nextConsolidation(state, { type: 'planned' })
    expect(planned).toBe(state === 'analysing' || state === 'planned' ? 'planned' : undefined)
    const declined = nextConsolidation(state, { type: 'declined' })
    expect(declined).toBe(state === 'analysing' ? 'idle' : undefined)
  }
})

test('only the last picture of the spend counts, whatever came before it', () => {
  fc.assert(
    fc.property(
      fc.array(events, { maxLength: 20 }),
      fc.constantFrom(...CHAINS),
      fc.boolean(),
      (past, chain, sent) => {
        let state: ConsolidationState = 'planned'
        for (const event of past)
          if (event.type === 'followed') state = nextConsolidation(state, event) ?? state
        const last = followed(chain, sent)
        const once = nextConsolidation(state, last)
        expect(once).toBe(nextConsolidation('planned', last))
        expect(once && nextConsolidation(once, last)).toBe(once)
      },
    ),
  )
})
