import { ok, type Refusal, type Result, refuse, type WalletId } from '../../kernel/index.ts'
import type { WalletRecord } from './ports.ts'
import {
  aboveTip,
  invalid,
  isBetween,
  readName,
  type WalletDeps,
  type WalletTx,
  writeDown,
} from './registration.ts'

export const walletNotFound = (wallet: string) =>
  refuse('WALLET_NOT_FOUND', 'no wallet has this id', { param: 'wallet', details: { wallet } })

/** Changes one wallet under its lock; event and audit entry stand in the same commit. */
async function change<C extends Refusal>(
  { store, clock }: WalletDeps,
  id: WalletId,
  actor: string,
  verb: { readonly event: string; readonly action: string },
  work: (
    wallet: WalletRecord,
    tx: WalletTx,
  ) => Promise<Result<{ readonly wallet: WalletRecord; readonly details: Details } | undefined, C>>,
): Promise<Result<WalletRecord, C | Refusal<'WALLET_NOT_FOUND'>>> {
  return store.transact(async (tx) => {
    const wallet = await tx.wallet.lockWallet(id)
    if (!wallet) return walletNotFound(id)
    const changed = await work(wallet, tx)
    if (!changed.ok) return changed
    if (!changed.value) return ok(wallet)
    await tx.wallet.saveWallet(changed.value.wallet)
    await writeDown(
      tx,
      clock.now(),
      actor,
      verb.event,
      verb.action,
      changed.value.wallet,
      changed.value.details,
    )
    return ok(changed.value.wallet)
  })
}
type Details = Readonly<Record<string, string | number | boolean>>

/** Gives the wallet another name. The same name again changes nothing. */
export function renameWallet(
  deps: WalletDeps,
  id: WalletId,
  name: string,
  actor: string,
): Promise<Result<WalletRecord, Refusal<'WALLET_NOT_FOUND' | 'FIELD_INVALID'>>> {
  return change(
    deps,
    id,
    actor,
    { event: 'wallet.renamed', action: 'wallet.rename' },
    async (wallet) => {
      const text = readName(name)
      if (!text.ok) return text
      if (text.value === wallet.name) return ok(undefined)
      return ok({
        wallet: { ...wallet, name: text.value },
        details: { previous: wallet.name },
      })
    },
  )
}

/**
 * From the answer on the wallet reveals no address that is asked for, and stays watched for ever: people pay to old addresses years later.
 * A second time changes nothing.
 */
export function retireWallet(
  deps: WalletDeps,
  id: WalletId,
  actor: string,
): Promise<Result<WalletRecord, Refusal<'WALLET_NOT_FOUND'>>> {
  return change(
    deps,
    id,
    actor,
    { event: 'wallet.retired', action: 'wallet.retire' },
    async (wallet) => {
      if (wallet.status === 'retired') return ok(undefined)
      return ok({ wallet: { ...wallet, status: 'retired' }, details: {} })
    },
  )
}

export type RescanRefusal = Refusal<
  'WALLET_NOT_FOUND' | 'FIELD_INVALID' | 'WALLET_BIRTHDAY_ABOVE_TIP' | 'WALLET_CHAIN_UNKNOWN'
>

/**
 * Asks for the blocks from `fromHeight` to the tip to be read again for this wallet; the chain follower does it. Lowers the
 * birthday when it lies above. A request while a rescan runs begins again at the lower of both heights.
 */
export function requestRescan(
  deps: WalletDeps,
  id: WalletId,
  fromHeight: number,
  actor: string,
): Promise<Result<WalletRecord, RescanRefusal>> {
  return change<RescanRefusal>(
    deps,
    id,
    actor,
    { event: 'wallet.rescan_requested', action: 'wallet.rescan' },
    async (wallet, tx) => {
      if (!isBetween(fromHeight, 0, 0xffff_ffff))
        return invalid('from_height', 'is not a block height')
      const tip = await tx.chain.tip()
      if (!tip) return refuse('WALLET_CHAIN_UNKNOWN', 'no block has been followed yet')
      if (fromHeight > tip.height) return aboveTip('from_height', fromHeight, tip.height)
      const from = Math.min(fromHeight, wallet.rescan?.next ?? fromHeight)
      return ok({
        wallet: {
          ...wallet,
          birthday: Math.min(wallet.birthday, fromHeight),
          rescan: { from, next: from, to: tip.height },
        },
        details: { from_height: from, to_height: tip.height },
      })
    },
  )
}
