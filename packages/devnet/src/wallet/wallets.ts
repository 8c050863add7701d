import { sha256 } from '@noble/hashes/sha2.js'
import { HDKey } from '@scure/bip32'
import type { Happening } from '../chain/happenings.ts'
import { withChecksum } from '../descriptor/checksum.ts'
import { BIP32_VERSIONS } from '../descriptor/key.ts'
import type { OutputType } from '../descriptor/node.ts'
import {
  entryRow,
  headRow,
  indexRow,
  keptText,
  labelRow,
  parseState,
  rowsOf,
  stateOfRows,
  type WalletRow,
  type WalletsState,
} from './keep.ts'
import { DescriptorRecord, KEYPOOL_SIZE } from './record.ts'
import { OUTPUT_TYPES, Wallet, type WalletHost, type WalletState } from './wallet.ts'

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
  /** Rows of wallets that were put aside before anybody asked for them. */
  readonly #waiting: WalletRow[] = []
  /** The last head row of each loaded wallet. */
  readonly #heads = new Map<string, string>()
  /** The index row is as it was last given. */
  #listed = false
  #replaced = false

  /** `follows`: they hear of everything that happens to the node. */
  constructor(host: WalletHost, follows = true) {
    this.#host = host
    if (!follows) return
    host.regtest.happenings.listen((happening) => {
      for (const wallet of this.loaded.values()) follow(wallet, happening)
    })
  }
  /** A new wallet with Core's eight descriptors, unless it is blank or watches only. */
  create(
    name: string,
    options: { readonly privateKeys: boolean; readonly blank: boolean },
  ): Wallet {
    this.#listed = false
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
    this.#drain(wallet, this.#waiting)
    const state = wallet.save()
    this.#waiting.push(headRow({ ...wallet.head(), lastBlock: state.lastBlock }))
    this.#heads.delete(name)
    this.#listed = false
    this.stored.set(name, state)
    this.loaded.delete(name)
  }
  /** Takes a stored wallet back and lets it catch up. Undefined when there is none of this name. */
  reload(name: string): Wallet | undefined {
    const state = this.stored.get(name)
    if (!state) return undefined
    const wallet = Wallet.load(this.#host, state)
    this.#listed = false
    this.stored.delete(name)
    this.loaded.set(name, wallet)
    wallet.wake()
    wallet.resync()
    this.#resubmit(wallet)
    return wallet
  }
  /** The node has ended and started again: every loaded wallet is taken up anew, as Core does at its start. */
  restart(): void {
    for (const wallet of this.loaded.values()) wallet.wake()
    for (const wallet of this.loaded.values()) this.#resubmit(wallet)
  }
  /** Offers every waiting transaction to the mempool again, without telling peers. Source: Core's postInitProcess. */
  #resubmit({ ledger }: Wallet): void {
    const waiting = [...ledger.entries.values()].filter(
      ({ standing, transaction }) =>
        standing.kind === 'inactive' && !standing.abandoned && !transaction.isCoinbase,
    )
    waiting.sort((a, b) => a.order - b.order)
    for (const { transaction } of waiting) this.#host.regtest.mempool.accept(transaction)
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
    this.loaded.clear()
    this.stored.clear()
    for (const own of state.loaded) this.loaded.set(own.name, Wallet.load(this.#host, own))
    for (const own of state.stored) this.stored.set(own.name, own)
    this.#created = state.created
    this.#replaced = true
  }
  /** These wallets as a node that lags would have them: for questions, what is changed in them is lost. */
  seenFrom(regtest: WalletHost['regtest']): Wallets {
    const copy = new Wallets({ ...this.#host, regtest }, false)
    copy.#wakeUpAs(this.save())
    return copy
  }
  /** Everything needed to keep the wallets in a file, secrets included: for tests only. */
  toJson(): string {
    return keptText(this.save())
  }
  /** Takes the wallets of `toJson` and lets them catch up with the chain. @throws DevnetError DEVNET_USAGE on other text. */
  fromJson(text: string): void {
    this.#wakeUpAs(parseState(text))
  }
  #wakeUpAs(state: WalletsState): void {
    this.load(state)
    for (const wallet of this.loaded.values()) wallet.resync()
  }

  // --- rows -----------------------------------------------------------------------------------
  /**
   * What is other than when rows were last taken, as the rows to write. Costs what changed, whatever the history. Undefined
   * when other wallets have taken the place of all: then only `allRows` tells.
   */
  newRows(): readonly WalletRow[] | undefined {
    if (this.#replaced) return undefined
    const rows = this.#waiting.splice(0)
    for (const wallet of this.loaded.values()) this.#drain(wallet, rows)
    if (this.#listed) return rows
    this.#listed = true
    rows.push(this.#indexRow())
    return rows
  }
  allRows(): readonly WalletRow[] {
    this.#replaced = false
    this.#listed = true
    this.#waiting.length = 0
    const rows: WalletRow[] = [this.#indexRow()]
    for (const wallet of this.loaded.values()) {
      // What is new is part of all.
      this.#drain(wallet, [])
      const { lastBlock: _, ...state } = wallet.save()
      rows.push(...rowsOf(state))
    }
    for (const state of this.stored.values()) rows.push(...rowsOf(state))
    return rows
  }
  /** Takes the wallets that rows are, and lets them catch up with the chain. @throws on rows that nobody wrote like this. */
  fromRows(rows: ReadonlyMap<string, string>): void {
    if (rows.size === 0) return
    this.#wakeUpAs(stateOfRows(rows))
    // Where they stand follows from the chain, which is kept as well: nothing of it is news.
    this.allRows()
  }
  #indexRow(): WalletRow {
    const [loaded, stored] = [[...this.loaded.keys()], [...this.stored.keys()]]
    return indexRow({ loaded, stored, created: this.#created })
  }
  #drain(wallet: Wallet, rows: WalletRow[]): void {
    const { name, ledger, named } = wallet
    if (wallet.touched) {
      wallet.touched = false
      const row = headRow(wallet.head())
      // A call that only asks touches as well.
      if (this.#heads.get(name) !== row[1]) rows.push(row)
      this.#heads.set(name, row[1])
    }
    for (const address of named) {
      const label = wallet.labels.get(address)
      if (label) rows.push(labelRow(name, address, label))
    }
    named.clear()
    for (const txid of ledger.changed) {
      const entry = ledger.entries.get(txid)
      if (entry) rows.push(entryRow(name, entry))
    }
    ledger.changed.clear()
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
