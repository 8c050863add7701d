import { type Wallet, parseDescriptor, printPath } from '../bitcoin/descriptor.ts'
import { SignerFailure } from '../failure.ts'
import { toHex } from '../bytes.ts'
import { readPrivate, replaceFile } from './files.ts'
import type { Seal } from './seal.ts'
import type { Vault } from './vault.ts'

/** What one wallet may lose through this signer. Satoshis; satoshis per 1000 virtual bytes; milliseconds. */
export interface WalletLimits {
  /** Payments and fee of one transaction. */
  readonly max_transaction_sat: number
  /** The same over any 24 hours. */
  readonly max_day_sat: number
  readonly max_fee_sat: number
  readonly max_fee_rate_sat_kvb: number
  readonly min_fee_rate_sat_kvb: number
  readonly change_index_max: number
  /** People in the receipt who approved and did not ask for it themselves. */
  readonly min_approvals: number
}
export interface RegisteredWallet {
  readonly name: string
  readonly descriptor: string
  readonly limits: WalletLimits
}
export interface Settings {
  readonly network: 'main' | 'test' | 'testnet4' | 'signet' | 'regtest'
  /** Public receipt keys of the engine, hex; several while one is replaced. */
  readonly receipt_keys: readonly string[]
  /** Longest life of a receipt that is taken. */
  readonly max_receipt_ms: number
  readonly listen: { readonly host: string; readonly port: number } | { readonly socket: string }
  /** SHA-256 of the bearer token, hex. */
  readonly token_sha256: string
  readonly wallets: readonly RegisteredWallet[]
}

export const DEFAULT_LIMITS = {
  max_fee_sat: 500_000,
  max_fee_rate_sat_kvb: 500_000,
  min_fee_rate_sat_kvb: 1000,
  change_index_max: 1_000_000,
  min_approvals: 0,
} as const

/** Settings stand in `registry.json` under a mark made with the passphrase: who can write the file cannot raise a limit. */
export function writeRegistry(path: string, settings: Settings, seal: Seal): void {
  const text = JSON.stringify(settings, undefined, 2)
  replaceFile(path, `${seal.mark(text, 'registry')}\n${text}\n`)
}

/** @throws SignerFailure when it was changed by anything but this program. */
export function readRegistry(path: string, seal: Seal): Settings {
  const whole = readPrivate(path)
  const mark = whole.slice(0, 64)
  const text = whole.slice(65, -1)
  if (!seal.isMark(text, 'registry', mark)) {
    throw new SignerFailure(
      `${path} was changed by something else than this program, or is damaged`,
    )
  }
  return JSON.parse(text) as Settings
}

export interface OpenWallet {
  readonly name: string
  readonly wallet: Wallet
  readonly limits: WalletLimits
  /** The keys of the descriptor that are here, by their place in it. */
  readonly own: readonly number[]
}

/** The keys of the descriptor whose extended key is derived from a seed of the vault. */
function ownKeys(wallet: Wallet, vault: Vault): number[] {
  return wallet.keys.flatMap(({ fingerprint, path, serialized }, i) => {
    const master = vault.master(fingerprint, wallet.family)
    if (!master) return []
    const derived =
      path.length === 0 ? master : master.derive(`m/${printPath(path).replaceAll('h', "'")}`)
    const key = derived.publicKey
    const isSame = key && derived.chainCode
    const told = toHex(serialized.subarray(13))
    return isSame && told === `${toHex(derived.chainCode)}${toHex(key)}` ? [i] : []
  })
}

/** @throws SignerFailure for a descriptor that cannot be used, of another network, or of which no key is here. */
export function openWallet(
  { name, descriptor, limits }: RegisteredWallet,
  settings: Settings,
  vault: Vault,
): OpenWallet {
  const wallet = parseDescriptor(descriptor)
  const isMain = settings.network === 'main'
  if (isMain !== (wallet.family === 'main')) {
    throw new SignerFailure(`the descriptor of ${name} is not of the network ${settings.network}`)
  }
  const own = ownKeys(wallet, vault)
  if (own.length === 0) {
    throw new SignerFailure(
      `no key of ${name} is here: add its mnemonic, or correct origin and path in the descriptor`,
    )
  }
  return { name, wallet, limits, own }
}
