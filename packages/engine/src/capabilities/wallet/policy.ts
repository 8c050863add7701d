import type { KeychainRecord, WalletRecord } from './ports.ts'

/** Indexes stop below 2^31: from there on steps are hardened (BIP 32). */
export const INDEX_END = 0x8000_0000
/** The branch that hands out addresses to payers. */
export const RECEIVE = 0
/** The branch that takes the change of our own spending. */
export const CHANGE = 1

export const DEFAULT_GAP_LIMIT = 20
export const DEFAULT_LOOKAHEAD = 1_000
export const MAX_GAP_LIMIT = 100_000
export const MAX_LOOKAHEAD = 100_000

/** How many scripts beyond the next index of a branch are watched at least. Change is our own doing: a fifth is plenty. */
export const lookaheadOf = (wallet: Pick<WalletRecord, 'lookahead'>, branch: number): number =>
  branch === RECEIVE ? wallet.lookahead : Math.max(1, Math.ceil(wallet.lookahead / 5))

/** Windows grow by a quarter of the lookahead, so that most reveals insert nothing. */
export const windowStep = (lookahead: number): number => Math.max(1, Math.ceil(lookahead / 4))

/**
 * The end (exclusive) that the watched window must have when `next` is the next index of the branch: unchanged while at
 * least `lookahead` scripts are watched beyond it, a step more otherwise.
 */
export function windowEnd(watchedTo: number, next: number, lookahead: number): number {
  const least = Math.min(INDEX_END, next + lookahead)
  if (watchedTo >= least) return watchedTo
  return Math.min(INDEX_END, least + windowStep(lookahead))
}

/**
 * How far a wallet that knows nothing but the descriptor still sees.
 *
 * - `ok`, `near` (three quarters of the limit are unused in a row), `limit` (the next address would not be found),
 *   `exceeded` (addresses are out that such a wallet does not find until one before them is paid).
 */
export type GapLevel = 'ok' | 'near' | 'limit' | 'exceeded'

export interface GapReport {
  readonly branch: number
  /** Unused addresses in a row that another wallet looks at before it stops (BIP 44: 20). */
  readonly limit: number
  /** Addresses handed out after the last used one that such a wallet finds. */
  readonly unused: number
  /** How many more may be handed out before coins could hide from it. */
  readonly remaining: number
  /** Highest used index that it finds; -1 when none. */
  readonly reach: number
  readonly lastUsed: number
  readonly nextIndex: number
  readonly level: GapLevel
}

const LEVELS: readonly GapLevel[] = ['ok', 'near', 'limit', 'exceeded']

export function gapOf(keychain: KeychainRecord, gapLimit: number): GapReport {
  const unused = keychain.nextIndex - 1 - keychain.reach
  return {
    branch: keychain.branch,
    limit: gapLimit,
    unused,
    remaining: Math.max(0, gapLimit - unused),
    reach: keychain.reach,
    lastUsed: keychain.lastUsed,
    nextIndex: keychain.nextIndex,
    level: gapLevel(unused, gapLimit),
  }
}

function gapLevel(unused: number, limit: number): GapLevel {
  if (unused > limit) return 'exceeded'
  if (unused === limit) return 'limit'
  return unused >= Math.ceil(limit * 0.75) ? 'near' : 'ok'
}

/**
 * True when `after` asks for a warning that `before` did not give: a higher level, or a payment that began a new run of
 * unused addresses which already is at the limit, so that the warning comes before the next address in every run.
 */
export function gapWorsened(before: GapReport, after: GapReport): boolean {
  const rise = LEVELS.indexOf(after.level) - LEVELS.indexOf(before.level)
  if (after.level === 'ok' || after.level === 'near') return rise > 0
  return rise > 0 || before.reach !== after.reach
}

/**
 * The highest of `used` (ascending) that a wallet finds which has found `reach` and looks `gapLimit` unused addresses
 * further: it looks at `reach + 1` to `reach + gapLimit`, and so on from each used one.
 */
export function advanceReach(reach: number, used: Iterable<number>, gapLimit: number): number {
  let found = reach
  for (const index of used) {
    if (index <= found) continue
    if (index - found > gapLimit) break
    found = index
  }
  return found
}
