import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hex } from '@scure/base'
import * as btc from '@scure/btc-signer'
import * as bitcoinjs from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter, sha256d } from '../chain/bytes.ts'
import { namedKey } from '../chain/keys.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type TransactionParts,
} from '../chain/transaction.ts'
import { TransactionChecker } from './checker.ts'
import { findAndDelete, writeWithoutSeparators } from './scriptcode.ts'
import { annexHashOf, SIGHASH, SignatureHasher } from './sighash.ts'
import { tapLeafHash } from './taproot.ts'

const decode = (raw: Uint8Array) => {
  const transaction = decodeTransaction(raw)
  if (!transaction) throw new TypeError('not a transaction')
  return transaction
}

const bytes = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength }).map((b) => Uint8Array.from(b))
const u32 = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 2, 0x7fffffff, 0xffffffff))
const value = fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n })
const coins = fc.record({ value, script: bytes(0, 300) })
/** A script that every library reads the same: no separator, and pushes that no number could replace. */
const scripts = fc
  .array(
    fc.oneof(
      bytes(2, 75).map((data) => [data.length, ...data]),
      fc
        .integer({ min: 0x51, max: 0xb9 })
        .filter((opcode) => opcode !== 0xab)
        .map((opcode) => [opcode]),
    ),
  )
  .map((parts) => Uint8Array.from(parts.flat()))

interface Signed {
  readonly parts: TransactionParts
  readonly spent: readonly { value: bigint; script: Uint8Array }[]
  readonly index: number
  readonly code: Uint8Array
}
const signed: fc.Arbitrary<Signed> = fc.integer({ min: 1, max: 5 }).chain((count) =>
  fc.record({
    parts: fc.record({
      version: u32,
      locktime: u32,
      inputs: fc.array(
        fc.record({
          txid: bytes(32).map(hex.encode),
          vout: u32,
          script: bytes(0, 20),
          sequence: u32,
          witness: fc.constant([] as Uint8Array[]),
        }),
        { minLength: count, maxLength: count },
      ),
      outputs: fc.array(coins, { minLength: 1, maxLength: 4 }),
    }),
    spent: fc.array(coins, { minLength: count, maxLength: count }),
    index: fc.nat(count - 1),
    code: scripts,
  }),
)
const ONE = `01${'00'.repeat(31)}`
const ENO = `${'00'.repeat(31)}01`
const TYPES = [1, 2, 3, 0x81, 0x82, 0x83] as const

