import { ok, type Refusal, type Result, refuse, type SpendId } from '../../kernel/index.ts'
import type { WithdrawalStatus } from './ports.ts'

/** Everything that decides what may become of a withdrawal. */
export interface WithdrawalState {
  readonly status: WithdrawalStatus
  /** The spend that serves it, or that ended it: it stays known, because a reorganisation may bring it back. */
  readonly spend?: SpendId
  /** Somebody asked for its end after it was exposed. */
  readonly cancelAsked: boolean
}

/** What is true of a spend now, as far as one of its withdrawals is concerned. */
export interface SpendFacts {
  /**
   * Where the spend stands. `mined` and `settled`: one of its versions is in the best chain, and buried. `dropped`: nobody
   * who can sign saw any of them. `lost`: a buried transaction that is none of ours makes all of them impossible.
   */
  readonly chain: 'open' | 'mined' | 'settled' | 'dropped' | 'lost'
  /** A version that pays the withdrawal was shown to signers. */
  readonly exposed: boolean
  /** Final bytes of a version that pays the withdrawal are stored. */
  readonly signed: boolean
  /** The version in the best chain pays it; false while none is there. */
  readonly pays: boolean
}

/** What can happen to a withdrawal. News of a spend that is not its own change nothing. */
export type WithdrawalEvent = Readonly<
  | { type: 'approved' | 'rejected' | 'cancelled' }
  /** A spend was planned that pays it. */
  | { type: 'planned'; spend: SpendId }
  /** Its spend was looked at again. Facts, not news: the same ones twice say nothing new, and only the last ones count. */
  | { type: 'followed'; spend: SpendId; facts: SpendFacts }
>

/** What the books do in the same commit. */
export type BookMove = 'hold' | 'release' | 'capture' | 'uncapture'
/** What the queue of its wallet does in the same commit: it keeps means for what no plan serves yet. */
export type QueueMove = 'enter' | 'leave'
export interface Step {
  readonly state: WithdrawalState
  readonly books: readonly BookMove[]
  readonly queue?: QueueMove
}
export type EventRefusal = Refusal<'WITHDRAWAL_STATE'>

/** Where the money of a withdrawal is. */
type Place = 'held' | 'paid' | 'free'
const PLACES: Readonly<Record<WithdrawalStatus, Place>> = {
  requested: 'held',
  approved: 'held',
  batched: 'held',
  signing: 'held',
  sending: 'held',
  mined: 'held',
  settled: 'paid',
  rejected: 'free',
  cancelled: 'free',
  failed: 'free',
}
const MOVES: Readonly<Record<`${Place} ${Place}`, readonly BookMove[]>> = {
  'held held': [],
  'paid paid': [],
  'free free': [],
  'held paid': ['capture'],
  'held free': ['release'],
  'paid held': ['uncapture'],
  'paid free': ['uncapture', 'release'],
  'free held': ['hold'],
  'free paid': ['hold', 'capture'],
}
/** Whether the means of the wallet are kept for it: it is promised, and no spend has coins for it. */
export const isQueued = (status: WithdrawalStatus): boolean =>
  status === 'requested' || status === 'approved'
/** Whether the account of `held/<withdrawal>` has its money. */
export const isHeld = (status: WithdrawalStatus): boolean => PLACES[status] === 'held'
/** Nothing but a reorganisation deeper than what counts as buried moves it again. */
export const isEnded = (status: WithdrawalStatus): boolean => PLACES[status] !== 'held'
/** A signer has seen a transaction that pays it: from then on only a buried conflicting spend ends it unpaid. */
export const isExposed = ({ status, spend }: WithdrawalState): boolean =>
  spend !== undefined && status !== 'batched'

/** What the books and the queue do when a status follows another one. */
export function movesBetween(
  before: WithdrawalStatus,
  after: WithdrawalStatus,
): Omit<Step, 'state'> {
  const books = MOVES[`${PLACES[before]} ${PLACES[after]}`]
  if (isQueued(before) === isQueued(after)) return { books }
  return { books, queue: isQueued(after) ? 'enter' : 'leave' }
}
const step = (before: WithdrawalState, state: WithdrawalState): Result<Step, never> =>
  ok({ state, ...movesBetween(before.status, state.status) })

