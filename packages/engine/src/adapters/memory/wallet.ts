import type {
  AddressRecord,
  KeychainRecord,
  LabelRecord,
  WalletRecord,
  WalletRows,
} from '../../capabilities/wallet/index.ts'
import { assert, toHex, type WalletId } from '../../kernel/index.ts'
import type { SortKey } from './order.ts'
import type { Session } from './session.ts'
import { Counter, firstOf, SortedIndex, Table, takeWhile, UniqueIndex } from './table.ts'

const keychainKey = (wallet: WalletId, branch: number) => `${wallet}/${branch}`
const addressKey = (wallet: WalletId, branch: number, index: number) =>
  `${wallet}/${branch}/${index}`
const addressPlace = (row: Pick<AddressRecord, 'wallet' | 'branch' | 'index'>): SortKey => [
  row.wallet,
  row.branch,
  row.index,
]
/** An address with the number of its insertion, by which the watch set is loaded. */
interface NumberedAddress {
  readonly number: number
  readonly record: AddressRecord
}

export function walletTables() {
  const byDescriptor = new UniqueIndex<WalletRecord>('descriptor', (row) => row.descriptor)
  const byAge = new SortedIndex<WalletRecord>((row) => [row.createdAt, row.id])
  const keychainOrder = new SortedIndex<KeychainRecord>((row) => [row.wallet, row.branch])
  const byScript = new UniqueIndex<NumberedAddress>('script', ({ record }) => toHex(record.script))
  const byPlace = new SortedIndex<NumberedAddress>(({ record }) => addressPlace(record))
  const byNumber = new SortedIndex<NumberedAddress>(({ number }) => [number])
  const free = new SortedIndex<NumberedAddress>(({ record }) =>
    record.state === 'free' ? addressPlace(record) : undefined,
  )
  const labelOrder = new SortedIndex<LabelRecord>((row) => [row.wallet, row.type, row.ref])
  return {
    byDescriptor,
    byAge,
    byScript,
    byPlace,
    byNumber,
    free,
    labelOrder,
    addressNumber: new Counter(),
    wallets: new Table<WalletRecord>('wallets', (row) => row.id, [byDescriptor, byAge]),
    keychainOrder,
    keychains: new Table<KeychainRecord>(
      'keychains',
      (row) => keychainKey(row.wallet, row.branch),
      [keychainOrder],
    ),
    addresses: new Table<NumberedAddress>(
      'addresses',
      ({ record }) => addressKey(record.wallet, record.branch, record.index),
      [byScript, byPlace, byNumber, free],
    ),
    labels: new Table<LabelRecord>(
      'labels',
      (row) => JSON.stringify([row.wallet, row.type, row.ref]),
      [labelOrder],
    ),
  }
}
type WalletTables = ReturnType<typeof walletTables>

export function walletRows(tables: WalletTables, session: Session): WalletRows {
  return {
    ...walletDoors(tables, session),
    ...addressDoors(tables, session),
    ...labelDoors(tables, session),
  }
}

function walletDoors(tables: WalletTables, session: Session) {
  const { wallets, byDescriptor, byAge, keychains, keychainOrder } = tables
  return {
    insertWallet: async (wallet) => wallets.insert(session, wallet),
    wallet: async (id) => wallets.get(id),
    lockWallet: async (id) => {
      session.requireWriter()
      return wallets.get(id)
    },
    walletByDescriptor: async (descriptor) => wallets.get(byDescriptor.key(descriptor) ?? ''),
    wallets: async () => [...wallets.rows(byAge.ascending())],
    saveWallet: async (wallet) => {
      assert(wallets.has(wallet.id), `no wallet ${wallet.id} to save`)
      wallets.put(session, wallet)
    },
    keychains: async (wallet) => [
      ...(wallet === undefined
        ? keychains.rows(keychainOrder.ascending())
        : takeWhile(
            keychains.rows(keychainOrder.ascending([wallet])),
            (row) => row.wallet === wallet,
          )),
    ],
    lockKeychain: async (wallet, branch) => {
      session.requireWriter()
      return keychains.get(keychainKey(wallet, branch))
    },
    saveKeychain: async (keychain) => keychains.put(session, keychain),
  } satisfies Partial<WalletRows>
}

function addressDoors(tables: WalletTables, session: Session) {
  const { addresses, byScript, byPlace, byNumber, free, addressNumber } = tables
  const recordsOf = function* (keys: Iterable<string>) {
    for (const { record } of addresses.rows(keys)) yield record
  }
  return {
    insertAddresses: async (records) => {
      for (const record of records)
        addresses.insert(session, { number: addressNumber.next(session), record })
    },
    saveAddresses: async (records) => {
      for (const record of records) {
        const key = addressKey(record.wallet, record.branch, record.index)
        const stored = addresses.get(key)
        assert(stored, `no address ${key} to save`)
        addresses.put(session, { number: stored.number, record })
      }
    },
    address: async (wallet, branch, index) =>
      addresses.get(addressKey(wallet, branch, index))?.record,
    addressesByScripts: async (scripts) => {
      const keys = scripts.flatMap((script) => byScript.key(toHex(script)) ?? [])
      const found = [...addresses.rows(new Set(keys))]
      return found.sort((a, b) => a.number - b.number).map(({ record }) => record)
    },
    nextAddresses: async (wallet, branch, index, count) => {
      session.requireWriter()
      const here = takeWhile(
        recordsOf(free.ascending([wallet, branch])),
        (record) => record.wallet === wallet && record.branch === branch,
      )
      const next = Array.from({ length: count }, (_, i) => index + i).flatMap(
        (at) => addresses.get(addressKey(wallet, branch, at))?.record ?? [],
      )
      return { free: firstOf(here, count), next }
    },
    listAddresses: async ({ wallet, branch, state, after, limit }) =>
      firstOf(
        takeWhile(
          recordsOf(
            byPlace.ascending(after ? addressPlace(after) : wallet === undefined ? [] : [wallet]),
          ),
          (record) => wallet === undefined || record.wallet <= wallet,
        ),
        limit,
        (record) =>
          (wallet === undefined || record.wallet === wallet) &&
          (branch === undefined || record.branch === branch) &&
          (state === undefined || record.state === state),
      ),
    scripts: async (after, limit) => {
      const page = firstOf(
        addresses.rows(byNumber.ascending(after === undefined ? undefined : [Number(after)])),
        limit,
      )
      const last = page.at(-1)
      const scripts = page.map(({ record }) => record.script)
      return last ? { scripts, next: String(last.number) } : { scripts }
    },
  } satisfies Partial<WalletRows>
}

function labelDoors({ labels, labelOrder }: WalletTables, session: Session) {
  return {
    saveLabels: async (rows) => {
      for (const row of rows) labels.put(session, row)
    },
    labels: async (wallet, after, limit) =>
      firstOf(
        takeWhile(
          labels.rows(labelOrder.ascending(after ? [wallet, after.type, after.ref] : [wallet])),
          (row) => row.wallet === wallet,
        ),
        limit,
      ),
  } satisfies Partial<WalletRows>
}
