import {
  assert,
  type OutPoint,
  outPointKey,
  type Sat,
  sat,
  type Txid,
  toHex,
} from '@kaccy/bitcoin/kernel'
import { decodeTransaction, type Transaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { p2wpkh, Transaction as Signer, TEST_NETWORK } from '@scure/btc-signer'

/** A coin that the strangers can spend. */
export interface Coin {
  readonly point: OutPoint
  readonly amount: Sat
  readonly script: Uint8Array
}
/** Signs with whatever key belongs to an output script. */
export interface Spender {
  spend(
    inputs: readonly Coin[],
    outputs: readonly Output[],
    options: SpendOptions,
  ): SignedTransaction
}
export interface Output {
  readonly script: Uint8Array
  readonly amount: Sat
}
export interface SpendOptions {
  readonly fee: Sat
  readonly rbf: boolean
  /** Where the rest goes. */
  readonly change: Uint8Array
}
export interface SignedTransaction {
  readonly txid: Txid
  readonly hex: string
  readonly transaction: Transaction
}

/** Everybody but us: one key that owns the coinbases of the test chain and signs whatever a test wants. */
export class Strangers {
  readonly #key: Uint8Array
  readonly #payment: ReturnType<typeof p2wpkh>
  readonly #coins: Coin[] = []
  readonly #named = new Map<string, Coin>()

  constructor(seed: string) {
    this.#key = sha256(new TextEncoder().encode(`strangers/${seed}`))
    this.#payment = p2wpkh(secp256k1.getPublicKey(this.#key, true), TEST_NETWORK)
  }
  get script(): Uint8Array {
    return this.#payment.script
  }
  /** Adds a mature coin to the pool. */
  receive(coin: Coin): void {
    this.#coins.push(coin)
  }
  get spare(): number {
    return this.#coins.length
  }
  /** The coin of this name: the same one each time, so two spends of it conflict. */
  named(name: string): Coin {
    const known = this.#named.get(name)
    if (known) return known
    const coin = this.#coins.shift()
    assert(coin, 'the strangers have no coin left: mature more before the test')
    this.#named.set(name, coin)
    return coin
  }

  /** Signs a transaction; what the outputs and the fee leave is the last output, which goes back to the strangers unless told otherwise. */
  spend(
    inputs: readonly Coin[],
    outputs: readonly Output[],
    options: Omit<SpendOptions, 'change'> & Partial<SpendOptions>,
  ): SignedTransaction {
    return signedSpend(inputs, outputs, { change: this.script, ...options }, () => this.#key)
  }
  /** Output of a transaction that belongs to the strangers, as a coin. */
  coinOf({ txid, transaction }: SignedTransaction, vout: number): Coin {
    const output = transaction.outputs[vout]
    assert(output, `no output ${outPointKey({ txid, vout })}`)
    return { point: { txid, vout }, amount: output.amount, script: output.script }
  }
}

/** Builds, signs and decodes again one transaction that spends P2WPKH coins. */
export function signedSpend(
  inputs: readonly Coin[],
  outputs: readonly Output[],
  options: SpendOptions,
  keyOf: (script: Uint8Array) => Uint8Array,
): SignedTransaction {
  const signer = new Signer({ allowUnknownOutputs: true, disableScriptCheck: true })
  let rest: bigint = -options.fee
  for (const { point, amount, script } of inputs) {
    rest += amount
    signer.addInput({
      txid: point.txid,
      index: point.vout,
      witnessUtxo: { script, amount },
      sequence: options.rbf ? 0xffff_fffd : 0xffff_fffe,
    })
  }
  for (const { script, amount } of outputs) {
    rest -= amount
    signer.addOutput({ script, amount })
  }
  assert(rest >= 0n, `the inputs lack ${-rest} sat`)
  if (rest >= 1000n) signer.addOutput({ script: options.change, amount: sat(rest) })
  inputs.forEach(({ script }, index) => {
    signer.signIdx(keyOf(script), index)
  })
  signer.finalize()
  const bytes = signer.extract()
  const decoded = decodeTransaction(bytes)
  assert(decoded.ok, 'a signed transaction that cannot be decoded')
  return { txid: txidOf(decoded.value), hex: toHex(bytes), transaction: decoded.value }
}