describe('what is signed, against two other libraries', () => {
  it('legacy, every input of a transaction in any order', () => {
    fc.assert(
      fc.property(
        signed,
        fc.constantFrom(...TYPES, 0, 4, 0x80, 0xff),
        ({ parts, index, code }, type) => {
          const raw = encodeTransaction(parts)
          const theirs = bitcoinjs.Transaction.fromBuffer(raw)
          const ours = new SignatureHasher(decode(raw), [])
          const last = parts.inputs.length - 1
          for (const input of [index, 0, last, index]) {
            const expected = hex.encode(theirs.hashForSignature(input, code, type))
            // That library writes the number one with its bytes turned round.
            const digest = hex.encode(ours.legacy(input, code, type))
            expect(digest).toBe(expected === ENO ? ONE : expected)
            const other = hex.encode(theirs.hashForSignature(input, code, 2))
            expect(hex.encode(ours.legacy(input, code, 2))).toBe(other)
          }
        },
      ),
    )
  })
  it('segwit', () => {
    fc.assert(
      fc.property(signed, fc.constantFrom(...TYPES), ({ parts, spent, index, code }, type) => {
        const raw = encodeTransaction(parts)
        const amount = spent[index]?.value ?? 0n
        const ours = new SignatureHasher(decode(raw), spent).segwit(index, code, amount, type)
        const theirs = bitcoinjs.Transaction.fromBuffer(raw)
        expect(hex.encode(ours)).toBe(
          hex.encode(theirs.hashForWitnessV0(index, code, amount, type)),
        )
      }),
    )
  })
  it('taproot: key path and script path, with annex and separator', () => {
    const leaves = fc.option(fc.record({ script: scripts, version: fc.constantFrom(0xc0, 0xc2) }), {
      nil: undefined,
    })
    const annexes = fc.option(
      bytes(0, 300).map((b) => Uint8Array.of(0x50, ...b)),
      {
        nil: undefined,
      },
    )
    const positions = fc.oneof(fc.constant(-1), fc.nat(300))
    const types = fc.constantFrom(0, ...TYPES)
    fc.assert(
      fc.property(
        signed,
        types,
        leaves,
        annexes,
        positions,
        (draw, type, leaf, annex, position) => {
          const { spent, index } = draw
          const parts = { ...draw.parts, version: draw.parts.version & 0x7fffffff }
          const raw = encodeTransaction(parts)
          const ours = new SignatureHasher(decode(raw), spent).taproot(index, type, {
            leafHash: leaf && tapLeafHash(leaf.script, leaf.version),
            annexHash: annex && annexHashOf(annex),
            codeSeparator: position >>> 0,
          })
          if ((type & 3) === SIGHASH.SINGLE && index >= parts.outputs.length) {
            expect(ours).toBeUndefined()
            return
          }
          const theirs = btc.Transaction.fromRaw(raw, {
            allowUnknownInputs: true,
            allowUnknownOutputs: true,
            allowUnknownVersion: true,
            disableScriptCheck: true,
          }).preimageWitnessV1(
            index,
            spent.map(({ script }) => script),
            type,
            spent.map((coin) => coin.value),
            position,
            leaf?.script,
            leaf?.version,
            annex,
          )
          expect(hex.encode(ours ?? new Uint8Array())).toBe(hex.encode(theirs))
        },
      ),
    )
  })
  it('taproot as bitcoinjs has it', () => {
    const leaf = fc.option(bytes(32), { nil: undefined })
    fc.assert(
      fc.property(signed, fc.constantFrom(0, 1, 2, 3), leaf, (draw, type, leafHash) => {
        const { parts, spent, index } = draw
        if (type === SIGHASH.SINGLE && index >= parts.outputs.length) return
        const raw = encodeTransaction(parts)
        const ours = new SignatureHasher(decode(raw), spent).taproot(index, type, { leafHash })
        const scriptsOf = spent.map(({ script }) => script)
        const values = spent.map((coin) => coin.value)
        const theirs = bitcoinjs.Transaction.fromBuffer(raw)
        expect(hex.encode(ours ?? new Uint8Array())).toBe(
          hex.encode(theirs.hashForWitnessV1(index, scriptsOf, values, type, leafHash)),
        )
      }),
    )
  })

  it('knows no other taproot types, and signs one where there is nothing to sign', () => {
    const raw = encodeTransaction({
      version: 2,
      locktime: 0,
      inputs: [0, 1].map((vout) => ({
        txid: '11'.repeat(32),
        vout,
        script: new Uint8Array(),
        sequence: 0,
        witness: [],
      })),
      outputs: [{ value: 1n, script: new Uint8Array() }],
    })
    const spent = [0, 1].map(() => ({ value: 5n, script: Uint8Array.of(0x51) }))
    const hasher = new SignatureHasher(decode(raw), spent)
    for (let type = 0; type < 256; type++) {
      const isKnown = type <= 3 || (type >= 0x81 && type <= 0x83)
      expect([type, hasher.taproot(0, type) !== undefined]).toEqual([type, isKnown])
    }
    expect(hasher.taproot(1, 3)).toBeUndefined()
    expect(hex.encode(hasher.legacy(1, new Uint8Array(), 0x83))).toBe(ONE)
    expect(hex.encode(hasher.legacy(2, new Uint8Array(), 1))).toBe(ONE)
    expect(hex.encode(hasher.legacy(0, new Uint8Array(), 3))).not.toBe(ONE)
  })
})

