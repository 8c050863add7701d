import { toHex } from '@kaccy/bitcoin/kernel'
import {
  encodePsbt,
  encodePsbtText,
  finalizePsbt,
  type Psbt,
  parsePsbt,
  parsePsbtText,
  takeSignatures,
} from '@kaccy/bitcoin/protocol/psbt'
import { encodePush, joinBytes } from '@kaccy/bitcoin/protocol/script'
import { SignatureHasher } from '@kaccy/bitcoin/protocol/sighash'
import { encodeTransaction, type Transaction } from '@kaccy/bitcoin/protocol/transaction'
import { secretsFor, signPsbt } from '@kaccy/bitcoin/testing'
import { signatureHasher } from '@kaccy/devnet/script'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { Transaction as Scure } from '@scure/btc-signer'
import { initEccLib, Transaction as Peer, Psbt as PeerPsbt } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { plans } from './plans.ts'
import { MASTERS, must, WALLETS, withdrawalOf } from './wallets.ts'

const { Point } = secp256k1
/** What bitcoinjs-lib wants of a curve, from the audited library. */
const ecc = {
  isXOnlyPoint(key: Uint8Array): boolean {
    try {
      return schnorr.utils.lift_x(BigInt(`0x${toHex(key)}`)) !== undefined
    } catch {
      // Not the first coordinate of a point.
      return false
    }
  },
  xOnlyPointAddTweak(key: Uint8Array, tweak: Uint8Array) {
    const point = schnorr.utils
      .lift_x(BigInt(`0x${toHex(key)}`))
      .add(Point.BASE.multiply(Point.Fn.fromBytes(tweak)))
    if (point.is0()) return null
    const bytes = point.toBytes(true)
    return { parity: bytes[0] === 2 ? (0 as const) : (1 as const), xOnlyPubkey: bytes.slice(1) }
  },
}
beforeAll(() => initEccLib(ecc))

const signer = (secret: Uint8Array) => ({
  publicKey: secp256k1.getPublicKey(secret, true),
  sign: (hash: Uint8Array) => secp256k1.sign(hash, secret, { prehash: false }),
})
const secretsOf = (psbt: Psbt, count: number): Uint8Array[] =>
  MASTERS.slice(0, count).flatMap((master) => secretsFor(psbt, master))
const check = (key: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean =>
  key.length === 32
    ? schnorr.verify(signature, hash, key)
    : secp256k1.verify(signature, hash, key, { prehash: false })

describe.each(WALLETS.filter(({ name }) => name !== 'tr'))('bitcoinjs-lib and $name', (wallet) => {
  it('signs what we made; we take its signatures and complete to its very bytes', () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { psbt } = withdrawalOf(wallet, { ...plan, version: 0 })
        const peer = PeerPsbt.fromBase64(encodePsbtText(psbt))
        expect(peer.toBase64()).toBe(encodePsbtText(psbt))
        for (const secret of secretsOf(psbt, wallet.threshold)) {
          for (const input of psbt.inputs.keys()) {
            const isKey = psbt.inputs[input]?.origins.some(
              ({ publicKey }) => toHex(publicKey) === toHex(signer(secret).publicKey),
            )
            if (isKey) peer.signInput(input, signer(secret))
          }
        }
        const taken = must(takeSignatures(psbt, must(parsePsbtText(peer.toBase64()))))
        expect(taken.added).toBe(psbt.inputs.length * wallet.threshold)
        const ours = toHex(must(finalizePsbt(taken.psbt)).bytes)
        peer.setMaximumFeeRate(1_000_000)
        expect(peer.finalizeAllInputs().extractTransaction().toHex()).toBe(ours)
      }),
      { numRuns: 6 },
    )
  })
})

