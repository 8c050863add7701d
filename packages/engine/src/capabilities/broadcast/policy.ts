import type { SatPerKvB } from '../../kernel/index.ts'
import { satPerKvB } from '../../kernel/index.ts'
import type { SendAnswer } from './ports.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** How long a claim holds: several times what one sending may take. Whoever comes later takes over. */
export const CLAIM_MS = 2 * MINUTE
/** Versions of one pass. */
export const BATCH = 20
/** Pauses after the first, second, … sending that nobody knows the end of, or that may succeed later; the last one repeats. */
const RETRY: readonly number[] = [5 * SECOND, 15 * SECOND, MINUTE, 3 * MINUTE, 10 * MINUTE]
/** Between two offers of what is not mined: a mempool forgets by itself. Random, so that nobody sees whose it is. */
const REBROADCAST = { least: 10 * MINUTE, most: 30 * MINUTE } as const
/** What is not final in the next block is offered again about as often as blocks come. */
export const EARLY_MS = 5 * MINUTE
/** A person was asked: trying again does no harm, and may find that the reason is gone. */
const ASKED_MS = 60 * MINUTE

/**
 * When the same bytes are offered again, milliseconds from now; undefined: never by itself.
 * @param sends how often they were, this time included
 * @param random from 0 to 1
 */
export function pauseAfter(answer: SendAnswer, sends: number, random: number): number | undefined {
  const retry = RETRY[Math.min(sends, RETRY.length) - 1] ?? MINUTE
  switch (answer.answer) {
    case 'accepted':
    case 'already_known':
      return Math.round(REBROADCAST.least + random * (REBROADCAST.most - REBROADCAST.least))
    case 'unknown':
      return retry
    case 'refused':
      if (answer.verdict === 'never') return undefined
      if (answer.verdict === 'retry_same') return retry
      // The floor of a mempool sinks as well as it rises.
      return answer.verdict === 'replace' ? REBROADCAST.least : ASKED_MS
  }
}

/** Signatures may be some bytes shorter than planned for, which makes the same fee a higher rate: never by as much as a twentieth. */
export const withSlack = (rate: SatPerKvB): SatPerKvB => satPerKvB(rate + rate / 20n + 1n)
