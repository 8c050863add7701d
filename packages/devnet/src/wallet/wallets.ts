import { sha256 } from '@noble/hashes/sha2.js'
import { HDKey } from '@scure/bip32'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import type { Happening } from '../chain/happenings.ts'
import { decodeTransaction } from '../chain/transaction.ts'
import { withChecksum } from '../descriptor/checksum.ts'
import { BIP32_VERSIONS } from '../descriptor/key.ts'
import type { OutputType } from '../descriptor/node.ts'
import { DevnetError, must } from '../failure.ts'
import type { Entry } from './entry.ts'
import { DescriptorRecord, KEYPOOL_SIZE } from './record.ts'
import { OUTPUT_TYPES, Wallet, type WalletHost, type WalletState } from './wallet.ts'

/** All wallets of a devnet, loaded and not, as plain values. */
export interface WalletsState {
  readonly loaded: readonly WalletState[]
  readonly stored: readonly WalletState[]
  readonly created: number
}
/** Core's descriptors for one root key. Source: BIP 44, 49, 84, 86. */
export const TEMPLATES: Readonly<Record<OutputType, (key: string, branch: number) => string>> = {
  legacy: (key, branch) => `pkh(${key}/44h/1h/0h/${branch}/*)`,
  'p2sh-segwit': (key, branch) => `sh(wpkh(${key}/49h/1h/0h/${branch}/*))`,
  bech32: (key, branch) => `wpkh(${key}/84h/1h/0h/${branch}/*)`,
  bech32m: (key, branch) => `tr(${key}/86h/1h/0h/${branch}/*)`,
}

/** The wallets of one devnet. They follow its chain while they are loaded. */
export class Wallets {
  readonly loaded = new Map<string, Wallet>()
  /** Unloaded ones, as they were left. */
  readonly stored = new Map<string, WalletState>()
  readonly #host: WalletHost
  #created = 0
  /** What `toJson` gave last, until something may have changed. */
  #text: string | undefined

