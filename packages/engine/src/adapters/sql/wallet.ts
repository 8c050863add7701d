import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import type {
  KeychainRecord,
  LabelRecord,
  WalletRecord,
  WalletRows,
} from '../../capabilities/wallet/index.ts'
import { assert, isNetwork, type WalletId } from '../../kernel/index.ts'
import { addressDoors } from './addresses.ts'
import { insertRows, lastOfEach } from './batch.ts'
import { KEYCHAINS, LABELS } from './columns.ts'
import { type Doors, int, maybeInt, num } from './doors.ts'
import type { KeychainRow, LabelRow, WalletRow } from './schema.ts'

const descriptorHash = (descriptor: string) => sha256(utf8ToBytes(descriptor))

const walletRow = (wallet: WalletRecord): WalletRow => ({
  id: wallet.id,
  name: wallet.name,
  network: wallet.network,
  descriptor: wallet.descriptor,
  descriptor_hash: descriptorHash(wallet.descriptor),
  status: wallet.status,
  gap_limit: int(wallet.gapLimit),
  lookahead: int(wallet.lookahead),
  birthday: int(wallet.birthday),
  rescan_next: maybeInt(wallet.rescan?.next),
  rescan_from: maybeInt(wallet.rescan?.from),
  rescan_to: maybeInt(wallet.rescan?.to),
  created_at: int(wallet.createdAt),
})
function walletRecord(row: WalletRow): WalletRecord {
  assert(isNetwork(row.network), `wallet ${row.id} has an unknown network`)
  const { rescan_next: next, rescan_from: from, rescan_to: to } = row
  const rescans = next !== null && from !== null && to !== null
  return {
    id: row.id as WalletId,
    name: row.name,
    network: row.network,
    descriptor: row.descriptor,
    status: row.status as WalletRecord['status'],
    gapLimit: num(row.gap_limit),
    lookahead: num(row.lookahead),
    birthday: num(row.birthday),
    ...(rescans ? { rescan: { next: num(next), from: num(from), to: num(to) } } : {}),
    createdAt: num(row.created_at),
  }
}
const keychainRow = (keychain: KeychainRecord): KeychainRow => ({
  wallet: keychain.wallet,
  branch: int(keychain.branch),
  next_index: int(keychain.nextIndex),
  watched_to: int(keychain.watchedTo),
  last_used: int(keychain.lastUsed),
  reach: int(keychain.reach),
})
const keychainRecord = (row: KeychainRow): KeychainRecord => ({
  wallet: row.wallet as WalletId,
  branch: num(row.branch),
  nextIndex: num(row.next_index),
  watchedTo: num(row.watched_to),
  lastUsed: num(row.last_used),
  reach: num(row.reach),
})
const labelRow = ({ wallet, type, ref, json }: LabelRecord): LabelRow => ({
  wallet,
  type,
  ref,
  json,
})
const labelRecord = (row: LabelRow): LabelRecord => ({
  wallet: row.wallet as WalletId,
  type: row.type,
  ref: row.ref,
  json: row.json,
})

export const walletRows = (doors: Doors): WalletRows => ({
  ...walletDoors(doors),
  ...keychainDoors(doors),
  ...addressDoors(doors),
  ...labelDoors(doors),
})

function walletDoors({ db, dialect, session }: Doors) {
  const all = () => db.selectFrom('wallets').selectAll()
  return {
    async insertWallet(wallet) {
      session.requireWriter()
      await db.insertInto('wallets').values(walletRow(wallet)).execute()
    },
    async wallet(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && walletRecord(row)
    },
    async lockWallet(id) {
      session.requireWriter()
      const query = all().where('id', '=', id)
      const row = await (dialect.locksRows ? query.forUpdate() : query).executeTakeFirst()
      return row && walletRecord(row)
    },
    async walletByDescriptor(descriptor) {
      const query = all().where('descriptor_hash', '=', descriptorHash(descriptor))
      const row = await query.executeTakeFirst()
      return row && walletRecord(row)
    },
    async wallets() {
      const rows = await all().orderBy('created_at').orderBy('id').execute()
      return rows.map(walletRecord)
    },
    async saveWallet(wallet) {
      session.requireWriter()
      const { id, ...values } = walletRow(wallet)
      const result = await db
        .updateTable('wallets')
        .set(values)
        .where('id', '=', id)
        .executeTakeFirst()
      assert(result.numUpdatedRows === 1n, `no wallet ${id} to save`)
    },
  } satisfies Partial<WalletRows>
}

function keychainDoors(doors: Doors) {
  const { db, dialect, session } = doors
  return {
    async keychains(wallet) {
      let query = db.selectFrom('keychains').selectAll()
      if (wallet !== undefined) query = query.where('wallet', '=', wallet)
      const rows = await query.orderBy('wallet').orderBy('branch').execute()
      return rows.map(keychainRecord)
    },
    async lockKeychain(wallet, branch) {
      session.requireWriter()
      const query = db
        .selectFrom('keychains')
        .selectAll()
        .where('wallet', '=', wallet)
        .where('branch', '=', int(branch))
      const row = await (dialect.locksRows ? query.forUpdate() : query).executeTakeFirst()
      return row && keychainRecord(row)
    },
    async saveKeychain(keychain) {
      session.requireWriter()
      const key = { replaceBy: ['wallet', 'branch'] }
      await insertRows(doors, 'keychains', KEYCHAINS, [keychainRow(keychain)], key)
    },
  } satisfies Partial<WalletRows>
}

function labelDoors(doors: Doors) {
  const { db, session } = doors
  return {
    async saveLabels(labels) {
      session.requireWriter()
      const rows = lastOfEach(labels, ({ wallet, type, ref }) =>
        JSON.stringify([wallet, type, ref]),
      )
      await insertRows(doors, 'labels', LABELS, rows.map(labelRow), {
        replaceBy: ['wallet', 'type', 'ref'],
      })
    },
    async labels(wallet, after, limit) {
      let query = db.selectFrom('labels').selectAll().where('wallet', '=', wallet)
      if (after)
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('type', 'ref'), '>', tuple(after.type, after.ref)),
        )
      const rows = await query.orderBy('type').orderBy('ref').limit(limit).execute()
      return rows.map(labelRecord)
    },
  } satisfies Partial<WalletRows>
}
