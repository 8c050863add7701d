import type { Network, OrderId, WalletId } from '../../kernel/index.ts'

/** A registered set of public keys. Never deleted: a retired wallet is still watched. */
export interface WalletRecord {
  readonly id: WalletId
  readonly name: string
  readonly network: Network
  /** Canonical text with checksum; unique in the store. */
  readonly descriptor: string
  readonly status: 'active' | 'retired'
  /** How many unused addresses in a row other wallets look ahead (BIP 44: 20). */
  readonly gapLimit: number
  /** How far beyond the highest revealed or used index scripts are watched. */
  readonly lookahead: number
  /** No payment can be older than this height. */
  readonly birthday: number
  /**
   * Present while blocks below the cursor still have to be read for this wallet: the next height to read. Whoever reads
   * them first refreshes the watch set and raises `to` to the tip of that moment: a block may have been connected
   * between the registration and the first refresh that knew these scripts.
   */
  readonly rescan?: { readonly next: number; readonly from: number; readonly to: number }
  readonly createdAt: number
}

/** One branch of a descriptor: 0 receives, 1 takes change. */
export interface KeychainRecord {
  readonly wallet: WalletId
  readonly branch: number
  /** The next index to reveal. Only grows (I15). */
  readonly nextIndex: number
  /** Scripts 0 to watchedTo-1 stand in the address table and in the watch set. */
  readonly watchedTo: number
  /** Highest index that ever received a payment; -1 when none did. */
  readonly lastUsed: number
  /**
   * Highest used index that a wallet looking `gapLimit` ahead finds from the descriptor alone; -1 when none. Below
   * `lastUsed` once a payment came to an address beyond that gap.
   */
  readonly reach: number
}

export interface AddressRecord {
  readonly wallet: WalletId
  readonly branch: number
  readonly index: number
  /** Output script; unique in the store. */
  readonly script: Uint8Array
  readonly address: string
  /** `watched`: derived ahead, nobody has it. `revealed`: handed out. `free`: was reserved but never shown, may be handed out again. */
  readonly state: 'watched' | 'revealed' | 'free'
  /** True once a person or a client may have seen it: from then on it is never recycled. */
  readonly shown: boolean
  /** The one owner (I15). */
  readonly order?: OrderId
  readonly label?: string
  readonly revealedAt?: number
  readonly firstUsedAt?: number
}

/** A BIP 329 record as it came or as we made it; unknown fields are kept in `json`. */
export interface LabelRecord {
  readonly wallet: WalletId
  readonly type: string
  readonly ref: string
  readonly json: string
}

export interface AddressPage {
  readonly wallet?: WalletId
  readonly branch?: number
  readonly state?: AddressRecord['state']
  /** Exclusive lower bound in (wallet, branch, index) order. */
  readonly after?: { readonly wallet: WalletId; readonly branch: number; readonly index: number }
  readonly limit: number
}

/** Rows of the wallet capability. `lock…` holds the row until the transaction ends, also against other processes. */
export interface WalletRows {
  /** @throws EngineError STORE_CONFLICT when id or descriptor exists. */
  insertWallet(wallet: WalletRecord): Promise<void>
  wallet(id: WalletId): Promise<WalletRecord | undefined>
  lockWallet(id: WalletId): Promise<WalletRecord | undefined>
  walletByDescriptor(descriptor: string): Promise<WalletRecord | undefined>
  /** Every wallet, oldest first: there are few. */
  wallets(): Promise<readonly WalletRecord[]>
  saveWallet(wallet: WalletRecord): Promise<void>
  /** In (wallet, branch) order; without `wallet` those of all wallets, for refreshing the watch set. */
  keychains(wallet?: WalletId): Promise<readonly KeychainRecord[]>
  lockKeychain(wallet: WalletId, branch: number): Promise<KeychainRecord | undefined>
  /** Inserts or replaces. */
  saveKeychain(keychain: KeychainRecord): Promise<void>
  /** @throws EngineError STORE_CONFLICT when a (wallet, branch, index) or a script exists. */
  insertAddresses(addresses: readonly AddressRecord[]): Promise<void>
  /** Writes state, owner, label and times of rows that exist by (wallet, branch, index); a script never changes. */
  saveAddresses(addresses: readonly AddressRecord[]): Promise<void>
  address(wallet: WalletId, branch: number, index: number): Promise<AddressRecord | undefined>
  addressesByScripts(scripts: readonly Uint8Array[]): Promise<readonly AddressRecord[]>
  /**
   * What to hand out next, in order of index: up to `count` free addresses, and the `count` addresses from `index` on as
   * far as they are stored. The caller holds the keychain's lock, which everything that changes addresses takes.
   */
  nextAddresses(
    wallet: WalletId,
    branch: number,
    index: number,
    count: number,
  ): Promise<{ readonly free: readonly AddressRecord[]; readonly next: readonly AddressRecord[] }>
  listAddresses(page: AddressPage): Promise<readonly AddressRecord[]>
  /** All scripts in stable pages, for loading the watch set: only the bytes, `after` is the cursor of the page before. */
  scripts(
    after: string | undefined,
    limit: number,
  ): Promise<{ readonly scripts: readonly Uint8Array[]; readonly next?: string }>
  /** Inserts or replaces by (wallet, type, ref). */
  saveLabels(labels: readonly LabelRecord[]): Promise<void>
  labels(
    wallet: WalletId,
    after: { readonly type: string; readonly ref: string } | undefined,
    limit: number,
  ): Promise<readonly LabelRecord[]>
}