/** A request as its verdict leaves it: denied, waiting for people, or approved. What is denied holds nothing. */
export function begin(decision: 'allow' | 'hold' | 'deny'): Step {
  const status = ({ allow: 'approved', hold: 'requested', deny: 'rejected' } as const)[decision]
  const state = { status, cancelAsked: false }
  return decision === 'deny' ? { state, books: [] } : { state, books: ['hold'], queue: 'enter' }
}

const refused = (status: WithdrawalStatus, event: WithdrawalEvent['type']) =>
  refuse('WITHDRAWAL_STATE', `a withdrawal that is ${status} cannot be ${event}`, {
    details: { status, event },
  })

/**
 * The whole life of a withdrawal: total, without clock, store or node. An event that happened already changes nothing, and
 * news of a spend is a picture of all that is true of it, so that no order of arrival can spoil the state.
 */
export function next(state: WithdrawalState, event: WithdrawalEvent): Result<Step, EventRefusal> {
  switch (event.type) {
    case 'approved':
      if (state.status === 'requested') return step(state, { ...state, status: 'approved' })
      return isEnded(state.status) && state.status !== 'settled'
        ? refused(state.status, event.type)
        : step(state, state)
    case 'rejected':
      if (state.status === 'rejected') return step(state, state)
      if (!isQueued(state.status)) return refused(state.status, event.type)
      return step(state, { ...state, status: 'rejected' })
    case 'cancelled':
      return cancelled(state)
    case 'planned':
      if (state.spend === event.spend) return step(state, state)
      if (state.status !== 'approved') return refused(state.status, event.type)
      return step(state, { ...state, status: 'batched', spend: event.spend })
    case 'followed':
      return step(state, state.spend === event.spend ? follow(state, event.facts) : state)
  }
}

/** After exposure nobody can take a transaction back: the wish is noted, and the chain decides. */
function cancelled(state: WithdrawalState): Result<Step, EventRefusal> {
  switch (state.status) {
    case 'requested':
    case 'approved':
      return step(state, { ...state, status: 'cancelled' })
    case 'batched':
      return step(state, ended(state, 'cancelled'))
    case 'signing':
    case 'sending':
      return step(state, { ...state, cancelAsked: true })
    case 'cancelled':
      return step(state, state)
    default:
      return refused(state.status, 'cancelled')
  }
}
/** Ended, or back in the queue, without the spend that was given up: nothing of it can come back. */
function ended(state: WithdrawalState, status: 'cancelled' | 'approved'): WithdrawalState {
  const { spend: _, ...rest } = state
  return { ...rest, status }
}

/** The state as the facts of its own spend make it. */
function follow(state: WithdrawalState, facts: SpendFacts): WithdrawalState {
  const open = underWay(isExposed(state) || facts.exposed, facts.signed)
  switch (facts.chain) {
    case 'dropped':
      // Whoever says so although a signer has seen a transaction is wrong: nothing is freed.
      if (open !== 'batched') return { ...state, status: open }
      return ended(state, state.cancelAsked ? 'cancelled' : 'approved')
    case 'lost':
      return { ...state, status: state.cancelAsked ? 'cancelled' : 'failed' }
    case 'settled':
      if (facts.pays) return { ...state, status: 'settled' }
      // The buried version pays others, or ourselves: no version can ever pay this one.
      return state.cancelAsked ? { ...state, status: 'cancelled' } : ended(state, 'approved')
    case 'mined':
      return { ...state, status: facts.pays ? 'mined' : open }
    case 'open':
      return { ...state, status: open }
  }
}
const underWay = (isShown: boolean, isSigned: boolean): WithdrawalStatus => {
  if (isSigned) return 'sending'
  return isShown ? 'signing' : 'batched'
}
