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
  const [revealed] = await revealAddresses(tx, request, [request], pool)
  assert(revealed, 'one answer to one request')
  return revealed
}

/** What differs between reveals of one branch of one wallet. */
export type RevealShare = Omit<RevealRequest, 'wallet' | 'branch'>

/**
 * Hands out as many addresses as there are shares, in their order, as `revealAddress` would one after the other; in the
 * same five statements however many they are.
 * @returns one answer for each share
 */
export async function revealAddresses(
  tx: AddressTx,
  place: Pick<RevealRequest, 'wallet' | 'branch'>,
  shares: readonly RevealShare[],
  pool: ScriptPool = createScriptPool(),
): Promise<readonly Result<RevealedAddress, RevealRefusal>[]> {
  const labels = shares.map(({ label }) =>
    label === undefined ? ok(undefined) : checkLabel(label),
  )
  const wanted = labels.filter((label) => label.ok).length
  if (wanted === 0) return labels.flatMap((label) => (label.ok ? [] : [label]))
  // Others wait for the lock from here to our commit, so only what must not change is read under it. The wallet need
  // not be: a retirement that commits in between overlaps with this request, which then came first.
  const wallet = await tx.wallet.wallet(place.wallet)
  const keychain = await tx.wallet.lockKeychain(place.wallet, place.branch ?? RECEIVE)
  const no = refusalFor(place, wallet, keychain)
  if (no || !wallet || !keychain) {
    const refused = no ?? refuse('WALLET_NOT_FOUND', 'no such wallet')
    return labels.map((label) => (label.ok ? refused : label))
  }
  const at = Math.max(...shares.map((share) => share.at))
  const { free, next } = await tx.wallet.nextAddresses(
    wallet.id,
    keychain.branch,
    keychain.nextIndex,
    wanted,
  )
  const picked: Result<Picked, RevealRefusal>[] = free.map((row) =>
    ok(reuseFree(wallet, keychain, row)),
  )
  if (free.length < wanted)
    picked.push(...(await revealNext(tx, at, wallet, keychain, next, wanted - free.length, pool)))
  const answers: Result<RevealedAddress, RevealRefusal>[] = []
  for (const [i, share] of shares.entries()) {
    const label = labels[i]
    const one = label?.ok === false ? label : picked.shift()
    assert(one, 'an address or a refusal for each share')
    answers.push(one.ok ? ok(ownedBy(share, one.value)) : one)
  }
  await saveRevealed(tx.wallet, shares, answers)
  return answers
}

/** The address as it is once `share` has it. */
function ownedBy(share: RevealShare, { row, ...more }: Picked): RevealedAddress {
  const { order: _order, label: imported, ...bare } = row
  const recycled = row.state === 'free'
  const text = share.label ?? (recycled ? undefined : imported)
  return {
    ...bare,
    state: 'revealed',
    shown: share.shown,
    revealedAt: share.at,
    ...(share.order === undefined ? {} : { order: share.order }),
    ...(text === undefined ? {} : { label: text }),
    ...more,
    recycled,
  }
}

async function saveRevealed(
  rows: WalletRows,
  shares: readonly RevealShare[],
  answers: readonly Result<RevealedAddress, RevealRefusal>[],
): Promise<void> {
  const addresses = answers.flatMap((answer) => (answer.ok ? [bareOf(answer.value)] : []))
  if (addresses.length > 0) await rows.saveAddresses(addresses)
  const labels = answers.flatMap((answer, i) => {
    const text = shares[i]?.label
    if (!answer.ok || text === undefined) return []
    return [labelOfAddress(answer.value.wallet, answer.value.address, text)]
  })
  if (labels.length > 0) await rows.saveLabels(labels)
}
function bareOf({ gap: _gap, recycled: _recycled, watched: _watched, ...row }: RevealedAddress) {
  return row satisfies AddressRecord
}

function refusalFor(
  request: Pick<RevealRequest, 'wallet' | 'branch'>,
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

/** The next `count` indexes: one answer for each. `stored` are those of their rows that stand in the table already. */
async function revealNext(
  tx: AddressTx,
  at: number,
  wallet: WalletRecord,
  keychain: KeychainRecord,
  stored: readonly AddressRecord[],
  count: number,
  pool: ScriptPool,
): Promise<readonly Result<Picked, RevealRefusal>[]> {
  const { branch, nextIndex: first } = keychain
  const end = Math.min(INDEX_END, first + count)
  const growth = await growWindow(tx, wallet, keychain, end, pool)
  await noteOverlap(tx, at, wallet, branch, growth)
  const rows = new Map([...growth.added, ...stored].map((row) => [row.index, row]))
  const answers: Result<Picked, RevealRefusal>[] = []
  let state = keychain
  for (let index = first; index < first + count; index++) {
    const row = rows.get(index)
    if (index >= end || (!row && growth.overlap !== undefined)) {
      answers.push(noneAt(wallet, branch, index, growth.overlap))
      continue
    }
    assert(
      row?.state === 'watched' && row.order === undefined && row.firstUsedAt === undefined,
      `index ${index} of ${wallet.id} was handed out before`,
    )
    assert(index < growth.watchedTo, `index ${index} of ${wallet.id} is not watched (I15)`)
    const after = { ...state, nextIndex: index + 1, watchedTo: growth.watchedTo }
    const gap = await noteGap(tx, at, wallet, state, after)
    answers.push(ok({ row, gap, watched: index === first ? growth.added : [] }))
    state = after
  }
  if (state !== keychain) await tx.wallet.saveKeychain(state)
  if (state !== keychain) pool.note(state)
  return answers
}

/** Why there is nothing to hand out at an index. */
function noneAt(wallet: WalletRecord, branch: number, index: number, other: WalletId | undefined) {
  const details = { wallet: wallet.id, branch, index }
  if (index >= INDEX_END)
    return refuse('WALLET_ADDRESSES_EXHAUSTED', `wallet ${wallet.name} has no further index`, {
      param: 'wallet',
      details,
    })
  return refuse(
    'WALLET_SCRIPTS_OVERLAP',
    `the next address of wallet ${wallet.name} is watched by wallet ${other} already`,
    { param: 'wallet', details: { ...details, other: other ?? '' } },
  )
}
