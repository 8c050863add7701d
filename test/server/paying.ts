import {
  type BitcoindSource,
  createBitcoindBroadcaster,
  createBitcoindMempool,
  createBitcoindSource,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { assert, type WalletId } from '@kaccy/bitcoin/kernel'
import { derivePrivate, HARDENED, masterFromSeed } from '@kaccy/bitcoin/protocol/keys'
import { seedFromMnemonic } from '@kaccy/bitcoin/protocol/keys/mnemonic'
import { encodePsbt, parsePsbt } from '@kaccy/bitcoin/protocol/psbt'
import { secretsFor, signPsbt } from '@kaccy/bitcoin/testing'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { START } from '../deposits/till.ts'
import { type Answered, Served, type ServedOptions } from './served.ts'

/** Published test words (BIP 39), those of the wallets of `Till`. */
const WORDS =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about'
/** Somebody who is not us. */
export const THEIRS = 'bcrt1qqv9pzxqlyckngw6zf9g9whn9d3eh4qvg0z9lm9'

/** The HTTP interface over an engine that pays out through a node, on a devnet that checks every signature. */
export class Paying {
  readonly served: Served
  readonly devnet: Devnet
  readonly #source: BitcoindSource
  #keys = 0

  private constructor(served: Served, devnet: Devnet, source: BitcoindSource) {
    this.served = served
    this.devnet = devnet
    this.#source = source
  }
  static async open(options: ServedOptions = {}): Promise<Paying> {
    let now = START
    const devnet = await createDevnet({ seed: 'paying', clock: () => now })
    devnet.posture.feeRate = 2_000n
    const source = createBitcoindSource({
      url: devnet.rpcUrl,
      auth: { cookieFile: devnet.cookiePath },
    })
    const payouts = {
      broadcaster: createBitcoindBroadcaster(source),
      mempool: createBitcoindMempool(source),
      rhythm: { batchWaitMs: 0 },
    }
    const served = await Served.open({
      ...options,
      till: { devnet, between: () => source, payouts, ...options.till },
    })
    const { till } = served
    Object.defineProperty(till, 'now', {
      get: () => now,
      set: (value: number) => {
        now = value
      },
    })
    return new Paying(served, devnet, source)
  }
  get wallet(): WalletId {
    return this.served.till.wallet
  }
  get engine() {
    return this.served.till.engine
  }
  /** Coins that the ledger has. */
  async fund(amount: number, wallet = this.wallet): Promise<void> {
    const { till } = this.served
    const order = await till.order({ amount, wallet })
    this.devnet.pay(order.address, BigInt(amount))
    await till.mine(3)
  }
  call(method: string, path: string, body?: unknown, more: object = {}): Promise<Answered> {
    this.#keys += 1
    const headers = { 'idempotency-key': `call-${this.#keys}` }
    return this.served.call(method, path, {
      ...(body === undefined ? {} : { body }),
      headers,
      ...more,
    })
  }
  async request(externalId: string, more: object = {}): Promise<Answered> {
    return this.call('POST', '/v1/withdrawals', {
      wallet: this.wallet,
      address: THEIRS,
      amount_sat: 50_000,
      external_id: externalId,
      priority: 'high',
      ...more,
    })
  }
  /** One that is planned: its id, its spend and the transaction to sign. */
  async planned(externalId: string, more: object = {}) {
    const made = await this.request(externalId, more)
    assert(made.status === 201, made.text)
    await this.engine.payouts.plan()
    const row = (await this.call('GET', `/v1/withdrawals/${made.json.id}`)).json
    assert(row.spend !== null, `not planned: ${row.waits_for}`)
    const spend = (await this.call('GET', `/v1/spends/${row.spend}`)).json
    return { id: String(row.id), spend: String(row.spend), psbt: String(spend.current) }
  }
  /** What an honest device gives back. */
  sign(psbt: string): Uint8Array {
    const seed = seedFromMnemonic(WORDS)
    assert(seed.ok, 'words')
    const master = masterFromSeed(seed.value.reveal(), 'test')
    assert(master.ok, 'master')
    const parsed = parsePsbt(new Uint8Array(Buffer.from(psbt, 'base64')))
    assert(parsed.ok, 'a PSBT')
    // The wallets of `Till` are bare account keys: to a device each is a master key of its own.
    const secrets = [0, 1].flatMap((account) => {
      const path = [HARDENED + 84, HARDENED + 1, HARDENED + account]
      const key = derivePrivate(master.value, path)
      assert(key.ok, 'an account')
      return secretsFor(parsed.value, key.value)
    })
    return encodePsbt(signPsbt(parsed.value, secrets))
  }
  async close(): Promise<void> {
    await this.served.close()
    await this.#source.close()
    await this.devnet.close()
  }
}
