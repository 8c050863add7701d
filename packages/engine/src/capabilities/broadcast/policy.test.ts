import { expect, it, test } from 'vitest'
import { satPerKvB } from '../../kernel/index.ts'
import { pauseAfter, withSlack } from './policy.ts'
import type { SendAnswer } from './ports.ts'

const MINUTE = 60_000
const refused = (verdict: 'retry_same' | 'replace' | 'never' | 'ask_human'): SendAnswer => ({
  answer: 'refused',
  reason: 'words',
  verdict,
})

it.each<[string, SendAnswer, number, number, number | undefined]>([
  ['taken, early', { answer: 'accepted' }, 1, 0, 10 * MINUTE],
  ['taken, late', { answer: 'already_known' }, 50, 1, 30 * MINUTE],
  ['unknown at first', { answer: 'unknown', reason: '' }, 1, 0.5, 5_000],
  ['unknown again', { answer: 'unknown', reason: '' }, 2, 0.5, 15_000],
  ['unknown for long', { answer: 'unknown', reason: '' }, 99, 0.5, 10 * MINUTE],
  ['may be taken later', refused('retry_same'), 3, 0, MINUTE],
  ['too cheap', refused('replace'), 1, 0, 10 * MINUTE],
  ['people were asked', refused('ask_human'), 1, 0, 60 * MINUTE],
  ['impossible', refused('never'), 1, 0, undefined],
])('%s', (_, answer, sends, random, pause) => {
  expect(pauseAfter(answer, sends, random)).toBe(pause)
})

test('slack is a twentieth, and never nothing', () => {
  expect(withSlack(satPerKvB(1000n))).toBe(1051n)
  expect(withSlack(satPerKvB(0n))).toBe(1n)
})
