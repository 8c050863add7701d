import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hex } from '@scure/base'
import * as btc from '@scure/btc-signer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namedKey } from '../chain/keys.ts'
import { decodeTransaction, type Transaction } from '../chain/transaction.ts'
import { CONSENSUS_FLAGS, flagsOf, type ScriptFlags, STANDARD_FLAGS } from './flags.ts'
import { SignatureHasher } from './sighash.ts'
import { inputError } from './verify.ts'

const KEYS = ['one', 'two', 'three'].map(namedKey)
const xOnly = (i: number): Uint8Array => (KEYS[i]?.publicKey ?? new Uint8Array(33)).subarray(1)
const secret = (i: number): Uint8Array => KEYS[i]?.secret ?? new Uint8Array(32)
const NONE = new Uint8Array()

interface Spend {
  readonly transaction: Transaction
  readonly spent: readonly { script: Uint8Array; value: bigint }[]
}
const verdict = ({ transaction, spent }: Spend, flags: ScriptFlags = STANDARD_FLAGS, input = 0) => {
  const coin = spent[input] ?? { script: NONE, value: 0n }
  return inputError(transaction, input, coin, flags, new SignatureHasher(transaction, spent))
}
const withWitness = (spend: Spend, witness: readonly Uint8Array[]): Spend => ({
  ...spend,
  transaction: {
    ...spend.transaction,
    inputs: spend.transaction.inputs.map((input, i) => (i === 0 ? { ...input, witness } : input)),
  },
})
const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
const decode = (raw: Uint8Array): Transaction => {
  const transaction = decodeTransaction(raw)
  if (!transaction) throw new TypeError('not a transaction')
  return transaction
}

/** What btc-signer makes of keys and scripts; more fields than its own types agree on. */
interface Payment {
  readonly script: Uint8Array
}
/** Spends that btc-signer builds and signs: two inputs, so that types which leave one out can be told apart. */
function signedBySigner(payment: Payment, secrets: readonly Uint8Array[], type: number): Spend {
  const draft = new btc.Transaction({ allowUnknownOutputs: true })
  const spent = [1, 2].map((n) => ({ script: payment.script, value: BigInt(n) * 10_000n }))
  spent.forEach((coin, index) => {
    draft.addInput({
      ...payment,
      txid: 'ab'.repeat(32),
      index,
      witnessUtxo: { script: coin.script, amount: coin.value },
      sighashType: type,
    } as never)
  })
  for (const amount of [7_000n, 8_000n]) draft.addOutput({ script: payment.script, amount })
  for (const key of secrets) draft.sign(key, [type])
  draft.finalize()
  return { transaction: decode(draft.extract()), spent }
}
const NUMS = hex.decode('50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0')
const tree = (leaves: unknown) => leaves as Parameters<typeof btc.p2tr>[1]
const publicKeys = [xOnly(0), xOnly(1), xOnly(2)]
/** One payment of each kind that the library can spend, with the secrets that it takes. */
const payments: Readonly<Record<string, readonly [Payment, readonly Uint8Array[]]>> = {
  'key path': [btc.p2tr(xOnly(0)), [secret(0)]],
  'key path beside a tree': [btc.p2tr(xOnly(0), tree(btc.p2tr_pk(xOnly(1)))), [secret(0)]],
  'one key of a tree': [
    btc.p2tr(NUMS, tree([btc.p2tr_pk(xOnly(2)), btc.p2tr_pk(xOnly(1))])),
    [secret(1)],
  ],
  'two of two': [
    btc.p2tr(NUMS, tree(btc.p2tr_ns(2, publicKeys.slice(0, 2)))),
    [secret(0), secret(1)],
  ],
  'two of three': [btc.p2tr(NUMS, tree(btc.p2tr_ms(2, publicKeys))), [secret(2), secret(0)]],
}
const names = Object.keys(payments)
const paymentOf = (name: string, type: number): Spend => {
  const [payment, secrets] = payments[name] ?? [btc.p2tr(xOnly(0)), []]
  return signedBySigner(payment, secrets, type)
}
const TYPES = [0, 1, 2, 3, 0x81, 0x82, 0x83] as const