describe('bitcoinjs-lib and the devnet', () => {
  it.each(WALLETS)('find our signatures good, and complete them as we do: $name', (wallet) => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { psbt } = withdrawalOf(wallet, { ...plan, version: 0 })
        const signed = signPsbt(psbt, secretsOf(psbt, wallet.threshold))
        const peer = PeerPsbt.fromBase64(encodePsbtText(signed))
        expect(peer.validateSignaturesOfAllInputs(check)).toBe(true)
        peer.setMaximumFeeRate(1_000_000)
        const theirs = peer.finalizeAllInputs().extractTransaction().toHex()
        expect(toHex(must(finalizePsbt(signed)).bytes)).toBe(theirs)
      }),
      { numRuns: 5 },
    )
  })

  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const output = fc.record({
    amount: fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n }),
    script: fc.uint8Array({ maxLength: 300 }),
  })
  const input = fc.record({
    txid: bytes(32).map(toHex),
    vout: fc.nat({ max: 0xffff_ffff }),
    sequence: fc.nat({ max: 0xffff_ffff }),
    coin: output,
  })
  // Pushes in their shortest form: bitcoinjs-lib writes others anew before it hashes them, which the chain does not.
  const step = fc.oneof(
    fc.uint8Array({ minLength: 2, maxLength: 300 }).map(encodePush),
    fc.integer({ min: 0x61, max: 0xb9 }).map((opcode) => Uint8Array.of(opcode)),
    fc.constant(Uint8Array.of(0xab)),
  )
  const script = fc.array(step, { maxLength: 6 }).map((steps) => joinBytes(...steps))
  const transactions = fc.record({
    version: fc.nat({ max: 0x7fff_ffff }),
    lockTime: fc.nat({ max: 0xffff_ffff }),
    inputs: fc.array(input, { minLength: 1, maxLength: 5 }),
    outputs: fc.array(output, { minLength: 1, maxLength: 5 }),
    script,
    hashType: fc.constantFrom(0, 1, 2, 3, 0x81, 0x82, 0x83),
    index: fc.nat({ max: 4 }),
  })
  it('hash what we hash, for every kind of signature and hash type', () => {
    fc.assert(
      fc.property(transactions, ({ inputs, script, hashType, index: drawn, ...rest }) => {
        const spends = inputs.map(({ coin: _, ...point }) => {
          return { ...point, script: new Uint8Array(), witness: [] }
        })
        const transaction = { ...rest, inputs: spends } as unknown as Transaction
        const index = drawn % inputs.length
        const coins = inputs.map(({ coin }) => coin) as unknown as Transaction['outputs']
        const hasher = new SignatureHasher(transaction, coins)
        const peer = Peer.fromBuffer(encodeTransaction(transaction))
        const amounts = inputs.map(({ coin }) => coin.amount)
        const legacy = hasher.legacy(index, script, hashType)
        // Where SINGLE has no output the hash is the number one, which bitcoinjs-lib writes from the other end.
        const isOne = (hashType & 3) === 3 && index >= rest.outputs.length
        const other = isOne ? legacy : peer.hashForSignature(index, script, hashType)
        expect(toHex(legacy)).toBe(toHex(other))
        const amount = amounts[index] ?? 0n
        const segwit = peer.hashForWitnessV0(index, script, amount, hashType)
        expect(toHex(hasher.segwit(index, script, amount, hashType))).toBe(toHex(segwit))
        // bitcoinjs-lib fails on some of the hash types of taproot; the devnet has its own code for all of them.
        const spent = inputs.map(({ coin }) => ({ value: coin.amount, script: coin.script }))
        const devnet = signatureHasher(encodeTransaction(transaction), spent)
        expect(legacy).toEqual(devnet.legacy(index, script, hashType))
        expect(hasher.taproot(index, hashType)).toEqual(devnet.taproot(index, hashType))
      }),
      { numRuns: 300 },
    )
  })
})

describe('@scure/btc-signer', () => {
  it.each(WALLETS)('signs and completes version 2 of ours: $name', (wallet) => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { psbt } = withdrawalOf(wallet, { ...plan, version: 2, xpubs: false })
        const scure = Scure.fromPSBT(encodePsbt(psbt), { allowUnknown: true })
        for (const secret of secretsOf(psbt, wallet.threshold)) {
          try {
            scure.sign(secret)
          } catch {
            // It refuses a key that signs no input; each input of ours has a key of its own.
          }
        }
        const taken = must(takeSignatures(psbt, must(parsePsbt(scure.toPSBT(2)))))
        expect(taken.added).toBe(psbt.inputs.length * wallet.threshold)
        scure.finalize()
        const ours = must(finalizePsbt(taken.psbt))
        expect(toHex(encodeTransaction(ours.transaction))).toBe(toHex(scure.extract()))
      }),
      { numRuns: 4 },
    )
  })
})
