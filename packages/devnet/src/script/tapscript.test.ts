import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { schnorr } from '@noble/curves/secp256k1.js'
import { hex } from '@scure/base'
import { describe, expect, it } from 'vitest'
import { namedKey } from '../chain/keys.ts'
import { decodeTransaction, encodeTransaction, type Transaction } from '../chain/transaction.ts'
import { assembleScript } from './assemble.ts'
import { CONSENSUS_FLAGS, flagsOf, type ScriptFlags, STANDARD_FLAGS } from './flags.ts'
import { annexHashOf, SignatureHasher } from './sighash.ts'
import {
  commitsToLeaf,
  encodeControlBlock,
  parseControlBlock,
  tapBranchHash,
  tapLeafHash,
  taprootOutputKey,
} from './taproot.ts'
import { inputError } from './verify.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const vectors = <T>(path: string): T =>
  JSON.parse(readFileSync(join(shared, 'vectors', path), 'utf8')) as T

const KEYS = ['one', 'two', 'three'].map(namedKey)
const xOnly = (i: number): Uint8Array => (KEYS[i]?.publicKey ?? new Uint8Array(33)).subarray(1)
const secret = (i: number): Uint8Array => KEYS[i]?.secret ?? new Uint8Array(32)
const NONE = new Uint8Array()
const asm = (text: string): Uint8Array => assembleScript(text) ?? NONE
const key = (i: number): string => `0x20 0x${hex.encode(xOnly(i))}`

