import {
  isTaprootHashType,
  printHashType,
  SIGHASH,
  SignatureHasher,
  verifyEcdsa,
  verifySchnorr,
} from '../sighash/index.ts'
import type { TransactionOutput } from '../transaction/index.ts'
import { type Coin, coinOf, type PartFault, part } from './coin.ts'
import type { PartialSignature, Psbt } from './model.ts'
import { isKeyOf, type SpendRule, spendRule } from './rule.ts'

/** What is wrong with a signature. */
export interface SignatureFault {
  readonly code: 'SIGNATURE_INVALID' | 'SIGNATURE_FOREIGN' | 'SIGNATURE_SIGHASH'
  readonly message: string
  readonly hashType?: number
}

/** A coin and how it is spent. */
export interface Spendable {
  readonly coin: TransactionOutput
  readonly rule: SpendRule
}

const INVALID: SignatureFault = {
  code: 'SIGNATURE_INVALID',
  message: 'the signature does not sign this transaction',
}

/**
 * Verifies signatures against one PSBT: its transaction, its coins, its scripts, the hash types that it asks for. What all
 * inputs share is hashed once.
 */
export class Verifier {
  readonly psbt: Psbt
  readonly coins: readonly Coin[]
  readonly #rules: readonly (SpendRule | PartFault)[]
  readonly #hasher: SignatureHasher
  readonly #isEveryCoinKnown: boolean

  constructor(psbt: Psbt) {
    this.psbt = psbt
    this.coins = psbt.inputs.map((_, i) => coinOf(psbt, i))
    this.#rules = psbt.inputs.map((input, i) => {
      const coin = this.coins[i]?.coin
      return coin ? spendRule(coin.script, input) : part('utxo_missing', 'the coin is not known')
    })
    const known = this.coins.flatMap(({ coin }) => (coin ? [coin] : []))
    this.#isEveryCoinKnown = known.length === psbt.inputs.length
    this.#hasher = new SignatureHasher(psbt.transaction, known)
  }

  /** Coin and rule of an input when nothing is wrong with either; otherwise the first fault. */
  spendable(input: number): Spendable | PartFault {
    const { coin, faults } = this.coins[input] ?? { faults: [] }
    const rule = this.#rules[input]
    const [fault] = faults
    if (fault) return fault
    if (!coin || !rule) return part('utxo_missing', 'there is no such input')
    return 'reason' in rule ? rule : { coin, rule }
  }

  /** How the input is spent, or why that cannot be said; whatever is wrong with the coin itself. */
  rule(input: number): SpendRule | PartFault {
    return this.#rules[input] ?? part('utxo_missing', 'there is no such input')
  }

  /** The hash that an ECDSA signature of this type signs. */
  digest(input: number, { rule, coin }: Spendable, hashType: number): Uint8Array {
    return rule.hash === 'segwit'
      ? this.#hasher.segwit(input, rule.scriptCode, coin.amount, hashType)
      : this.#hasher.legacy(input, rule.scriptCode, hashType)
  }

  /** The hash that a key path signature of this type signs; undefined where there is none. */
  taprootDigest(input: number, hashType: number): Uint8Array | undefined {
    return this.#isEveryCoinKnown ? this.#hasher.taproot(input, hashType) : undefined
  }

  /** Whether the input asks for, or without asking allows, this hash type. Others than ALL and DEFAULT never. */
  hashTypeFault(input: number, rule: SpendRule, hashType: number): SignatureFault | undefined {
    const asked = this.psbt.inputs[input]?.sighash
    const isTaproot = rule.hash === 'taproot'
    const isWhole = hashType === SIGHASH.ALL || (isTaproot && hashType === SIGHASH.DEFAULT)
    if (isWhole && (asked === undefined || asked === hashType)) return undefined
    const message = `the signature has the hash type ${printHashType(hashType)}`
    return { code: 'SIGNATURE_SIGHASH', message, hashType }
  }

  /** What is wrong with an ECDSA signature for an input; undefined for a good one. */
  fault(
    input: number,
    spendable: Spendable,
    { publicKey, signature }: PartialSignature,
  ): SignatureFault | undefined {
    const { rule } = spendable
    if (rule.hash === 'taproot' || !isKeyOf(rule, publicKey)) {
      return { code: 'SIGNATURE_FOREIGN', message: 'the key does not stand in the script' }
    }
    const hashType = signature.at(-1) ?? SIGHASH.DEFAULT
    const fault = this.hashTypeFault(input, rule, hashType)
    if (fault) return fault
    const digest = this.digest(input, spendable, hashType)
    return verifyEcdsa(signature, digest, publicKey) ? undefined : INVALID
  }

  /** What is wrong with the taproot signature of an input; undefined for a good one. Source: BIP 341. */
  tapFault(input: number, { rule }: Spendable, signature: Uint8Array): SignatureFault | undefined {
    const [outputKey] = rule.publicKeys
    if (rule.hash !== 'taproot' || !outputKey) {
      return { code: 'SIGNATURE_FOREIGN', message: 'the coin takes no taproot signature' }
    }
    const hashType = signature.length === 64 ? SIGHASH.DEFAULT : (signature[64] ?? 0)
    // Written out, DEFAULT would be a second form of the same signature.
    if (signature.length === 65 && (hashType === SIGHASH.DEFAULT || !isTaprootHashType(hashType))) {
      return INVALID
    }
    const fault = this.hashTypeFault(input, rule, hashType)
    if (fault) return fault
    const digest = this.taprootDigest(input, hashType)
    const isGood = digest && verifySchnorr(signature.subarray(0, 64), digest, outputKey)
    return isGood ? undefined : INVALID
  }
}
