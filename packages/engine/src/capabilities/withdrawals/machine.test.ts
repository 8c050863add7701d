import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SpendId } from '../../kernel/index.ts'
import {
  begin,
  isEnded,
  isExposed,
  isHeld,
  isQueued,
  next,
  type SpendFacts,
  type WithdrawalEvent,
  type WithdrawalState,
} from './index.ts'

const spend = 'spd_1' as SpendId
const other = 'spd_2' as SpendId
const facts = (more: Partial<SpendFacts> = {}): SpendFacts => ({
  chain: 'open',
  exposed: false,
  signed: false,
  pays: false,
  ...more,
})
const follow = (more: Partial<SpendFacts> = {}): WithdrawalEvent => ({
  type: 'followed',
  spend,
  facts: facts(more),
})
const planned: WithdrawalEvent = { type: 'planned', spend }
const shown = follow({ exposed: true })
const sent = follow({ exposed: true, signed: true })
const mined = follow({ chain: 'mined', exposed: true, signed: true, pays: true })
const buried = follow({ chain: 'settled', exposed: true, signed: true, pays: true })
/** A version that pays only ourselves, or others. */
const minedNot = follow({ chain: 'mined', exposed: true, signed: true })
const buriedNot = follow({ chain: 'settled', exposed: true, signed: true })
const lost = follow({ chain: 'lost', exposed: true, signed: true })
const dropped = follow({ chain: 'dropped' })
const approved: WithdrawalEvent = { type: 'approved' }
const rejected: WithdrawalEvent = { type: 'rejected' }
const cancelled: WithdrawalEvent = { type: 'cancelled' }

const allowed = begin('allow').state
function run(events: readonly WithdrawalEvent[], from: WithdrawalState = allowed) {
  const books: string[] = []
  let state = from
  for (const event of events) {
    const step = next(state, event)
    if (!step.ok) return { state, books, refused: event.type }
    books.push(...step.value.books)
    if (step.value.queue) books.push(step.value.queue)
    state = step.value.state
  }
  return { state, books, refused: undefined }
}

describe('stories', () => {
  test.each<[string, readonly WithdrawalEvent[], string, string]>([
    ['is paid', [planned, shown, sent, mined, buried], 'settled', 'leave capture'],
    ['is seen only when it is buried', [planned, buried], 'settled', 'leave capture'],
    [
      'loses its block and finds another',
      [planned, sent, mined, sent, mined, buried],
      'settled',
      'leave capture',
    ],
    ['loses a buried block', [planned, buried, sent], 'sending', 'leave capture uncapture'],
    [
      'is buried less deep',
      [planned, buried, mined, buried],
      'settled',
      'leave capture uncapture capture',
    ],
    ['is evicted: nothing happens', [planned, sent, sent], 'sending', 'leave'],
    ['is cancelled in the queue', [cancelled], 'cancelled', 'release leave'],
    ['is cancelled in a plan nobody saw', [planned, cancelled], 'cancelled', 'leave release'],
    [
      'is cancelled too late, and paid',
      [planned, shown, cancelled, mined, buried],
      'settled',
      'leave capture',
    ],
    [
      'is cancelled by a conflicting spend',
      [planned, shown, cancelled, minedNot, buriedNot],
      'cancelled',
      'leave release',
    ],
    [
      'waits until the conflicting spend is buried',
      [planned, shown, cancelled, minedNot],
      'sending',
      'leave',
    ],
    [
      'comes back when the conflicting spend goes',
      [planned, shown, cancelled, buriedNot, mined, buried],
      'settled',
      'leave release hold capture',
    ],
    [
      'was in a batch that another one cancelled',
      [planned, sent, buriedNot],
      'approved',
      'leave enter',
    ],
    ['was in a batch that was given up', [planned, dropped], 'approved', 'leave enter'],
    [
      'is served by a second plan',
      [planned, dropped, { type: 'planned', spend: other }],
      'batched',
      'leave enter leave',
    ],
    ['loses its coins to a stranger', [planned, sent, lost], 'failed', 'leave release'],
    [
      'gets them back',
      [planned, sent, lost, sent, buried],
      'settled',
      'leave release hold capture',
    ],
    ['is rejected in the queue', [rejected], 'rejected', 'release leave'],
  ])('%s', (_, events, status, books) => {
    const end = run(events)
    expect(end.refused).toBeUndefined()
    expect(end.state.status).toBe(status)
    expect(end.books.join(' ')).toBe(books)
  })

  test('a verdict decides where it begins', () => {
    expect(begin('allow')).toMatchObject({
      state: { status: 'approved' },
      books: ['hold'],
      queue: 'enter',
    })
    expect(begin('hold')).toMatchObject({
      state: { status: 'requested' },
      books: ['hold'],
      queue: 'enter',
    })
    expect(begin('deny')).toEqual({ state: { status: 'rejected', cancelAsked: false }, books: [] })
    expect(run([approved, planned], begin('hold').state).state.status).toBe('batched')
  })

  test.each<[string, readonly WithdrawalEvent[], WithdrawalState]>([
    ['reject what is planned', [planned, rejected], allowed],
    ['reject what is sent', [planned, sent, rejected], allowed],
    ['cancel what is mined', [planned, mined, cancelled], allowed],
    ['cancel what is settled', [planned, buried, cancelled], allowed],
    ['approve what was rejected', [approved], begin('deny').state],
    ['plan what waits for people', [planned], begin('hold').state],
    ['plan twice', [planned, { type: 'planned', spend: other }], allowed],
  ])('nobody can %s', (_, events, from) => {
    expect(run(events, from).refused).toBe(events.at(-1)?.type)
  })

  test('after a signer saw it, dropping its spend frees nothing', () => {
    for (const event of [shown, sent, mined]) {
      const end = run([planned, event, dropped])
      expect(isHeld(end.state.status)).toBe(true)
      expect(end.state.spend).toBe(spend)
    }
    const asked = run([planned, shown, cancelled, dropped])
    expect(asked.state).toMatchObject({ status: 'signing', cancelAsked: true, spend })
  })
})

