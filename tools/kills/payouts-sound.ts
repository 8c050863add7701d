import type { Store } from '@kaccy/bitcoin'
import { type OutPoint, outPointKey, type SpendId, toHex } from '@kaccy/bitcoin/kernel'
import type { SpendRecord, VersionRecord } from '@kaccy/bitcoin/spending'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import { scriptOf } from '@kaccy/devnet'
import type { ChainBook } from './payouts-chain.ts'
import { unsound } from './subjects.ts'

/** One request that was acknowledged; every one has an address of its own. */
export interface Asked {
  readonly externalId: string
  readonly address: string
  readonly amount: number
}
const ENDED: ReadonlySet<WithdrawalRecord['status']> = new Set([
  'settled',
  'cancelled',
  'rejected',
  'failed',
])
const ALL = 1_000_000

/** What is wrong with payouts that have all come to their end; empty when nothing is. */
export async function unsoundPayouts(
  store: Store,
  book: ChainBook,
  asked: readonly Asked[],
): Promise<readonly string[]> {
  return [
    ...(await unsound(store)),
    ...(await unsoundRequests(store, book, asked)),
    ...(await unsoundSpends(store, book)),
    ...(await unsoundMeans(store)),
    ...(await unsoundEvents(store)),
  ]
}

/** Everyone asked for got exactly what its status says, and nobody else got anything. */
export async function unsoundRequests(
  store: Store,
  book: ChainBook,
  asked: readonly Asked[],
): Promise<readonly string[]> {
  const faults: string[] = []
  const paid = book.paid()
  const records = await store.read((tx) => tx.withdrawals.list({ limit: ALL }))
  const byId = Map.groupBy(records, ({ externalId }) => externalId)
  for (const { externalId, address, amount } of asked) {
    const [record, ...more] = byId.get(externalId) ?? []
    if (!record || more.length > 0) {
      faults.push(`${externalId} has ${more.length + (record ? 1 : 0)} withdrawals`)
      continue
    }
    const script = toHex(scriptOf(address) ?? new Uint8Array())
    if (toHex(record.script) !== script || record.amount !== BigInt(amount))
      faults.push(`${externalId} is not what was asked for`)
  }
  for (const record of records) {
    const { externalId, status, amount } = record
    const { times, amount: got } = paid.get(toHex(record.script)) ?? { times: 0, amount: 0n }
    if (!ENDED.has(status)) faults.push(`${externalId} is ${status} in the end`)
    const due = status === 'settled' ? { times: 1, amount } : { times: 0, amount: 0n }
    if (times !== due.times || got !== due.amount)
      faults.push(`${externalId} is ${status} and was paid ${times} times, ${got} of ${amount} sat`)
  }
  const known = new Set(records.map(({ script }) => toHex(script)))
  for (const { txid, transaction, height } of await book.ours(store))
    for (const { script } of height === undefined ? [] : transaction.outputs) {
      if (known.has(toHex(script))) continue
      const [own] = await store.read((tx) => tx.wallet.addressesByScripts([script]))
      if (!own) faults.push(`${txid} pays somebody who asked for nothing`)
    }
  return faults
}

/** At most one transaction of a spend is in the chain (I4), and a coin is held by one live spend at most (I6). */
export async function unsoundSpends(store: Store, book: ChainBook): Promise<readonly string[]> {
  const faults: string[] = []
  const mined = new Map(book.all().map(({ txid, height }) => [txid as string, height]))
  const holders = new Map<string, SpendId>()
  const spends = await store.read((tx) => tx.spending.listSpends({ limit: ALL }))
  for (const spend of spends) {
    const { id, status, anchor } = spend
    const { versions, leases } = await store.read(async (tx) => ({
      versions: await tx.spending.versionsOf([id]),
      leases: await tx.coins.leasesOf(id),
    }))
    const inside = versions.filter(({ txid }) => mined.get(txid ?? '') !== undefined)
    if (inside.length > 1) faults.push(`${id} has ${inside.length} transactions in the chain`)
    const isMined = status === 'mined' || status === 'settled'
    if (isMined !== (inside.length === 1) || (isMined && inside[0]?.id !== spend.mined?.psbt))
      faults.push(`${id} is ${status} with ${inside.length} transactions in the chain`)
    for (const version of versions)
      if (!pointsOf(version).includes(outPointKey(anchor)))
        faults.push(`${version.id} does not spend the anchor of ${id}`)
    faults.push(...unsoundLeases(spend, versions, leases, holders))
  }
  return faults
}
const pointsOf = ({ transaction }: VersionRecord): readonly string[] =>
  transaction.inputs.map(outPointKey)

function unsoundLeases(
  { id, status }: SpendRecord,
  versions: readonly VersionRecord[],
  leases: readonly { readonly point: OutPoint }[],
  holders: Map<string, SpendId>,
): readonly string[] {
  const held = leases.map(({ point }) => outPointKey(point))
  if (status !== 'open' && status !== 'mined')
    return held.length === 0 ? [] : [`${id} is ${status} and holds ${held.length} coins`]
  const faults: string[] = []
  for (const point of new Set(versions.flatMap(pointsOf))) {
    const other = holders.get(point)
    if (other !== undefined) faults.push(`${point} is spent by ${other} and by ${id}`)
    holders.set(point, id)
    if (!held.includes(point)) faults.push(`${point} is not leased to ${id}, which spends it`)
  }
  return faults
}

/** The queue holds what its requests hold, and nothing is held for what is over. */
export async function unsoundMeans(store: Store): Promise<readonly string[]> {
  return store.read(async (tx) => {
    const faults: string[] = []
    const records = await tx.withdrawals.list({ limit: ALL })
    for (const { id } of await tx.wallet.wallets()) {
      const { queued } = await tx.coins.funds(id)
      const promised = records
        .filter(({ wallet, status }) => wallet === id && /^(requested|approved)$/.test(status))
        .reduce((sum, { reserved }) => sum + reserved, 0n)
      if (queued !== promised) faults.push(`${id} queues ${queued} sat for requests of ${promised}`)
    }
    const ended = new Set(records.filter(({ status }) => ENDED.has(status)).map(({ id }) => id))
    for (const { account, debits, credits } of await tx.ledger.accounts('held/', undefined, ALL)) {
      const id = account.slice('held/'.length) as WithdrawalRecord['id']
      if (ended.has(id) && debits !== credits) faults.push(`${account} is not empty in the end`)
    }
    return faults
  })
}

/** Each withdrawal was requested once, and its last word is its status. */
async function unsoundEvents(store: Store): Promise<readonly string[]> {
  const faults: string[] = []
  const [records, events] = await store.read(async (tx) => [
    await tx.withdrawals.list({ limit: ALL }),
    await tx.events.list({ after: 0, limit: ALL }),
  ])
  const told = Map.groupBy(events, ({ subject }) => subject)
  for (const { id, externalId, status } of records) {
    const words = (told.get(id) ?? []).map(({ type }) => type)
    const requested = words.filter((type) => type === 'withdrawal.requested').length
    if (requested !== 1) faults.push(`${externalId} was told of as requested ${requested} times`)
    if (words.at(-1) !== `withdrawal.${status}`)
      faults.push(`${externalId} is ${status}, and the last word about it was ${words.at(-1)}`)
  }
  return faults
}
