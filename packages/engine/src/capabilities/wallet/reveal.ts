import {
  assert,
  type OrderId,
  ok,
  type Refusal,
  type Result,
  refuse,
  type WalletId,
} from '../../kernel/index.ts'
import type { AlertRows } from '../alerts/index.ts'
import type { EventRows } from '../events/index.ts'
import { isRanged } from './derivation.ts'
import { noteGap, noteOverlap } from './gap.ts'
import { checkLabel, labelOfAddress } from './labels.ts'
import { type GapReport, gapOf, INDEX_END, RECEIVE } from './policy.ts'
import { createScriptPool, type ScriptPool } from './pool.ts'
import type { AddressRecord, KeychainRecord, WalletRecord, WalletRows } from './ports.ts'
import { growWindow, type WatchedScript } from './window.ts'

/** The row doors that handing out addresses needs. */
export interface AddressTx {
  readonly wallet: WalletRows
  readonly events: EventRows
  readonly alerts: AlertRows
}

export interface RevealRequest {
  readonly wallet: WalletId
  /** 0, the receiving branch, unless said otherwise. */
  readonly branch?: number
  /** The one owner. The caller makes sure that an order asks once. */
  readonly order?: OrderId
  readonly label?: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** False reserves: nobody sees the address before `markShown`, and until then it may be released. */
  readonly shown: boolean
}

export interface RevealedAddress extends AddressRecord {
  /** How far wallets with a gap limit see, after this reveal. */
  readonly gap: GapReport
  /** True when the address had been reserved before, was released unseen, and is used now. */
  readonly recycled: boolean
  /** Scripts that are watched from this commit on; hand them to the watch set after it, or let it refresh. */
  readonly watched: readonly WatchedScript[]
}

export type RevealRefusal = Refusal<
  | 'WALLET_NOT_FOUND'
  | 'WALLET_RETIRED'
  | 'WALLET_NOT_RANGED'
  | 'WALLET_ADDRESSES_EXHAUSTED'
  | 'WALLET_SCRIPTS_OVERLAP'
  | 'WALLET_LABEL_INVALID'
>

/**
 * Hands out one address, inside the caller's transaction: nobody else gets it, in this or another process (I15).
 *
 * A released address that nobody saw comes first; otherwise the index is the next one. Before the address is handed
 * out, the same transaction stores every script up to the wallet's lookahead beyond it. A reveal takes five statements;
 * once in a window step it also derives (outside the lock when `pool` was prepared) and inserts scripts.
 */
export async function revealAddress(
  tx: AddressTx,
  request: RevealRequest,
  pool: ScriptPool = createScriptPool(),
): Promise<Result<RevealedAddress, RevealRefusal>> {
  const label = request.label === undefined ? ok(undefined) : checkLabel(request.label)
  if (!label.ok) return label
  // Others wait for the lock from here to our commit, so only what must not change is read under it. The wallet need
  // not be: a retirement that commits in between overlaps with this request, which then came first.
  const wallet = await tx.wallet.wallet(request.wallet)
  const keychain = await tx.wallet.lockKeychain(request.wallet, request.branch ?? RECEIVE)
  const no = refusalFor(request, wallet, keychain)
  if (no || !wallet || !keychain) return no ?? refuse('WALLET_NOT_FOUND', 'no such wallet')

  const { branch, nextIndex } = keychain
  const next = await tx.wallet.nextAddress(wallet.id, branch, nextIndex)
  const free = next?.state === 'free' ? next : undefined
  const revealed = free
    ? ok(reuseFree(wallet, keychain, free))
    : await revealNext(tx, request.at, wallet, keychain, next, pool)
  if (!revealed.ok) return revealed
  const { row, ...more } = revealed.value
  const { order: _order, label: imported, ...bare } = row
  const text = request.label ?? (free ? undefined : imported)
  const address: AddressRecord = {
    ...bare,
    state: 'revealed',
    shown: request.shown,
    revealedAt: request.at,
    ...(request.order === undefined ? {} : { order: request.order }),
    ...(text === undefined ? {} : { label: text }),
  }
  await tx.wallet.saveAddresses([address])
  if (request.label !== undefined)
    await tx.wallet.saveLabels([labelOfAddress(wallet.id, row.address, request.label)])
  return ok({ ...address, ...more, recycled: free !== undefined })
}

function refusalFor(
  request: RevealRequest,
  wallet: WalletRecord | undefined,
  keychain: KeychainRecord | undefined,
) {
  if (!wallet)
    return refuse('WALLET_NOT_FOUND', 'no wallet has this id', {
      param: 'wallet',
      details: { wallet: request.wallet },
    })
  const details = { wallet: wallet.id, name: wallet.name }
  if (wallet.status === 'retired')
    return refuse(
      'WALLET_RETIRED',
      `wallet ${wallet.name} is retired: it is watched but reveals no address`,
      {
        param: 'wallet',
        details,
      },
    )
  if (!keychain || !isRanged(wallet.descriptor))
    return refuse(
      'WALLET_NOT_RANGED',
      `wallet ${wallet.name} has no range of addresses on branch ${request.branch ?? RECEIVE}`,
      { param: 'wallet', details },
    )
  return undefined
}

interface Picked {
  readonly row: AddressRecord
  readonly gap: GapReport
  readonly watched: readonly WatchedScript[]
}

function reuseFree(wallet: WalletRecord, keychain: KeychainRecord, free: AddressRecord): Picked {
  assert(
    !free.shown && free.firstUsedAt === undefined && free.index < keychain.nextIndex,
    `free address ${wallet.id}/${free.branch}/${free.index} was seen or used`,
  )
  return { row: free, gap: gapOf(keychain, wallet.gapLimit), watched: [] }
}

async function revealNext(
  tx: AddressTx,
  at: number,
  wallet: WalletRecord,
  keychain: KeychainRecord,
  row: AddressRecord | undefined,
  pool: ScriptPool,
): Promise<Result<Picked, RevealRefusal>> {
  const index = keychain.nextIndex
  const details = { wallet: wallet.id, branch: keychain.branch, index }
  if (index >= INDEX_END)
    return refuse('WALLET_ADDRESSES_EXHAUSTED', `wallet ${wallet.name} has no further index`, {
      param: 'wallet',
      details,
    })
  const growth = await growWindow(tx, wallet, keychain, index + 1, pool)
  await noteOverlap(tx, at, wallet, keychain.branch, growth)
  if (!row && growth.overlap !== undefined)
    return refuse(
      'WALLET_SCRIPTS_OVERLAP',
      `the next address of wallet ${wallet.name} is watched by wallet ${growth.overlap} already`,
      { param: 'wallet', details: { ...details, other: growth.overlap } },
    )
  assert(
    row?.state === 'watched' && row.order === undefined && row.firstUsedAt === undefined,
    `index ${index} of ${wallet.id} was handed out before`,
  )
  assert(index < growth.watchedTo, `index ${index} of ${wallet.id} is not watched (I15)`)
  const after = { ...keychain, nextIndex: index + 1, watchedTo: growth.watchedTo }
  await tx.wallet.saveKeychain(after)
  pool.note(after)
  return ok({ row, gap: await noteGap(tx, at, wallet, keychain, after), watched: growth.added })
}
