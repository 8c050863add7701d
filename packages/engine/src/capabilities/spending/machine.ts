import type { BlockRef, PsbtId, Txid } from '../../kernel/index.ts'
import type { SpendRecord, SpendStatus, VersionStatus } from './ports.ts'

/** What the chain, or somebody, says of a spend as a whole. */
export type SpendEvent = Readonly<
  /** One of its versions is in the best chain, in this block. */
  | { type: 'mined'; psbt: PsbtId; txid: Txid; block: BlockRef }
  /** None of its versions is in the best chain any more. */
  | { type: 'unmined' }
  /** The block of its version is as deep as a reorganisation will not reach. */
  | { type: 'buried' }
  /** A buried transaction that is none of ours has made every version impossible. */
  | { type: 'lost' }
  /** What had made them impossible left the best chain. */
  | { type: 'regained' }
  /** Given up before anybody was asked to sign any version. */
  | { type: 'dropped' }
>

type Spend = Pick<SpendRecord, 'status' | 'mined'>

/**
 * The whole life of a spend, with the ways back of a reorganisation. No clock, no store, no node. A repeated event changes
 * nothing. Whether its coins stay leased follows from the status alone: `holdsCoins`.
 * @returns undefined for an event that cannot come in this state
 */
export function nextSpend<S extends Spend>(spend: S, event: SpendEvent): S | undefined {
  const { status, mined } = spend
  switch (event.type) {
    case 'mined': {
      // Also for one that was given up or lost: the chain is right, whatever we thought.
      const { psbt, txid, block } = event
      const isSame = mined?.psbt === psbt && mined.block.hash === block.hash
      if (isSame && (status === 'mined' || status === 'settled')) return spend
      return { ...spend, status: 'mined', mined: { psbt, txid, block } }
    }
    case 'unmined':
      if (status === 'mined' || status === 'settled') return withoutBlock(spend)
      return status === 'open' ? spend : undefined
    case 'buried':
      if (status === 'settled') return spend
      return status === 'mined' ? { ...spend, status: 'settled' } : undefined
    case 'lost':
      return status === 'open' || status === 'lost' ? { ...spend, status: 'lost' } : undefined
    case 'regained':
      return status === 'lost' || status === 'open' ? { ...spend, status: 'open' } : undefined
    case 'dropped':
      return status === 'open' || status === 'dropped' ? { ...spend, status: 'dropped' } : undefined
  }
}

function withoutBlock<S extends Spend>(spend: S): S {
  const { mined: _, ...rest } = spend
  return { ...rest, status: 'open' } as S
}

/** While a version may be mined, or its block may leave, nobody else may have its coins (I6). */
export const holdsCoins = (status: SpendStatus): boolean => status === 'open' || status === 'mined'

/** What happened to one version. The first four come from signers and people, the others from nodes and the chain. */
export type VersionEvent =
  | 'signature'
  | 'complete'
  | 'finalized'
  | 'rejected'
  /** A node took the bytes, or had them. */
  | 'sent'
  /** The mempool shows it. */
  | 'seen'
  | 'mined'
  /** It left the mempool without a rival. */
  | 'evicted'
  /** A rival took its place: another version, or something foreign. */
  | 'replaced'

type Row = Readonly<Partial<Record<VersionEvent, VersionStatus>>>

/** What the chain says counts in every state: bytes that somebody signed may come from anywhere, at any time. */
const CHAIN: Row = { seen: 'broadcast', mined: 'confirmed', replaced: 'replaced' }
/** Signed bytes never die by themselves: each of these states leads to `confirmed`, and `confirmed` leads back. */
const TABLE: Readonly<Record<VersionStatus, Row>> = {
  created: {
    ...CHAIN,
    signature: 'partially_signed',
    complete: 'signed',
    finalized: 'finalized',
    rejected: 'rejected',
  },
  partially_signed: {
    ...CHAIN,
    signature: 'partially_signed',
    complete: 'signed',
    finalized: 'finalized',
    rejected: 'rejected',
  },
  signed: { ...CHAIN, complete: 'signed', finalized: 'finalized', rejected: 'rejected' },
  finalized: { ...CHAIN, finalized: 'finalized', sent: 'broadcast', rejected: 'rejected' },
  broadcast: { ...CHAIN, sent: 'broadcast', evicted: 'evicted' },
  rejected: { ...CHAIN, rejected: 'rejected' },
  replaced: { ...CHAIN },
  evicted: { ...CHAIN, evicted: 'evicted', sent: 'broadcast' },
  confirmed: { ...CHAIN, evicted: 'evicted' },
}

/**
 * The life of one version, with the ways back. A repeated event changes nothing.
 * @returns undefined for an event that cannot come in this state: bytes cannot be sent before they are final
 */
export const nextVersion = (
  status: VersionStatus,
  event: VersionEvent,
): VersionStatus | undefined => TABLE[status][event]

/** States in which a version still waits for signatures or for being sent first. */
export const isBeforeSending = (status: VersionStatus): boolean =>
  status === 'created' ||
  status === 'partially_signed' ||
  status === 'signed' ||
  status === 'finalized'
