/**
 * A first test on the devnet: a small shop that asks its node whether it was paid, and what it has to get right. The shop
 * knows nothing of the devnet: it talks to a node by URL and password.
 *
 *     node --test devnet-first-test.ts
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createDevnet, type Devnet } from '@kaccy/devnet'

/** The software under test: counts what an address has received with enough confirmations. */
class Shop {
  readonly #url: string
  readonly #headers: Record<string, string>

  constructor(url: string, user: string, password: string) {
    this.#url = url
    this.#headers = { authorization: `Basic ${btoa(`${user}:${password}`)}` }
  }
  async #call(method: string, params: readonly unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const answer = await fetch(this.#url, { method: 'POST', headers: this.#headers, body })
    const { result, error } = (await answer.json()) as { result: unknown; error?: unknown }
    assert.equal(error, undefined)
    return result
  }
  /** Confirmations of an output; undefined when no chain and no mempool has it. */
  async confirmations(txid: string, vout: number): Promise<number | undefined> {
    const coin = (await this.#call('gettxout', [txid, vout])) as { confirmations: number } | null
    return coin?.confirmations
  }
  /** Asks until it has an answer, as software that lives with a real node has to. */
  async patiently(txid: string): Promise<number | undefined> {
    for (let tries = 0; tries < 3; tries++) {
      try {
        return await this.confirmations(txid, 0)
      } catch {
        // The connection broke: ask again.
      }
    }
    return undefined
  }
}

const ADDRESS = 'bcrt1qmmxmu240lsj42a53qd0m64ucflassp7nfz7w46'
let devnet: Devnet
let shop: Shop
before(async () => {
  devnet = await createDevnet()
  shop = new Shop(devnet.rpcUrl, devnet.auth.user, devnet.auth.password)
})
after(() => devnet.close())

test('a payment is seen, confirmed, and unconfirmed again by a reorganisation', async () => {
  const { txid } = devnet.pay(ADDRESS, 150_000n)
  assert.equal(await shop.confirmations(txid, 0), 0)
  devnet.mine(2)
  assert.equal(await shop.confirmations(txid, 0), 2)
  devnet.reorg(2)
  assert.equal(await shop.confirmations(txid, 0), 0)
})

test('a payment that is spent twice never arrives', async () => {
  const { txid } = devnet.pay(ADDRESS, 150_000n)
  devnet.replace(txid, { to: devnet.strangerAddress })
  devnet.mine()
  assert.equal(await shop.confirmations(txid, 0), undefined)
})

test('a confirmed payment can be lost too, when its block is', async () => {
  const { txid } = devnet.faucet(ADDRESS, 150_000n, { confirmations: 3 })
  devnet.reorg(3, { drop: [txid] })
  assert.equal(await shop.confirmations(txid, 0), undefined)
})

test('a broken connection is no verdict', async () => {
  const { txid } = devnet.faucet(ADDRESS, 150_000n)
  devnet.faults.arm({ method: 'gettxout', kind: 'reset', times: 2 })
  assert.equal(await shop.patiently(txid), 1)
  assert.deepEqual(devnet.faults.pending(), [])
})
