import type { SpendStatus } from '../spending/index.ts'
import type { ConsolidationStatus } from './ports.ts'

/** The states of the seed, and the ends that it does not have. Only what is committed has a row. */
export type ConsolidationState = 'idle' | 'analysing' | ConsolidationStatus

/** What is true of the spend of a run. */
export interface SpendFacts {
  readonly chain: SpendStatus
  /** A node was given one of its versions. */
  readonly sent: boolean
}
export type ConsolidationEvent = Readonly<
  /** Too many coins, low fees, or somebody asked. */
  | { type: 'triggered' }
  /** There is nothing to gain, or something else has the right of way. */
  | { type: 'declined' }
  /** A spend was committed. */
  | { type: 'planned' }
  /** The spend is what these facts say, whatever it was. */
  | { type: 'followed'; facts: SpendFacts }
>

/**
 * The whole life of a run. After `planned` its state follows from the facts of its spend alone, so that a reorganisation needs
 * no way back of its own. A repeated event changes nothing.
 * @returns undefined for an event that cannot come in this state
 */
export function nextConsolidation(
  state: ConsolidationState,
  event: ConsolidationEvent,
): ConsolidationState | undefined {
  switch (event.type) {
    case 'triggered':
      return isUnderWay(state) ? undefined : 'analysing'
    case 'declined':
      return state === 'analysing' ? 'idle' : undefined
    case 'planned':
      return state === 'analysing' || state === 'planned' ? 'planned' : undefined
    case 'followed':
      return state === 'idle' || state === 'analysing' ? undefined : stateOf(event.facts)
  }
}

/** Signed bytes may come back any time: what was once sent is never merely planned again. */
function stateOf({ chain, sent }: SpendFacts): ConsolidationStatus {
  switch (chain) {
    case 'mined':
    case 'settled':
      return 'completed'
    case 'dropped':
      return 'cancelled'
    case 'lost':
      return 'failed'
    case 'open':
      return sent ? 'consolidating' : 'planned'
  }
}

/** A wallet has one such run at most. */
export const isUnderWay = (state: ConsolidationState): boolean =>
  state === 'planned' || state === 'consolidating'
