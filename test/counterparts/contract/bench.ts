import { strict as assert } from 'node:assert'
import {
  type BitcoindOptions,
  type BitcoindSource,
  createBitcoindSource,
  type SendOutcome,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { type BlockHash, type BlockRef, type Txid, toHex } from '@kaccy/bitcoin/kernel'
import {
  type BlockPlan,
  type BuiltBlock,
  type BuiltTransaction,
  buildBlock,
  type OwnCoin,
  subsidyAt,
} from './build.ts'

const MATURITY = 100
/** Below this a coinbase is too small for the suite's payments. */
const LEAST_SUBSIDY = 200_000n

/**
 * What the checks work with: a source, and a miner of our own. Blocks are built here and handed over with `submitblock`,
 * which every node has, so that each check knows every byte and can make branches at will.
 */
export class Bench {
  readonly options: BitcoindOptions
  readonly source: BitcoindSource
  readonly #coins: { readonly coin: OwnCoin; readonly height: number }[] = []
  #salt = Math.floor(Date.now() / 1000) % 2 ** 31

  constructor(options: BitcoindOptions) {
    this.options = options
    this.source = createBitcoindSource(options)
  }

  get client(): BitcoindSource['client'] {
    return this.source.client
  }
  close(): Promise<void> {
    return this.source.close()
  }

  /** Builds on `parent` without handing it over. */
  async build(
    parent: BlockRef,
    transactions: readonly BuiltTransaction[] = [],
  ): Promise<BuiltBlock> {
    const header = await this.source.header(parent.hash)
    assert.ok(header, 'the parent is known')
    const now = Math.floor(Date.now() / 1000)
    return this.on(
      { hash: parent.hash, height: parent.height, time: Math.max(header.time, now - 1) },
      transactions,
    )
  }
  /** The same on a block that the node need not know yet. */
  on(
    parent: { readonly hash: string; readonly height: number; readonly time: number },
    transactions: readonly BuiltTransaction[] = [],
  ): BuiltBlock {
    this.#salt = (this.#salt + 1) % 2 ** 31
    const plan: BlockPlan = {
      prev: parent.hash,
      height: parent.height + 1,
      time: parent.time + 1,
      salt: this.#salt,
      transactions,
    }
    assert.ok(subsidyAt(plan.height) >= LEAST_SUBSIDY, 'the chain is too long: use a fresh regtest')
    return buildBlock(plan)
  }
  /** @throws when the node says anything but yes. */
  async submit(block: BuiltBlock): Promise<void> {
    const answer = await this.client.call('submitblock', [block.hex])
    // Core says `inconclusive` of a block that is good but not on the best chain.
    assert.ok(answer === null || answer === 'inconclusive', `submitblock: ${String(answer)}`)
    this.#coins.push({ coin: block.coin, height: block.height })
  }
  /** One block on the tip with these transactions. */
  async mine(transactions: readonly BuiltTransaction[] = []): Promise<BuiltBlock> {
    const block = await this.build((await this.source.info()).tip, transactions)
    await this.submit(block)
    return block
  }

  /** A coin of ours that may be spent in the next block, each given out once. */
  async coin(): Promise<OwnCoin> {
    for (;;) {
      const { tip } = await this.source.info()
      const ripe = this.#coins.findIndex(({ height }) => tip.height + 1 - height >= MATURITY)
      const [taken] = ripe < 0 ? [] : this.#coins.splice(ripe, 1)
      if (!taken) await this.#ripen(tip)
      else if ((await this.source.coins([point(taken.coin)]))[0]) return taken.coin
    }
  }
  /** Enough blocks at once that a run's checks all find a ripe coin. */
  async #ripen(tip: BlockRef): Promise<void> {
    let parent = await this.build(tip)
    await this.submit(parent)
    for (let i = 0; i < MATURITY + 25; i++) {
      parent = this.on(parent)
      await this.submit(parent)
    }
  }
  youngest(): OwnCoin {
    const last = this.#coins.at(-1)
    assert.ok(last, 'something was mined')
    return last.coin
  }

  send(transaction: BuiltTransaction): Promise<SendOutcome> {
    const txid = transaction.txid as Txid
    return this.client.sendRawTransaction({ txid, raw: transaction.raw })
  }
  async accept(transaction: BuiltTransaction): Promise<void> {
    const outcome = await this.send(transaction)
    assert.equal(outcome.status, 'accepted', JSON.stringify(outcome))
  }
  async isInMempool(transaction: BuiltTransaction): Promise<boolean> {
    return (await this.source.mempool()).txids.includes(transaction.txid as Txid)
  }
}

export const point = ({ txid, vout }: OwnCoin) => ({ txid: txid as Txid, vout })
export const refOf = (block: BuiltBlock): BlockRef => ({
  height: block.height,
  hash: block.hash as BlockHash,
})
export const NOBODY = 'f'.repeat(64) as Txid

/** Passes when the call fails with this code. */
export async function failsWith(code: string, call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  )
  assert.equal(outcome, code)
}
export const sameBytes = (a: Uint8Array | undefined, b: Uint8Array): void =>
  assert.equal(a === undefined ? undefined : toHex(a), toHex(b))