describe('a checker', () => {
  it('keeps the last digest apart by code, type and version', () => {
    const key = namedKey('checker')
    const transaction = decode(
      encodeTransaction({
        version: 1,
        locktime: 0,
        inputs: [
          { txid: '33'.repeat(32), vout: 0, script: new Uint8Array(), sequence: 1, witness: [] },
        ],
        outputs: [{ value: 1n, script: new Uint8Array() }],
      }),
    )
    const hasher = new SignatureHasher(transaction, [])
    const checker = new TransactionChecker(hasher, transaction, 0, 9n)
    const codes = [Uint8Array.of(0x51), Uint8Array.of(0x52)]
    const cases = (['base', 'witness_v0'] as const).flatMap((version) =>
      codes.flatMap((code) => [1, 2].map((type) => ({ code, type, version }))),
    )
    const signatures = cases.map(({ code, type, version }) => {
      const digest =
        version === 'base' ? hasher.legacy(0, code, type) : hasher.segwit(0, code, 9n, type)
      const der = secp256k1.sign(digest, key.secret, { prehash: false, format: 'der' })
      return Uint8Array.of(...der, type)
    })
    // Neighbours differ in one thing each.
    const own = cases.map(({ code, version }, i) =>
      checker.checkEcdsa(signatures[i] ?? code, key.publicKey, code, version),
    )
    expect(own).toEqual(Array(8).fill(true))
    for (const [i, signature] of signatures.entries()) {
      for (const [j, { code, type, version }] of cases.entries()) {
        if (type !== signature[signature.length - 1]) continue
        expect(checker.checkEcdsa(signature, key.publicKey, code, version)).toBe(i === j)
      }
    }
  })
})

describe('the script that is signed', () => {
  const remove = (script: string, part: string) => {
    const result = findAndDelete(hex.decode(script), hex.decode(part))
    return result && hex.encode(result)
  }
  // Core's own cases of FindAndDelete.
  it.each([
    ['5152', '', undefined],
    ['515253', '52', '5153'],
    ['53515353545353', '53', '5154'],
    ['0302ff03', '0302ff03', ''],
    ['0302ff030302ff03', '0302ff03', ''],
    ['0302ff030302ff03', '02', undefined],
    ['0302ff030302ff03', 'ff', undefined],
    // The same bytes where another opcode begins.
    ['0302ff030302ff03', '03', '02ff0302ff03'],
    ['02feed5169', 'feed51', undefined],
    ['02feed5169', '02feed51', '69'],
    ['516902feed5169', 'feed51', undefined],
    ['516902feed5169', '02feed51', '516969'],
    ['00005151', '0051', '0051'],
    ['0003feed', '03feed', '00'],
    ['0003feed', '00', '03feed'],
  ])('%s without %s is %s', (script, part, expected) => {
    expect(remove(script, part)).toBe(expected)
  })

  it('loses its separators, but not those within data', () => {
    const written = (script: string) => {
      const writer = new ByteWriter()
      writeWithoutSeparators(writer, hex.decode(script))
      return hex.encode(writer.done())
    }
    expect(written('ab51ab52ab')).toBe('025152')
    expect(written('02abab51ab')).toBe('0402abab51')
    expect(written('abababab')).toBe('00')
    // What stands behind a push that is too long is counted but not written.
    expect(written('5105aa')).toBe('035105')
    const transaction = decode(
      encodeTransaction({
        version: 1,
        locktime: 0,
        inputs: [
          { txid: '22'.repeat(32), vout: 1, script: new Uint8Array(), sequence: 7, witness: [] },
        ],
        outputs: [],
      }),
    )
    const digest = new SignatureHasher(transaction, []).legacy(0, hex.decode('ab51'), 1)
    const preimage = `0100000001${'22'.repeat(32)}01000000015107000000000000000001000000`
    expect(hex.encode(digest)).toBe(hex.encode(sha256d(hex.decode(preimage))))
  })
})
