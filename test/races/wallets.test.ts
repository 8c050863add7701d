import type { OrderId, WalletId } from '@kaccy/bitcoin/kernel'
import { createWallets, type RevealedAddress } from '@kaccy/bitcoin/wallet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findPostgres, startPostgres, type TestPostgres } from '../counterparts/postgres.ts'
import { type OpenMeeting, openMeeting } from './store.ts'

const TPUB =
  'tpubDC5FSnBiZDMmhiuCmWAYsLwgLYrrT9rAqvTySfuCCrgsWz8wxMXUS9Tb9iVMvcRbvFcAHGkMD5Kx8koh4GquNGNTfohfk7pgjhaPCdXpoba'
const entropy = {
  bytes: (length: number) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
}
const programs = await findPostgres()
const missing = 'missing' in programs ? programs.missing : undefined

let server: TestPostgres | undefined
beforeAll(async () => {
  if (missing === undefined) server = await startPostgres()
  else console.log(`SKIPPED: ${missing}`)
})
afterAll(() => server?.stop())

const walletsOn = ({ store }: OpenMeeting) =>
  createWallets({ store, clock: { now: () => Date.now() }, entropy, network: 'regtest' })

/** Two stores with a pool each, as two processes have them. */
async function twoStores(): Promise<readonly [OpenMeeting, OpenMeeting]> {
  if (!server) throw new TypeError('no server')
  const meeting = { kind: 'postgres', url: await server.createDatabase(), schema: 'kaccy' } as const
  return [await openMeeting(meeting), await openMeeting(meeting)]
}

test('the same keys registered at one moment in two processes make one wallet', async (context) => {
  if (missing !== undefined) return context.skip(missing)
  const stores = await twoStores()
  const [one, two] = stores.map(walletsOn)
  try {
    for (let account = 0; account < 6; account++) {
      const input = {
        name: `shop ${account}`,
        descriptor: `wpkh(${TPUB}/${account}/<0;1>/*)`,
        lookahead: 60,
      }
      const answers = await Promise.all(
        [one, two, one, two].map((wallets) => wallets?.register(input, 'operator:test')),
      )
      const ids = answers.map((answer) => (answer?.ok ? answer.value.wallet.id : answer))
      expect(new Set(ids).size).toBe(1)
      expect(answers.filter((answer) => answer?.ok && answer.value.created)).toHaveLength(1)
    }
    expect(await one?.wallets()).toHaveLength(6)
  } finally {
    for (const store of stores) await store.close()
  }
})

test('blocks that use addresses and orders that ask for them wait for each other, and both get through', async (context) => {
  if (missing !== undefined) return context.skip(missing)
  const stores = await twoStores()
  const [home, away] = stores
  const wallets = walletsOn(home)
  try {
    const ids: WalletId[] = []
    for (const account of [0, 1, 2]) {
      const descriptor = `wpkh(${TPUB}/${account}/<0;1>/*)`
      const registered = await wallets.register(
        { name: `shop ${account}`, descriptor, gapLimit: 3, lookahead: 12 },
        'operator:test',
      )
      if (!registered.ok) throw new TypeError(registered.error.message)
      ids.push(registered.value.wallet.id)
    }
    const given: RevealedAddress[] = []
    const unused: RevealedAddress[] = []
    let asking = 6
    const ask = async (name: number) => {
      for (let n = 0; n < 40; n++) {
        const wallet = ids[(n + name) % ids.length]
        if (wallet === undefined) throw new TypeError('no wallet')
        const store = name % 2 === 0 ? home.store : away.store
        const answer = await store.transact((tx) =>
          wallets.revealAddress(tx, {
            wallet,
            branch: n % 5 === 0 ? 1 : 0,
            order: `ord_${name}_${n}` as OrderId,
            at: n,
            shown: true,
          }),
        )
        if (!answer.ok) throw new TypeError(answer.error.message)
        given.push(answer.value)
        unused.push(answer.value)
      }
      asking--
    }
    const block = async () => {
      for (let at = 1; asking > 0 || unused.length > 0; at++) {
        const paid = unused.splice(0, 7)
        await away.store.transact((tx) => wallets.markUsed(tx, paid, at))
      }
    }
    await Promise.all([...Array.from({ length: 6 }, (_, n) => ask(n)), block()])

    expect(new Set(given.map((address) => address.address)).size).toBe(240)
    const [keychains, rows] = await home.store.read(async (tx) => [
      await tx.wallet.keychains(),
      await tx.wallet.listAddresses({ limit: 10_000 }),
    ])
    expect(rows.filter((row) => row.firstUsedAt !== undefined)).toHaveLength(240)
    for (const keychain of keychains) {
      // Everything that was handed out was paid: nothing is hidden and the windows are whole.
      expect(keychain.lastUsed).toBe(keychain.nextIndex - 1)
      expect(keychain.reach).toBe(keychain.lastUsed)
      const least = keychain.nextIndex + (keychain.branch === 0 ? 12 : 3)
      expect(keychain.watchedTo).toBeGreaterThanOrEqual(least)
    }
  } finally {
    for (const store of stores) await store.close()
  }
})
