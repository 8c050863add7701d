import type { KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SignerFailure } from '../failure.ts'
import { receiptKey } from '../receipt.ts'
import { createJournal, type Journal, openJournal, type Signing } from './journal.ts'
import { type Lock, takeLock } from './lock.ts'
import {
  type OpenWallet,
  openWallet,
  readRegistry,
  type Settings,
  writeRegistry,
} from './registry.ts'
import type { Cost } from './seal.ts'
import { createVault, openVault, type Vault } from './vault.ts'

/** Everything of one signer, opened with its passphrase and locked for one process. */
export interface Home {
  readonly folder: string
  readonly vault: Vault
  readonly settings: Settings
  readonly wallets: readonly OpenWallet[]
  readonly receiptKeys: readonly KeyObject[]
  readonly journal: Journal
  readonly lock: Lock
  /** Stores other settings; they count from the next opening on. @throws SignerFailure for those that cannot be used. */
  save(settings: Settings): void
  close(): void
}

const KEYS = 'keys.json'
const REGISTRY = 'registry.json'

/** Makes a home in an empty or new folder. @throws SignerFailure */
export function createHome(
  folder: string,
  passphrase: string,
  settings: Settings,
  cost?: Cost,
): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new SignerFailure(`${folder} is not empty`)
  }
  for (const key of settings.receipt_keys) receiptKey(key)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  createVault(join(folder, KEYS), passphrase, cost)
  const { seal } = openVault(join(folder, KEYS), passphrase)
  createJournal(folder, seal)
  writeRegistry(join(folder, REGISTRY), settings, seal)
}

function openWallets(settings: Settings, vault: Vault): OpenWallet[] {
  const wallets = settings.wallets.map((wallet) => openWallet(wallet, settings, vault))
  const twice = wallets.find(({ name, wallet }, i) =>
    wallets
      .slice(0, i)
      .some((other) => other.name === name || other.wallet.checksum === wallet.checksum),
  )
  if (twice) throw new SignerFailure(`the wallet ${twice.name} is registered already`)
  return wallets
}

/** @throws SignerFailure for a wrong passphrase, a damaged file, or while another process has it open. */
export function openHome(
  folder: string,
  passphrase: string,
  isNeeded: (record: Signing) => boolean,
): Home {
  if (!existsSync(join(folder, KEYS))) {
    throw new SignerFailure(`${folder} is no home of a signer: make one with kaccy-signer init`)
  }
  const lock = takeLock(folder)
  try {
    const vault = openVault(join(folder, KEYS), passphrase)
    const settings = readRegistry(join(folder, REGISTRY), vault.seal)
    const wallets = openWallets(settings, vault)
    const receiptKeys = settings.receipt_keys.map(receiptKey)
    const journal = openJournal(folder, vault.seal, isNeeded)
    return {
      folder,
      vault,
      settings,
      wallets,
      receiptKeys,
      journal,
      lock,
      save(next) {
        openWallets(next, vault)
        for (const key of next.receipt_keys) receiptKey(key)
        writeRegistry(join(folder, REGISTRY), next, vault.seal)
      },
      close() {
        journal.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}
