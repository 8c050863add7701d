import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { BlockHash, PsbtId, Txid } from '../../kernel/index.ts'
import {
  holdsCoins,
  nextSpend,
  nextVersion,
  type SpendEvent,
  type VersionEvent,
} from './machine.ts'
import type { SpendRecord, SpendStatus, VersionStatus } from './ports.ts'

type Spend = Pick<SpendRecord, 'status' | 'mined'>
const block = (n: number) => ({ height: 100 + n, hash: `${n}`.padStart(64, '0') as BlockHash })
const psbt = (n: number) => `psb_${n}` as PsbtId
const txid = (n: number) => `${n}`.padStart(64, 'a') as Txid
const mined = (version: number, at: number): SpendEvent => ({
  type: 'mined',
  psbt: psbt(version),
  txid: txid(version),
  block: block(at),
})
const unmined = { type: 'unmined' } as const
const buried = { type: 'buried' } as const
const lost = { type: 'lost' } as const
const regained = { type: 'regained' } as const
const dropped = { type: 'dropped' } as const

const told = (events: readonly SpendEvent[]): string => {
  let spend: Spend = { status: 'open' }
  const path = ['open']
  for (const event of events) {
    const next = nextSpend(spend, event)
    if (next === undefined) return [...path, `refused ${event.type}`].join(' ')
    spend = next
    path.push(spend.mined ? `${spend.status}@${spend.mined.block.height}` : spend.status)
  }
  return path.join(' ')
}

describe('a spend', () => {
  it.each<[string, readonly SpendEvent[], string]>([
    ['is mined and buried', [mined(1, 1), buried], 'open mined@101 settled@101'],
    [
      'falls back with its block',
      [mined(1, 1), unmined, mined(1, 2), buried],
      'open mined@101 open mined@102 settled@102',
    ],
    ['moves to another block', [mined(1, 1), mined(1, 2)], 'open mined@101 mined@102'],
    [
      'is mined by an older version after a fork',
      [mined(2, 1), mined(1, 2), buried],
      'open mined@101 mined@102 settled@102',
    ],
    [
      'is opened again by a deep reorganisation',
      [mined(1, 1), buried, unmined],
      'open mined@101 settled@101 open',
    ],
    [
      'is mined elsewhere by a deep reorganisation',
      [mined(1, 1), buried, mined(2, 2)],
      'open mined@101 settled@101 mined@102',
    ],
    ['is lost and regained', [lost, regained, mined(1, 1)], 'open lost open mined@101'],
    ['was thought lost and is mined', [lost, mined(1, 1)], 'open lost mined@101'],
    ['is dropped', [dropped, dropped], 'open dropped dropped'],
    ['was given up and is mined all the same', [dropped, mined(1, 1)], 'open dropped mined@101'],
    ['cannot be buried before it is mined', [buried], 'open refused buried'],
    ['cannot be given up while mined', [mined(1, 1), dropped], 'open mined@101 refused dropped'],
    ['cannot be lost while mined', [mined(1, 1), lost], 'open mined@101 refused lost'],
    [
      'cannot be given up when settled',
      [mined(1, 1), buried, dropped],
      'open mined@101 settled@101 refused dropped',
    ],
    ['cannot be lost when given up', [dropped, lost], 'open dropped refused lost'],
  ])('%s', (_, events, path) => {
    expect(told(events)).toBe(path)
  })
})

const EVENTS = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }))
    .map(([v, b]) => mined(v, b)),
  fc.constantFrom<SpendEvent>(unmined, buried, lost, regained, dropped),
)

test('in every order of events: a block exactly while mined or settled, coins held exactly while one may be mined', () => {
  fc.assert(
    fc.property(fc.array(EVENTS, { maxLength: 40 }), (events) => {
      let spend: Spend = { status: 'open' }
      for (const event of events) {
        const next = nextSpend(spend, event)
        if (next === undefined) continue
        // Repeating changes nothing.
        expect(nextSpend(next, event)).toEqual(next)
        // Only a buried block, a buried rival or the lack of any signature ends the hold.
        if (holdsCoins(spend.status) && !holdsCoins(next.status))
          expect(['buried', 'lost', 'dropped']).toContain(event.type)
        expect(next.mined !== undefined).toBe(next.status === 'mined' || next.status === 'settled')
        if (event.type === 'mined') expect(next.mined?.block).toEqual(event.block)
        spend = next
      }
    }),
  )
})

test('from every state the chain leads to mined', () => {
  const all: readonly SpendStatus[] = ['open', 'mined', 'settled', 'dropped', 'lost']
  for (const status of all) expect(nextSpend({ status }, mined(1, 1))?.status).toBe('mined')
})

const STATUSES: readonly VersionStatus[] = [
  'created',
  'partially_signed',
  'signed',
  'finalized',
  'broadcast',
  'rejected',
  'replaced',
  'evicted',
  'confirmed',
]
const VERSION_EVENTS: readonly VersionEvent[] = [
  'signature',
  'complete',
  'finalized',
  'rejected',
  'sent',
  'seen',
  'mined',
  'evicted',
  'replaced',
]

describe('a version', () => {
  it.each<[string, readonly VersionEvent[], VersionStatus]>([
    [
      'is signed, sent and mined',
      ['signature', 'complete', 'finalized', 'sent', 'seen', 'mined'],
      'confirmed',
    ],
    [
      'comes back after eviction',
      ['complete', 'finalized', 'sent', 'evicted', 'sent'],
      'broadcast',
    ],
    ['falls back with its block', ['finalized', 'sent', 'mined', 'seen'], 'broadcast'],
    [
      'falls back with its block to a rival',
      ['finalized', 'sent', 'mined', 'replaced'],
      'replaced',
    ],
    ['is mined although it was replaced', ['finalized', 'sent', 'replaced', 'mined'], 'confirmed'],
    ['is mined although it was rejected', ['signature', 'rejected', 'mined'], 'confirmed'],
    ['was sent by somebody else', ['signature', 'seen'], 'broadcast'],
  ])('%s', (_, events, end) => {
    let status: VersionStatus = 'created'
    for (const event of events) {
      const next = nextVersion(status, event)
      expect(next, `${status} ${event}`).toBeDefined()
      status = next ?? status
    }
    expect(status).toBe(end)
  })

  it.each<[VersionStatus, VersionEvent]>([
    ['created', 'sent'],
    ['partially_signed', 'sent'],
    ['signed', 'sent'],
    ['rejected', 'sent'],
    ['rejected', 'signature'],
    ['rejected', 'finalized'],
    ['replaced', 'sent'],
    ['replaced', 'signature'],
    ['broadcast', 'rejected'],
    ['confirmed', 'rejected'],
    ['confirmed', 'sent'],
    ['created', 'evicted'],
  ])('%s refuses %s', (status, event) => {
    expect(nextVersion(status, event)).toBeUndefined()
  })

  it('always believes the chain, and repeats nothing', () => {
    for (const status of STATUSES) {
      expect(nextVersion(status, 'mined')).toBe('confirmed')
      expect(nextVersion(status, 'replaced')).toBe('replaced')
      for (const event of VERSION_EVENTS) {
        const next = nextVersion(status, event)
        if (next !== undefined && event !== 'signature')
          expect([next, undefined]).toContain(nextVersion(next, event))
      }
    }
  })
})