const decode = (raw: Uint8Array): Transaction => {
  const transaction = decodeTransaction(raw)
  if (!transaction) throw new TypeError('not a transaction')
  return transaction
}
interface Spend {
  readonly transaction: Transaction
  readonly spent: readonly { script: Uint8Array; value: bigint }[]
}
const verdict = ({ transaction, spent }: Spend, flags: ScriptFlags = STANDARD_FLAGS, input = 0) => {
  const [first = { script: NONE, value: 0n }] = spent
  const hasher = new SignatureHasher(transaction, spent)
  return inputError(transaction, input, spent[input] ?? first, flags, hasher)
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

/** A spend of a tapscript which is one leaf of a tree, with what its signatures sign. */
function leafSpend(script: Uint8Array, options: { version?: number; path?: Uint8Array[] } = {}) {
  const { version = 0xc0, path = [] } = options
  const leafHash = tapLeafHash(script, version)
  const root = path.reduce(tapBranchHash, leafHash)
  const output = taprootOutputKey(xOnly(0), root) ?? { key: NONE, isOdd: false }
  const control = encodeControlBlock({
    leafVersion: version,
    isOdd: output.isOdd,
    internalKey: xOnly(0),
    path,
  })
  const raw = encodeTransaction({
    version: 2,
    locktime: 0,
    inputs: [{ txid: '11'.repeat(32), vout: 0, script: NONE, sequence: 0, witness: [] }],
    outputs: [{ value: 1n, script: asm('1') }],
  })
  const spend: Spend = {
    transaction: decode(raw),
    spent: [{ script: Uint8Array.of(0x51, 32, ...output.key), value: 5n }],
  }
  const sign = (i: number, codeSeparator = 0xffffffff, annex?: Uint8Array, type = 0) => {
    const annexHash = annex && annexHashOf(annex)
    const hasher = new SignatureHasher(spend.transaction, spend.spent)
    const digest = hasher.taproot(0, type, { leafHash, codeSeparator, annexHash }) ?? NONE
    return Uint8Array.of(...schnorr.sign(digest, secret(i)), ...(type ? [type] : []))
  }
  const run = (stack: readonly Uint8Array[], flags?: ScriptFlags, annex?: Uint8Array) =>
    verdict(withWitness(spend, [...stack, script, control, ...(annex ? [annex] : [])]), flags)
  return { spend, sign, run, control, script }
}

describe('tapscript', () => {
  it('checks signatures of its leaf', () => {
    const leaf = leafSpend(asm(`${key(0)} CHECKSIG`))
    const signature = leaf.sign(0)
    expect(leaf.run([signature])).toBeUndefined()
    expect(leaf.run([leaf.sign(0, undefined, undefined, 0x83)])).toBeUndefined()
    expect(leaf.run([leaf.sign(1)])).toBe('SCHNORR_SIG')
    expect(leaf.run([signature.subarray(1)])).toBe('SCHNORR_SIG_SIZE')
    expect(leaf.run([Uint8Array.of(...signature, 0)])).toBe('SCHNORR_SIG_HASHTYPE')
    expect(leaf.run([Uint8Array.of(...signature, 4)])).toBe('SCHNORR_SIG_HASHTYPE')
    expect(leaf.run([NONE])).toBe('EVAL_FALSE')
    expect(leaf.run([])).toBe('INVALID_STACK_OPERATION')
    expect(leaf.run([NONE, signature])).toBe('CLEANSTACK')
  })
  it('adds up signatures, and knows no multisig', () => {
    const leaf = leafSpend(asm(`${key(0)} CHECKSIG ${key(1)} 0xba ${key(2)} 0xba 2 NUMEQUAL`))
    const [a, b, c] = [0, 1, 2].map((i) => leaf.sign(i)) as [Uint8Array, Uint8Array, Uint8Array]
    expect(leaf.run([NONE, b, a])).toBeUndefined()
    expect(leaf.run([c, NONE, a])).toBeUndefined()
    expect(leaf.run([c, b, a])).toBe('EVAL_FALSE')
    expect(leaf.run([NONE, NONE, a])).toBe('EVAL_FALSE')
    expect(leaf.run([b, NONE, a])).toBe('SCHNORR_SIG')
    expect(leafSpend(asm("0 1 'k' 0xba")).run([])).toBe('DISCOURAGE_UPGRADABLE_PUBKEYTYPE')
    expect(leafSpend(asm("'x' 5 'k' 0xba 6 EQUAL")).run([], CONSENSUS_FLAGS)).toBeUndefined()
    expect(leafSpend(asm(`0 0x05 0x0000000001 ${key(0)} 0xba`)).run([])).toBe('UNKNOWN_ERROR')
    expect(leafSpend(asm(`0 ${key(0)} 0xba`)).run([])).toBe('INVALID_STACK_OPERATION')
    for (const word of ['CHECKMULTISIG', 'CHECKMULTISIGVERIFY']) {
      expect(leafSpend(asm(`0 0 0 ${word}`)).run([])).toBe('TAPSCRIPT_CHECKMULTISIG')
    }
  })
  it('signs the position of the last separator that ran', () => {
    const leaf = leafSpend(asm(`NOP 'data' DROP CODESEPARATOR ${key(0)} CHECKSIG`))
    expect(leaf.run([leaf.sign(0, 3)])).toBeUndefined()
    expect(leaf.run([leaf.sign(0, 4)])).toBe('SCHNORR_SIG')
    expect(leaf.run([leaf.sign(0)])).toBe('SCHNORR_SIG')
    const skipped = leafSpend(asm(`0 IF CODESEPARATOR ENDIF ${key(0)} CHECKSIG`))
    expect(skipped.run([skipped.sign(0)])).toBeUndefined()
    // Opcodes that do not run are counted too.
    const late = leafSpend(asm(`0 IF NOP NOP ENDIF CODESEPARATOR ${key(0)} CHECKSIG`))
    expect(late.run([late.sign(0, 5)])).toBeUndefined()
  })
  it('signs the annex', () => {
    const leaf = leafSpend(asm(`${key(0)} CHECKSIG`))
    const annex = Uint8Array.of(0x50, 1, 2)
    expect(leaf.run([leaf.sign(0, undefined, annex)], undefined, annex)).toBeUndefined()
    expect(leaf.run([leaf.sign(0)], undefined, annex)).toBe('SCHNORR_SIG')
    expect(leaf.run([leaf.sign(0, undefined, annex)])).toBe('SCHNORR_SIG')
  })
  it('pays for each signature with the size of its witness', () => {
    const script = (checks: number) => `${'2DUP CHECKSIGVERIFY '.repeat(checks)}CHECKSIG`
    const spend = (checks: number, extra: number) => {
      const leaf = leafSpend(asm(`${extra ? `'${'x'.repeat(extra)}' DROP ` : ''}${script(checks)}`))
      return leaf.run([leaf.sign(0), xOnly(0)])
    }
    // The witness takes 1 for its count, 65, 33, 2 + 2 * checks and 34: with 50 that is 185 + 2 * checks.
    expect(spend(2, 0)).toBeUndefined()
    expect(spend(3, 0)).toBe('TAPSCRIPT_VALIDATION_WEIGHT')
    // Four signatures want 200 and have 191: a push of 7 and its DROP make that up.
    expect(spend(3, 6)).toBe('TAPSCRIPT_VALIDATION_WEIGHT')
    expect(spend(3, 7)).toBeUndefined()
    // An annex is part of the witness: 196 are there without it, and its length counts one.
    const leaf = leafSpend(asm(`'xxx' DROP ${script(3)}`))
    const pay = (annex: Uint8Array) =>
      leaf.run([leaf.sign(0, undefined, annex), xOnly(0)], undefined, annex)
    expect(pay(Uint8Array.of(0x50, 1))).toBe('TAPSCRIPT_VALIDATION_WEIGHT')
    expect(pay(Uint8Array.of(0x50, 1, 2))).toBeUndefined()
    // Empty signatures cost nothing; unknown keys cost as much.
    const empty = leafSpend(asm(`${"0 'k' CHECKSIG DROP ".repeat(30)}1`))
    expect(empty.run([], CONSENSUS_FLAGS)).toBeUndefined()
    const unknown = leafSpend(asm(`${"1 'k' CHECKSIG DROP ".repeat(30)}1`))
    expect(unknown.run([], CONSENSUS_FLAGS)).toBe('TAPSCRIPT_VALIDATION_WEIGHT')
  })
  it('takes keys of sizes to come, but no empty one', () => {
    for (const size of [1, 31, 33, 65]) {
      const leaf = leafSpend(asm(`'${'k'.repeat(size)}' CHECKSIG`))
      expect(leaf.run([asm('1')], CONSENSUS_FLAGS)).toBeUndefined()
      expect(leaf.run([NONE], CONSENSUS_FLAGS)).toBe('EVAL_FALSE')
      expect(leaf.run([asm('1')])).toBe('DISCOURAGE_UPGRADABLE_PUBKEYTYPE')
    }
    const none = leafSpend(asm('0 CHECKSIG'))
    expect(none.run([asm('1')], CONSENSUS_FLAGS)).toBe('PUBKEYTYPE')
    expect(none.run([NONE], CONSENSUS_FLAGS)).toBe('PUBKEYTYPE')
  })
  it('succeeds with an opcode that is kept for later, whatever else stands there', () => {
    const isSuccess = (opcode: number) =>
      leafSpend(Uint8Array.of(0x6a, opcode)).run([], CONSENSUS_FLAGS) === undefined
    const codes = Array.from({ length: 256 }, (_, i) => i).filter((i) => i > 78 && isSuccess(i))
    const from = (a: number, b: number) => Array.from({ length: b - a + 1 }, (_, i) => a + i)
    // BIP 342.
    const listed = [80, 98, ...from(126, 129), ...from(131, 134), 137, 138, 141, 142]
    expect(codes).toEqual([...listed, ...from(149, 153), ...from(187, 254)])
    const huge = new Uint8Array(600)
    const leaf = leafSpend(asm('0x50 0x4c'))
    expect(leaf.run(Array(1_001).fill(huge), CONSENSUS_FLAGS)).toBeUndefined()
    expect(leaf.run([])).toBe('DISCOURAGE_OP_SUCCESS')
    expect(leafSpend(asm('0x05 0x50')).run([], CONSENSUS_FLAGS)).toBe('BAD_OPCODE')
    expect(leafSpend(asm('0x4c 0x05 0x50')).run([], CONSENSUS_FLAGS)).toBe('BAD_OPCODE')
  })
  it('has limits of its own', () => {
    const drops = leafSpend(asm(`${'2DROP '.repeat(499)}DROP`))
    expect(drops.run(Array(1_000).fill(asm('1')))).toBeUndefined()
    expect(drops.run(Array(1_001).fill(asm('1')))).toBe('STACK_SIZE')
    expect(drops.run([new Uint8Array(521)])).toBe('PUSH_SIZE')
    expect(leafSpend(asm('SIZE 0x02 0x0802 EQUAL NIP')).run([new Uint8Array(520)])).toBeUndefined()
    // Neither 201 opcodes nor 10,000 bytes are a limit.
    expect(leafSpend(asm(`${'NOP '.repeat(12_000)}1`)).run([])).toBeUndefined()
    expect(leafSpend(asm('IF 1 ENDIF')).run([])).toBe('UNBALANCED_CONDITIONAL')
    expect(leafSpend(asm('IF 1 ENDIF')).run([Uint8Array.of(1)])).toBeUndefined()
    for (const value of ['02', '0100', '00', '80']) {
      const flags = CONSENSUS_FLAGS
      expect(leafSpend(asm('IF 1 ELSE 1 ENDIF')).run([hex.decode(value)], flags)).toBe(
        'TAPSCRIPT_MINIMALIF',
      )
      expect(leafSpend(asm('NOTIF 1 ELSE 1 ENDIF')).run([hex.decode(value)], flags)).toBe(
        'TAPSCRIPT_MINIMALIF',
      )
    }
  })
})

describe('taproot', () => {
  it('leaves leaf versions to come alone', () => {
    const leaf = leafSpend(asm('RETURN'), { version: 0xc2 })
    expect(leaf.run([], CONSENSUS_FLAGS)).toBeUndefined()
    expect(leaf.run([])).toBe('DISCOURAGE_UPGRADABLE_TAPROOT_VERSION')
  })
  it('wants a control block of the right size and content', () => {
    const deep = (depth: number) =>
      Array.from({ length: depth }, (_, i) => new Uint8Array(32).fill(i))
    const leaf = leafSpend(asm('1'), { path: deep(128) })
    expect(leaf.run([])).toBeUndefined()
    const { spend, control, script } = leaf
    const run = (block: Uint8Array) => verdict(withWitness(spend, [script, block]))
    expect(run(leafSpend(asm('1'), { path: deep(129) }).control)).toBe('TAPROOT_WRONG_CONTROL_SIZE')
    for (const size of [0, 32, 34, 64, 66]) {
      expect(run(control.subarray(0, size))).toBe('TAPROOT_WRONG_CONTROL_SIZE')
    }
    expect(run(control.subarray(0, 65))).toBe('WITNESS_PROGRAM_MISMATCH')
    expect(run(flip(control, 0))).toBe('WITNESS_PROGRAM_MISMATCH')
  })
  it('takes no annex when there is nothing else', () => {
    const { spend } = leafSpend(asm('1'))
    const alone = withWitness(spend, [new Uint8Array(64).fill(0x50)])
    expect(verdict(alone)).toBe('SCHNORR_SIG')
    expect(verdict(withWitness(spend, [Uint8Array.of(0x50), Uint8Array.of(0x50)]))).toBe(
      'SCHNORR_SIG_SIZE',
    )
  })
  it('is nothing special without its flag, nor behind a script hash', () => {
    const { spend } = leafSpend(asm('RETURN'))
    expect(verdict(spend, flagsOf('P2SH', 'WITNESS'))).toBeUndefined()
    expect(verdict(spend)).toBe('WITNESS_PROGRAM_WITNESS_EMPTY')
  })

  interface TreeCase {
    readonly given: { readonly internalPubkey: string; readonly scriptTree: unknown }
    readonly intermediary: {
      readonly leafHashes?: readonly string[]
      readonly tweakedPubkey: string
    }
    readonly expected: { readonly scriptPathControlBlocks?: readonly string[] }
  }
  interface Leaf {
    readonly id: number
    readonly script: string
    readonly leafVersion: number
  }
  const leaves = (tree: unknown): Leaf[] =>
    Array.isArray(tree) ? tree.flatMap(leaves) : tree ? [tree as Leaf] : []
  const { scriptPubKey } = vectors<{ scriptPubKey: readonly TreeCase[] }>(
    'taproot/bip341_wallet_vectors.json',
  )
  it.each(scriptPubKey)('knows the trees of BIP 341', ({ given, intermediary, expected }) => {
    const outputKey = hex.decode(intermediary.tweakedPubkey)
    const internal = hex.decode(given.internalPubkey)
    if (!given.scriptTree) expect(taprootOutputKey(internal)?.key).toEqual(outputKey)
    for (const { id, script, leafVersion } of leaves(given.scriptTree)) {
      const leafHash = tapLeafHash(hex.decode(script), leafVersion)
      expect(hex.encode(leafHash)).toBe(intermediary.leafHashes?.[id])
      const bytes = hex.decode(expected.scriptPathControlBlocks?.[id] ?? '')
      const block = parseControlBlock(bytes)
      if (!block) throw new TypeError('no control block')
      expect(encodeControlBlock(block)).toEqual(bytes)
      expect(block.leafVersion).toBe(leafVersion)
      expect(commitsToLeaf(outputKey, block, leafHash)).toBe(true)
      expect(commitsToLeaf(outputKey, { ...block, isOdd: !block.isOdd }, leafHash)).toBe(false)
      expect(commitsToLeaf(flip(outputKey, 9), block, leafHash)).toBe(false)
      expect(commitsToLeaf(outputKey, block, flip(leafHash, 3))).toBe(false)
    }
  })

  interface WitnessCase {
    readonly description: string
    readonly exception?: string
    readonly arguments: { readonly witness?: readonly string[] }
    readonly expected?: { readonly pubkey?: string; readonly internalPubkey?: string }
  }
  it('finds the output keys of the witnesses that bitcoinjs has', () => {
    const { valid } = vectors<{ valid: readonly WitnessCase[] }>('taproot/bitcoinjs_p2tr.json')
    let seen = 0
    for (const { arguments: given, expected } of valid) {
      const witness = (given.witness ?? []).map((item) => hex.decode(item))
      if (witness[witness.length - 1]?.[0] === 0x50) witness.pop()
      const [script, control] = witness.slice(-2)
      if (!script || !control || !expected?.pubkey) continue
      const block = parseControlBlock(control)
      if (!block) throw new TypeError('no control block')
      expect(hex.encode(block.internalKey)).toBe(expected.internalPubkey)
      const leafHash = tapLeafHash(script, block.leafVersion)
      expect(commitsToLeaf(hex.decode(expected.pubkey), block, leafHash)).toBe(true)
      seen += 1
    }
    expect(seen).toBe(1)
  })
})
