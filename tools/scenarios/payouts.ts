import type { EngineOptions } from '@kaccy/bitcoin'
import {
  type BitcoindSource,
  createBitcoindBroadcaster,
  createBitcoindMempool,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { DEFAULT_THRESHOLDS } from '@kaccy/bitcoin/deposits'
import {
  assert,
  equalBytes,
  Secret,
  sat,
  satPerKvB,
  type WithdrawalId,
} from '@kaccy/bitcoin/kernel'
import { addressOf } from '@kaccy/bitcoin/protocol/address'
import { decodeTransaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import { createReceiptKey } from '@kaccy/bitcoin/signing'
import { softSigner } from '../../test/payouts/soft-signer.ts'
import type { RegtestChain } from '../regtest/chain.ts'
import { type Coin, type Spender, Strangers } from '../regtest/strangers.ts'
import { type EngineUnderTest, ROOT } from './engine.ts'
import type { FaultStep, Final, WithdrawStep } from './schedule.ts'

/** What a node is told to do wrong at its next call of a method. */
export interface FaultBench {
  arm(fault: FaultStep): void
  /** Faults that nothing hit yet. */
  pending(): readonly string[]
}

/** How long a node may take to accept a transaction: a lost answer is one that never comes. */
export const SEND_PATIENCE_MS = 500
/** So low that the coin of a schedule without change pays for it. */
const RATE = satPerKvB(2_000n)
const ERRORS: Readonly<Record<string, string>> = { idempotency_mismatch: 'WITHDRAWAL_CONFLICT' }

/** Payouts through this node, signed by a test signer, at once: only a schedule moves time. */
export const payoutsOver = (source: BitcoindSource): NonNullable<EngineOptions['payouts']> => ({
  broadcaster: createBitcoindBroadcaster(source),
  mempool: createBitcoindMempool(source),
  signersOf: () => [softSigner(ROOT)],
  receiptKey: createReceiptKey(new Secret(new Uint8Array(32).fill(7))),
  fixedFeeRate: RATE,
  rhythm: { batchWaitMs: 0 },
})

/** Whoever stands behind a symbol, with a key of his own. */
export const strangerNamed = (symbol: string): Strangers => new Strangers(`address/${symbol}`)

interface Asked {
  readonly id: WithdrawalId
  readonly to: string
}
interface Parts {
  readonly engine: EngineUnderTest
  readonly chain: RegtestChain
  readonly strangers: Strangers
  readonly scriptOf: (symbol: string) => Uint8Array
  /** What differs is added here. */
  readonly faults: string[]
}

/** The part of a schedule that is about payouts. */
export class PayoutRun {
  readonly #parts: Parts
  readonly #asked = new Map<string, Asked>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Coins of the wallet, each at an address of its own, deep enough to be spent. */
  async fund(amounts: readonly number[]): Promise<void> {
    if (amounts.length === 0) return
    const { engine, chain, strangers } = this.#parts
    for (const [i, amount] of amounts.entries()) {
      const { script } = await engine.createOrder({
        externalId: `coin ${i}`,
        amount: undefined,
        expiresInMs: undefined,
        tolerance: sat(0n),
        thresholds: DEFAULT_THRESHOLDS,
      })
      const coin = strangers.named(`wallet/${i}`)
      const output = { script, amount: sat(BigInt(amount)) }
      const { transaction } = strangers.spend([coin], [output], { fee: sat(1000n), rbf: false })
      await chain.mine([transaction])
    }
    for (let i = 0; i < DEFAULT_THRESHOLDS.finalized; i++) await chain.mine([])
    await engine.look()
  }

  async withdraw({ key, to, amount, no_change, expect_error }: WithdrawStep): Promise<void> {
    const { engine, scriptOf, faults } = this.#parts
    const address = addressOf(scriptOf(to), 'regtest')
    assert(address.ok, `${to} has no address`)
    const made = await engine.engine.withdrawals.request(
      {
        wallet: engine.wallet,
        externalId: key,
        address: address.value,
        amount: sat(BigInt(amount)),
        speed: { kind: 'rate', rate: RATE },
        // All that the coin has beyond the amount is for the fee.
        ...(no_change ? { maxFee: sat(500n) } : {}),
      },
      'operator:test',
    )
    const wanted = expect_error === undefined ? 'nothing' : (ERRORS[expect_error] ?? expect_error)
    const refused = made.ok ? 'nothing' : made.error.code
    if (refused !== wanted) faults.push(`${key} to ${to} refused with ${refused}, not ${wanted}`)
    if (!made.ok) return
    const { withdrawal, created } = made.value
    const before = this.#asked.get(key)
    if (before && (created || before.id !== withdrawal.id))
      faults.push(`key ${key} has two withdrawals`)
    this.#asked.set(key, { id: withdrawal.id, to })
  }

  /** `w:k1:0` is output 0 of the payout with key `k1`. */
  async coin(name: string): Promise<Coin | undefined> {
    const [word, key = '', vout] = name.split(':')
    if (word !== 'w') return undefined
    const { engine } = this.#parts.engine
    const record = await engine.withdrawals.get(this.#known(key).id)
    const view = record?.spend && (await engine.spends.get(record.spend))
    const raw = view?.versions.find(({ id }) => id === view.spend.current)?.raw
    const decoded = raw && decodeTransaction(raw)
    assert(decoded?.ok, `payout ${key} has no final bytes`)
    const transaction = decoded.value
    return this.#parts.strangers.coinOf(
      { txid: txidOf(transaction), transaction, hex: '' },
      Number(vout),
    )
  }
  /** Who got that coin. */
  payeeOf(name: string): Spender | undefined {
    const [word, key = ''] = name.split(':')
    return word === 'w' ? strangerNamed(this.#known(key).to) : undefined
  }
  #known(key: string): Asked {
    const asked = this.#asked.get(key)
    assert(asked, `unknown withdrawal ${key}`)
    return asked
  }

  async final({ paid, transactions_to }: Final): Promise<void> {
    const { chain, scriptOf, faults } = this.#parts
    const mined = chain.mined
    const known = [...mined, ...(await chain.mempool())]
    for (const [symbol, wanted] of Object.entries(paid ?? {})) {
      const script = scriptOf(symbol)
      const outputs = mined.flatMap((transaction) => transaction.outputs)
      const sum = outputs
        .filter((output) => equalBytes(output.script, script))
        .reduce((total, { amount }) => total + amount, 0n)
      if (sum !== BigInt(wanted)) faults.push(`${symbol} was paid ${sum}, not ${wanted}`)
    }
    for (const [symbol, wanted] of Object.entries(transactions_to ?? {})) {
      const script = scriptOf(symbol)
      const count = known.filter(({ outputs }) =>
        outputs.some((output) => equalBytes(output.script, script)),
      ).length
      if (count !== wanted) faults.push(`${symbol} got ${count} transactions, not ${wanted}`)
    }
    await this.#expectRecords()
  }
  /** What is paid is known to be: a payout of the chain never counts as failed. */
  async #expectRecords(): Promise<void> {
    const { engine, faults } = this.#parts
    for (const [key, { id }] of this.#asked) {
      const record = await engine.engine.withdrawals.get(id)
      if (record?.status !== 'mined' && record?.status !== 'settled')
        faults.push(`${key} is ${String(record?.status)}, not mined`)
      const view = record?.spend && (await engine.engine.spends.get(record.spend))
      const versions = view ? view.versions.length : 0
      if (versions !== 1) faults.push(`${key} has ${versions} transactions, not 1`)
    }
  }
}
