import { outPointKey, type Sat, type SpendId, sumSat, toHex } from '@kaccy/bitcoin/kernel'
import type { SpendRecord, VersionRecord } from '@kaccy/bitcoin/spending'
import { expect } from 'vitest'
import type { World } from './world.ts'

/** What holds after every step, whatever happened (I4, I5, I6, I11, I12, I13). */
export async function expectSound(world: World): Promise<void> {
  const spends = await world.spending.list({ limit: 1000 })
  const holders = new Map<string, SpendId>()
  for (const spend of spends) {
    const versions = await world.versions(spend.id)
    const leases = await world.store.read((tx) => tx.coins.leasesOf(spend.id))
    const held = new Set(leases.map(({ point }) => outPointKey(point)))
    const isLive = spend.status === 'open' || spend.status === 'mined'
    for (const key of held) {
      expect(holders.get(key), `two spends hold ${key}`).toBeUndefined()
      holders.set(key, spend.id)
    }
    if (!isLive) expect(held.size, `${spend.status} spend holds coins`).toBe(0)
    expect(versions.filter(({ status }) => status === 'confirmed').length).toBeLessThanOrEqual(1)
    for (const version of versions) await expectVersion(world, spend, version, held, isLive)
  }
  await expectChain(world, spends)
}
async function expectVersion(
  world: World,
  spend: SpendRecord,
  version: VersionRecord,
  held: ReadonlySet<string>,
  isLive: boolean,
): Promise<void> {
  const { transaction, fee, maxFee } = version
  const keys = transaction.inputs.map(outPointKey)
  expect(keys).toContain(outPointKey(spend.anchor))
  if (isLive) for (const key of keys) expect(held.has(key), `${key} of a live spend`).toBe(true)
  if (version.sends > 0) expect(version.raw).toBeDefined()
  const sum = (list: readonly { readonly amount: Sat }[]) =>
    sumSat(list.map(({ amount }) => amount))
  expect(sum(transaction.inputs)).toBe(sum(transaction.outputs) + fee)
  expect(fee > 0n && fee <= maxFee).toBe(true)
  const owed = world.owedBy(version).map(({ script, amount }) => `${toHex(script)} ${amount}`)
  const paid: string[] = []
  for (const { role, script, amount } of transaction.outputs) {
    if (role.kind === 'payment') paid.push(`${toHex(script)} ${amount}`)
    else {
      const address = await world.store.read((tx) =>
        tx.wallet.address(spend.wallet, role.branch, role.index),
      )
      expect(address && toHex(address.script)).toBe(toHex(script))
      expect(address?.state).toBe('revealed')
    }
  }
  expect(paid.sort()).toEqual(owed.sort())
}
/** The chain has at most one version of each spend, and nothing of us that was not stored first. */
async function expectChain(world: World, spends: readonly SpendRecord[]): Promise<void> {
  const mined = new Map<SpendId, number>()
  const stored = new Set<string>()
  for (const spend of spends)
    for (const { txid, raw } of await world.versions(spend.id)) {
      if (txid === undefined) continue
      if (raw !== undefined) stored.add(txid)
      const [record] = await world.store.read((tx) => tx.deposits.transactions([txid]))
      if (record) expect(raw, `${txid} was seen and never stored`).toBeDefined()
      if (record?.view.state === 'mined') mined.set(spend.id, (mined.get(spend.id) ?? 0) + 1)
    }
  expect([...mined.values()].every((count) => count === 1)).toBe(true)
}