describe('what btc-signer signs', () => {
  it.each(names)('is taken: %s, every hash type, both inputs', (name) => {
    for (const type of TYPES) {
      const spend = paymentOf(name, type)
      for (const input of [0, 1]) {
        expect([type, verdict(spend, STANDARD_FLAGS, input)]).toEqual([type, undefined])
        expect([type, verdict(spend, CONSENSUS_FLAGS, input)]).toEqual([type, undefined])
      }
    }
  })
  it.each(['key path', 'one key of a tree'])('is refused with any one bit flipped: %s', (name) => {
    const spend = paymentOf(name, name === 'key path' ? 0 : 0x83)
    const witness = spend.transaction.inputs[0]?.witness ?? []
    let flips = 0
    witness.forEach((item, at) => {
      for (let bit = 0; bit < item.length * 8; bit++) {
        const changed = witness.map((old, i) => (i === at ? flip(old, bit) : old))
        expect([at, bit, verdict(withWitness(spend, changed), CONSENSUS_FLAGS)]).not.toEqual([
          at,
          bit,
          undefined,
        ])
        flips += 1
      }
    })
    expect(flips).toBeGreaterThanOrEqual(512)
  })
  it('is refused when what the type covers changes, and only then', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.constantFrom(...TYPES),
        fc.nat(5),
        (name, type, what) => {
          const { transaction, spent } = paymentOf(name, type)
          const [a, b] = transaction.inputs
          const [x, y] = transaction.outputs
          const [own, other] = spent
          if (!a || !b || !x || !y || !own || !other) throw new TypeError('two of each')
          const isAlone = (type & 0x80) !== 0
          const base = type & 3
          const dearer = { ...y, value: y.value + 1n }
          const changes: readonly (readonly [Spend, boolean])[] = [
            [{ transaction: { ...transaction, locktime: 9 }, spent }, true],
            [{ transaction, spent: [{ ...own, value: 1n }, other] }, true],
            [{ transaction, spent: [own, { ...other, value: 1n }] }, !isAlone],
            [
              { transaction: { ...transaction, inputs: [a, { ...b, sequence: 5 }] }, spent },
              !isAlone,
            ],
            [{ transaction: { ...transaction, outputs: [x, dearer] }, spent }, base < 2],
            [{ transaction: { ...transaction, outputs: [dearer, y] }, spent }, base !== 2],
          ]
          const [changed, isCovered] = changes[what] ?? [{ transaction, spent }, false]
          expect(verdict(changed, CONSENSUS_FLAGS) !== undefined).toBe(isCovered)
        },
      ),
      { numRuns: 30 },
    )
  })
  it('holds for witness version 0 as well', () => {
    const keys = KEYS.map(({ publicKey }) => publicKey)
    const multisig = btc.p2ms(2, keys)
    const secrets = [secret(0), secret(2)]
    for (const type of [1, 2, 3, 0x81, 0x82, 0x83]) {
      for (const payment of [btc.p2wsh(multisig), btc.p2sh(btc.p2wsh(multisig))]) {
        const spend = signedBySigner(payment, secrets, type)
        expect(verdict(spend)).toBeUndefined()
        const [input] = spend.transaction.inputs
        const [dummy = NONE, first = NONE, second = NONE, script = NONE] = input?.witness ?? []
        const run = (witness: readonly Uint8Array[], flags?: ScriptFlags) =>
          verdict(withWitness(spend, witness), flags)
        expect(run([dummy, second, first, script])).toBe('NULLFAIL')
        expect(run([dummy, second, first, script], CONSENSUS_FLAGS)).toBe('EVAL_FALSE')
        expect(run([Uint8Array.of(1), first, second, script])).toBe('SIG_NULLDUMMY')
        // Core looks for the additional element before it looks at a signature.
        expect(run([dummy, first, script])).toBe('INVALID_STACK_OPERATION')
        expect(run([dummy, first, script], CONSENSUS_FLAGS)).toBe('INVALID_STACK_OPERATION')
        expect(run([first, script])).toBe('INVALID_STACK_OPERATION')
        expect(run([dummy, first, second, flip(script, 40)])).toBe('WITNESS_PROGRAM_MISMATCH')
      }
    }
  })
  it('is refused with any one bit of an ECDSA signature flipped', () => {
    const spend = signedBySigner(btc.p2wpkh(KEYS[0]?.publicKey ?? NONE), [secret(0)], 1)
    const [signature = NONE, publicKey = NONE] = spend.transaction.inputs[0]?.witness ?? []
    expect(verdict(spend)).toBeUndefined()
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const changed = withWitness(spend, [flip(signature, bit), publicKey])
      expect([bit, verdict(changed, CONSENSUS_FLAGS)]).not.toEqual([bit, undefined])
    }
    const weak = flagsOf('P2SH', 'WITNESS')
    const { r, s } = secp256k1.Signature.fromBytes(signature.subarray(0, -1), 'der')
    const high = new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toBytes('der')
    const highSpend = withWitness(spend, [Uint8Array.of(...high, 1), publicKey])
    expect(verdict(highSpend, weak)).toBeUndefined()
    expect(verdict(highSpend, CONSENSUS_FLAGS)).toBeUndefined()
    expect(verdict(highSpend)).toBe('SIG_HIGH_S')
    const padded = Uint8Array.of(0x30, (signature[1] ?? 0) + 1, ...signature.subarray(2, -1), 0, 1)
    expect(verdict(withWitness(spend, [padded, publicKey]), weak)).toBeUndefined()
    expect(verdict(withWitness(spend, [padded, publicKey]), CONSENSUS_FLAGS)).toBe('SIG_DER')
  })
})
