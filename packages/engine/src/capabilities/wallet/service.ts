import { ok, type Refusal, type Result, type WalletId } from '../../kernel/index.ts'
import * as book from './address-book.ts'
import { renameWallet, requestRescan, retireWallet, walletNotFound } from './administration.ts'
import { type GapReport, gapOf } from './policy.ts'
import { createScriptPool } from './pool.ts'
import type { AddressPage, AddressRecord, WalletRecord } from './ports.ts'
import { registerWallet, type WalletDeps, type WalletInput } from './registration.ts'
import { exportRecovery, restoreRecovery } from './restore.ts'
import {
  type AddressTx,
  type RevealRequest,
  type RevealShare,
  revealAddress,
  revealAddresses,
} from './reveal.ts'
import { markUsed } from './use.ts'

/**
 * The wallet capability over one store. Methods that take `tx` work inside the caller's transaction and share a pool of
 * scripts derived ahead; the others are transactions of their own.
 */
export const createWallets = (deps: WalletDeps) => {
  const pool = createScriptPool()
  const { store } = deps
  return {
    register: (input: WalletInput, actor: string) => registerWallet(deps, input, actor),
    rename: (id: WalletId, name: string, actor: string) => renameWallet(deps, id, name, actor),
    retire: (id: WalletId, actor: string) => retireWallet(deps, id, actor),
    requestRescan: (id: WalletId, fromHeight: number, actor: string) =>
      requestRescan(deps, id, fromHeight, actor),

    wallet: (id: WalletId): Promise<WalletRecord | undefined> =>
      store.read((tx) => tx.wallet.wallet(id)),
    wallets: (): Promise<readonly WalletRecord[]> => store.read((tx) => tx.wallet.wallets()),
    addresses: (page: AddressPage): Promise<readonly AddressRecord[]> =>
      store.read((tx) => tx.wallet.listAddresses(page)),
    /** How far other wallets see, for each branch. */
    gaps: (id: WalletId): Promise<Result<readonly GapReport[], Refusal<'WALLET_NOT_FOUND'>>> =>
      store.read(async (tx) => {
        const wallet = await tx.wallet.wallet(id)
        if (!wallet) return walletNotFound(id)
        const keychains = await tx.wallet.keychains(id)
        return ok(keychains.map((keychain) => gapOf(keychain, wallet.gapLimit)))
      }),

    /** Derives ahead some of what later reveals will store. Call it before each transaction that reveals. */
    prepare: (wallet: WalletRecord): void => pool.prepare(wallet),
    revealAddress: (tx: AddressTx, request: RevealRequest) => revealAddress(tx, request, pool),
    revealAddresses: (
      tx: AddressTx,
      place: Pick<RevealRequest, 'wallet' | 'branch'>,
      shares: readonly RevealShare[],
    ) => revealAddresses(tx, place, shares, pool),
    markUsed: (tx: AddressTx, addresses: Parameters<typeof markUsed>[1], at: number) =>
      markUsed(tx, addresses, at, pool),

    labelAddress: (place: Parameters<typeof book.labelAddress>[1], text: string) =>
      book.labelAddress(deps, place, text),
    importLabels: (id: WalletId, text: string, actor: string) =>
      book.importLabels(deps, id, text, actor),
    exportLabels: (id: WalletId) => book.exportLabels(deps, id),
    exportRecovery: (id: WalletId, actor: string) => exportRecovery(deps, id, actor),
    restoreRecovery: (text: string, actor: string) => restoreRecovery(deps, text, actor),
  }
}
export type Wallets = ReturnType<typeof createWallets>