  constructor(host: WalletHost) {
    this.#host = host
    host.regtest.happenings.listen((happening) => {
      this.touch()
      for (const wallet of this.loaded.values()) follow(wallet, happening)
    })
  }
  /** Must be called before a wallet is changed from outside: what is kept is then written anew. */
  touch(): void {
    this.#text = undefined
  }
  /** A new wallet with Core's eight descriptors, unless it is blank or watches only. */
  create(
    name: string,
    options: { readonly privateKeys: boolean; readonly blank: boolean },
  ): Wallet {
    this.touch()
    this.#created += 1
    const wallet = new Wallet(this.#host, { ...options, name })
    if (options.privateKeys && !options.blank) this.#addDescriptors(wallet)
    this.loaded.set(name, wallet)
    return wallet
  }
  #addDescriptors(wallet: Wallet): void {
    const text = `${this.#host.seed} wallet ${wallet.name} key ${this.#created}`
    const seed = sha256(new TextEncoder().encode(text))
    const key = HDKey.fromMasterSeed(seed, BIP32_VERSIONS).privateExtendedKey
    const timestamp = this.#host.regtest.now()
    for (const internal of [false, true]) {
      for (const type of OUTPUT_TYPES) {
        const record = new DescriptorRecord({
          text: withChecksum(TEMPLATES[type](key, internal ? 1 : 0)),
          timestamp,
          rangeStart: 0,
          rangeEnd: KEYPOOL_SIZE,
          nextIndex: 0,
          shown: false,
        })
        wallet.addRecord(record)
        wallet.activate(record, type, internal)
      }
    }
  }
  /** Puts a wallet aside; it stops following the chain. */
  unload(name: string): void {
    const wallet = this.loaded.get(name)
    if (!wallet) return
    this.touch()
    this.stored.set(name, wallet.save())
    this.loaded.delete(name)
  }
  /** Takes a stored wallet back and lets it catch up. Undefined when there is none of this name. */
  reload(name: string): Wallet | undefined {
    const state = this.stored.get(name)
    if (!state) return undefined
    this.touch()
    const wallet = Wallet.load(this.#host, state)
    wallet.resync()
    this.stored.delete(name)
    this.loaded.set(name, wallet)
    return wallet
  }
  /** Offers every waiting transaction of the loaded wallets to the mempool again, as Core does when it starts. */
  resubmit(): void {
    for (const wallet of this.loaded.values()) {
      const { ledger } = wallet
      const waiting = [...ledger.entries.values()].filter(
        (entry) =>
          entry.standing.kind === 'inactive' &&
          !entry.standing.abandoned &&
          !entry.transaction.isCoinbase,
      )
      waiting.sort((a, b) => a.order - b.order)
      for (const { transaction } of waiting) this.#host.regtest.offer(transaction)
    }
  }

  /** All wallets as they are now; cheap, for snapshots: transactions are shared. */
  save(): WalletsState {
    return {
      loaded: [...this.loaded.values()].map((wallet) => wallet.save()),
      stored: [...this.stored.values()],
      created: this.#created,
    }
  }
  /** Back to saved wallets. They must belong to the chain that the node now has: restore that first. */
  load(state: WalletsState): void {
    this.touch()
    this.loaded.clear()
    this.stored.clear()
    for (const own of state.loaded) this.loaded.set(own.name, Wallet.load(this.#host, own))
    for (const own of state.stored) this.stored.set(own.name, own)
    this.#created = state.created
  }
  /** Everything needed to keep the wallets in a file, secrets included: for tests only. */
  toJson(): string {
    this.#text ??= JSON.stringify(this.save(), (_, value: unknown) => {
      if (typeof value === 'bigint') return { sat: value.toString() }
      if (value instanceof Map || value instanceof Set) return [...value]
      return isTransaction(value) ? toHex(value.raw) : value
    })
    return this.#text
  }
  /** Takes the wallets of `toJson` and lets them catch up with the chain. @throws DevnetError DEVNET_USAGE on other text. */
  fromJson(text: string): void {
    this.load(parseState(text))
    for (const wallet of this.loaded.values()) wallet.resync()
  }
}
const isTransaction = (value: unknown): value is { readonly raw: Uint8Array } =>
  typeof value === 'object' && value !== null && 'wtxid' in value && 'raw' in value

interface KeptEntry extends Omit<Entry, 'transaction' | 'notes' | 'mempoolConflicts'> {
  readonly transaction: string
  readonly notes: readonly (readonly [string, string])[]
  readonly mempoolConflicts: readonly string[]
}
function parseWallet(kept: WalletState): WalletState {
  const entries = (kept.entries as unknown as readonly KeptEntry[]).map((entry) => {
    const raw = must(tryFromHex(entry.transaction), 'a kept transaction is hex')
    return {
      ...entry,
      transaction: must(decodeTransaction(raw), 'a kept transaction decodes'),
      notes: new Map(entry.notes),
      mempoolConflicts: new Set(entry.mempoolConflicts),
    }
  })
  const { sat } = kept.payRate as unknown as { readonly sat: string }
  return { ...kept, entries, payRate: BigInt(sat) }
}
function parseState(text: string): WalletsState {
  try {
    const state = JSON.parse(text) as WalletsState
    return {
      loaded: state.loaded.map(parseWallet),
      stored: state.stored.map(parseWallet),
      created: state.created,
    }
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : String(fault)
    throw new DevnetError('DEVNET_USAGE', `not the wallets of a devnet: ${reason}`)
  }
}
function follow(wallet: Wallet, happening: Happening): void {
  const { ledger } = wallet
  switch (happening.kind) {
    case 'blockConnected':
      ledger.connected(happening.block, happening.node)
      break
    case 'blockDisconnected':
      ledger.disconnected(happening.block)
      break
    case 'transactionAdded':
      ledger.added(happening.transaction)
      break
    case 'transactionRemoved':
      // Of what was mined the block itself follows and tells more.
      if (happening.reason !== 'mined') ledger.removed(happening.transaction, happening.reason)
      break
    case 'restored':
      wallet.resync()
      break
    case 'tipChanged':
      break
  }
}
