import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReceiptKey, type PolicyReceipt, signReceipt } from '@kaccy/bitcoin/signing'
import { type PsbtId, Secret, type SpendId, sat, toHex, txid } from '@kaccy/bitcoin/kernel'
import {
  createDesk,
  createHome,
  DEFAULT_LIMITS,
  type Desk,
  isNeededAt,
  openHome,
  type Settings,
  type WalletLimits,
} from '@kaccy/signer'

/** A signer's home for tests: cheap scrypt, and the engine's receipt key. */
export const PASSPHRASE = 'a passphrase for tests only'
export const COST = { logN: 14, r: 8, p: 1 }
export const RECEIPT_KEY = createReceiptKey(new Secret(new Uint8Array(32).fill(9)))
export const TOKEN = 'kst_a-token-for-tests'
export const NOW = 1_700_000_000_000

export const LIMITS: WalletLimits = {
  ...DEFAULT_LIMITS,
  max_transaction_sat: 1_000_000_000,
  max_day_sat: 10_000_000_000,
}
export const SETTINGS: Settings = {
  network: 'regtest',
  receipt_keys: [toHex(RECEIPT_KEY.publicKey)],
  max_receipt_ms: 7 * 24 * 3600 * 1000,
  listen: { host: '127.0.0.1', port: 0 },
  token_sha256: '',
  wallets: [],
}

export interface Stand {
  readonly folder: string
  open(at?: () => number): { readonly desk: Desk; close(): void }
  remove(): void
}

/** A home with these mnemonics and wallets. */
export function createStand(
  mnemonics: readonly string[],
  wallets: readonly { name: string; descriptor: string; limits?: WalletLimits }[],
  settings: Partial<Settings> = {},
): Stand {
  const folder = join(mkdtempSync(join(tmpdir(), 'kaccy-signer-')), 'home')
  createHome(folder, PASSPHRASE, { ...SETTINGS, ...settings }, COST)
  const home = openHome(folder, PASSPHRASE, () => true)
  for (const mnemonic of mnemonics) home.vault.add(mnemonic, '')
  const registered = wallets.map((wallet) => ({ limits: LIMITS, ...wallet }))
  home.save({ ...home.settings, wallets: registered })
  home.close()
  return {
    folder,
    open(at = () => NOW) {
      const opened = openHome(folder, PASSPHRASE, isNeededAt(at()))
      return { desk: createDesk(opened, at), close: () => opened.close() }
    },
    remove: () => rmSync(join(folder, '..'), { recursive: true, force: true }),
  }
}

let nonces = 0
/** A receipt as the engine writes it, for the given transaction. */
export const receiptOf = (
  more: Partial<PolicyReceipt> & Pick<PolicyReceipt, 'descriptor'>,
): string =>
  signReceipt(
    {
      psbt: 'psb_1' as PsbtId,
      spend: 'spd_1' as SpendId,
      unsignedTxid: txid('00'.repeat(32)),
      policyVersion: 1,
      tipHeight: 200,
      payments: [],
      maxFee: sat(5_000_000n),
      approvals: [],
      initiators: ['api:key_1'],
      issuedAt: NOW,
      expiresAt: NOW + 3_600_000,
      nonce: (++nonces).toString(16).padStart(32, '0'),
      ...more,
    },
    RECEIPT_KEY,
  )