const flags = fc.record({ exposed: fc.boolean(), signed: fc.boolean(), pays: fc.boolean() })
const chain = fc.constantFrom('open', 'mined', 'settled', 'dropped', 'lost') as fc.Arbitrary<
  SpendFacts['chain']
>
const event: fc.Arbitrary<WithdrawalEvent> = fc.oneof(
  fc.constantFrom(approved, rejected, cancelled),
  fc.constantFrom(spend, other).map((id): WithdrawalEvent => ({ type: 'planned', spend: id })),
  fc.tuple(fc.constantFrom(spend, other), chain, flags).map(
    ([id, where, more]): WithdrawalEvent => ({
      type: 'followed',
      spend: id,
      facts: { chain: where, ...more },
    }),
  ),
)
const beginning = fc.constantFrom('allow', 'hold', 'deny') as fc.Arbitrary<
  'allow' | 'hold' | 'deny'
>

describe('any order of events', () => {
  test('is taken or refused; money is in exactly one place, and an event twice says nothing new', () => {
    fc.assert(
      fc.property(beginning, fc.array(event, { maxLength: 30 }), (decision, events) => {
        const first = begin(decision)
        let state = first.state
        let held = first.books.length > 0 ? 1 : 0
        let paid = 0
        let queued = first.queue === 'enter' ? 1 : 0
        for (const one of events) {
          const step = next(state, one)
          if (!step.ok) continue
          for (const move of step.value.books) {
            if (move === 'hold') held += 1
            if (move === 'release') held -= 1
            if (move === 'capture') [held, paid] = [held - 1, paid + 1]
            if (move === 'uncapture') [held, paid] = [held + 1, paid - 1]
            expect([held, paid].every((count) => count === 0 || count === 1)).toBe(true)
          }
          if (step.value.queue) queued += step.value.queue === 'enter' ? 1 : -1
          const after = step.value.state
          expect(held).toBe(isHeld(after.status) ? 1 : 0)
          expect(paid).toBe(after.status === 'settled' ? 1 : 0)
          expect(queued).toBe(isQueued(after.status) ? 1 : 0)
          expect(isQueued(after.status) && after.spend !== undefined).toBe(false)
          const again = next(after, one)
          if (again.ok) expect(again.value).toEqual({ state: after, books: [] })
          state = after
        }
      }),
    )
  })

  test('once a signer saw it, it ends unpaid only when a conflicting spend is buried', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        let state: WithdrawalState = { status: 'signing', spend, cancelAsked: false }
        for (const one of events) {
          const step = next(state, one)
          if (!step.ok) continue
          const after = step.value.state
          const left =
            isExposed(state) &&
            !isEnded(state.status) &&
            (!isExposed(after) || isEnded(after.status))
          if (left && after.status !== 'settled') {
            const { facts: known } = one as Extract<WithdrawalEvent, { type: 'followed' }>
            expect(one.type).toBe('followed')
            expect(known.chain === 'lost' || (known.chain === 'settled' && !known.pays)).toBe(true)
          }
          state = after
        }
      }),
    )
  })

  test('the last facts of its spend decide, whatever came before them', () => {
    const history = fc.array(fc.tuple(chain, flags), { maxLength: 12 })
    fc.assert(
      fc.property(history, fc.tuple(chain, flags), (past, [where, more]) => {
        const last = { chain: where, ...more, exposed: true }
        const through = (list: readonly SpendFacts[]) =>
          run([{ type: 'planned', spend }, ...list.map((one) => follow(one))]).state
        const isKept = (one: SpendFacts) =>
          one.chain !== 'dropped' && (one.chain !== 'settled' || one.pays)
        const kept = past.map(([c, f]) => ({ chain: c, ...f, exposed: true })).filter(isKept)
        expect(through([...kept, last])).toEqual(through([last]))
      }),
    )
  })
})
