import { sha256 } from '@noble/hashes/sha2.js'
import { hex } from '@scure/base'
import { describe, expect, it } from 'vitest'
import { namedKey, signTransaction } from '../chain/keys.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  type TransactionInput,
} from '../chain/transaction.ts'
import { DevnetError } from '../failure.ts'
import {
  assembleScript,
  CONSENSUS_FLAGS,
  countSigops,
  flagsOf,
  redeemScriptOf,
  runScript,
  SCRIPT_ERRORS,
  scriptErrorText,
  scriptHashSigops,
  signatureHasher,
  verifyInput,
  verifySpend,
  witnessSigops,
} from './index.ts'
import { hash160, pushData } from './script.ts'
import { sigopCost } from './sigops.ts'
import { verifyScripts } from './verify.ts'

const NONE = new Uint8Array()
const asm = (text: string): Uint8Array => {
  const script = assembleScript(text)
  if (!script) throw new TypeError(`not a script: ${text}`)
  return script
}
type Draft = Partial<Omit<TransactionInput, 'key'>>
// What once held is remembered by wtxid, so that every transaction here spends another one.
let made = 0
const transactionOf = (drafts: readonly Draft[], version = 2, locktime = 0): Transaction => {
  made += 1
  const txid = made.toString(16).padStart(64, '0')
  const raw = encodeTransaction({
    version,
    locktime,
    inputs: drafts.map((draft, vout) => ({
      txid,
      vout,
      script: NONE,
      sequence: 0xffffffff,
      witness: [],
      ...draft,
    })),
    outputs: [{ value: 1n, script: asm('1') }],
  })
  const transaction = decodeTransaction(raw)
  if (!transaction) throw new TypeError('not a transaction')
  return transaction
}
const codeOf = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    return error instanceof DevnetError ? error.code : String(error)
  }
  return 'nothing thrown'
}

describe('the public door', () => {
  const key = namedKey('door')
  const spent = [{ script: key.script, value: 5_000n }]
  const { raw } = signTransaction(transactionOf([{}]), spent, [key])

  it("says ok, or Core's name and sentence", () => {
    expect(verifyInput({ transaction: raw, input: 0, spent })).toEqual({ ok: true })
    const dearer = [{ script: key.script, value: 5_001n }]
    expect(verifyInput({ transaction: raw, input: 0, spent: dearer })).toEqual({
      ok: false,
      error: 'NULLFAIL',
      message: 'Signature must be zero for failed CHECK(MULTI)SIG operation',
    })
    const flags = CONSENSUS_FLAGS
    expect(verifyInput({ transaction: raw, input: 0, spent: dearer, flags })).toEqual({
      ok: false,
      error: 'EVAL_FALSE',
      message: 'Script evaluated without error but finished with a false/empty top stack element',
    })
  })
  it('throws for what cannot be asked', () => {
    const transaction = raw
    expect(codeOf(() => verifyInput({ transaction: raw.subarray(1), input: 0, spent }))).toBe(
      'DEVNET_TRANSACTION_INVALID',
    )
    expect(codeOf(() => verifyInput({ transaction, input: 1, spent }))).toBe('DEVNET_USAGE')
    expect(codeOf(() => verifyInput({ transaction, input: 0, spent: [] }))).toBe('DEVNET_USAGE')
    expect(codeOf(() => signatureHasher(raw, []))).toBe('DEVNET_USAGE')
    expect(codeOf(() => signatureHasher(NONE))).toBe('DEVNET_TRANSACTION_INVALID')
    expect(signatureHasher(raw).legacy(0, NONE, 1)).toHaveLength(32)
  })
  it('runs scripts without touching the stack it was given', () => {
    const stack = [Uint8Array.of(1)]
    expect(runScript({ script: asm('DUP ADD'), stack })).toEqual({ stack: [Uint8Array.of(2)] })
    expect(stack).toEqual([Uint8Array.of(1)])
    const tapscript = { leafHash: new Uint8Array(32), budget: 100 }
    const script = asm("1 'k' CHECKSIG 1 'k' CHECKSIG")
    const run = () => runScript({ script, version: 'tapscript', tapscript })
    expect(run().error).toBeUndefined()
    expect(run().error).toBeUndefined()
    expect(runScript({ script, version: 'tapscript' }).error).toBe('TAPSCRIPT_VALIDATION_WEIGHT')
  })
  it('has a sentence for each error, and no two alike', () => {
    const names = Object.keys(SCRIPT_ERRORS) as (keyof typeof SCRIPT_ERRORS)[]
    expect(new Set(names.map(scriptErrorText)).size).toBe(names.length)
    // All of Core 28's but OK.
    expect(names).toHaveLength(52)
  })
  it('asks a stranger about signatures and lock times', () => {
    const asked: string[] = []
    const checker = {
      checkEcdsa: (
        signature: Uint8Array,
        publicKey: Uint8Array,
        code: Uint8Array,
        version: string,
      ) => {
        asked.push(
          `${hex.encode(signature)} ${hex.encode(publicKey)} ${hex.encode(code)} ${version}`,
        )
        return true
      },
      checkSchnorr: () => undefined,
      checkLockTime: (value: number) => value === 9,
      checkSequence: () => false,
    }
    const scriptPubKey = asm("9 CHECKLOCKTIMEVERIFY DROP CODESEPARATOR 'k' CHECKSIG")
    const flags = flagsOf('CHECKLOCKTIMEVERIFY')
    const request = { scriptSig: asm("'s'"), scriptPubKey, witness: [], flags, checker }
    expect(verifySpend(request)).toBeUndefined()
    expect(asked).toEqual(['73 6b 016bac base'])
  })
})

describe('lock times', () => {
  const run = (script: string, draft: Draft, version = 2, locktime = 0) =>
    verifyScripts(
      transactionOf([draft], version, locktime),
      [{ script: asm(`${script} DROP 1`), value: 1n }],
      'consensus',
    )?.error
  const LATE = 'UNSATISFIED_LOCKTIME'
  it.each([
    ['0', 0, undefined],
    ['100', 99, LATE],
    ['100', 100, undefined],
    ['499999999', 499_999_999, undefined],
    ['499999999', 500_000_000, LATE],
    ['500000000', 499_999_999, LATE],
    ['500000000', 500_000_000, undefined],
    ['4294967295', 0xffffffff, undefined],
    ['0x05 0x0000000001', 0xffffffff, LATE],
  ])('%s CHECKLOCKTIMEVERIFY at %s: %s', (value, locktime, expected) => {
    const script = `${value} CHECKLOCKTIMEVERIFY`
    expect(run(script, { sequence: 0 }, 1, locktime)).toBe(expected)
    expect(run(script, { sequence: 0xffffffff }, 1, locktime)).toBe(LATE)
  })
  const TIME = 0x400000
  it.each([
    [0, 0, 2, undefined],
    [0, 0, 1, LATE],
    [0, 0, 0xffffffff, undefined],
    [10, 9, 2, LATE],
    [10, 10, 2, undefined],
    [10, 0x80000000 + 10, 2, LATE],
    [10, TIME + 10, 2, LATE],
    [TIME + 10, 10, 2, LATE],
    [TIME + 10, TIME + 11, 2, undefined],
    // Bits without meaning are left out on both sides.
    [0x10000 + 10, 10, 2, undefined],
    [10, 0x3f0000 + 10, 2, undefined],
    // The bit that switches the opcode off.
    [0x80000000, 0xffffffff, 1, undefined],
  ])(
    '%s CHECKSEQUENCEVERIFY at sequence %s of version %s: %s',
    (value, sequence, version, expected) => {
      expect(run(`${value} CHECKSEQUENCEVERIFY`, { sequence }, version)).toBe(expected)
    },
  )
})

describe("reasons in Core's words", () => {
  const reasonOf = (script: string, mode: 'policy' | 'consensus', scriptSig = '') => {
    const transaction = transactionOf([{}, { script: asm(scriptSig) }])
    const spent = [asm('1'), asm(script)].map((output) => ({ script: output, value: 1n }))
    return verifyScripts(transaction, spent, mode)
  }
  it('tell policy from consensus', () => {
    expect(reasonOf('NOP10 1', 'consensus')).toBeUndefined()
    expect(reasonOf('NOP10 1', 'policy')).toEqual({
      input: 1,
      error: 'DISCOURAGE_UPGRADABLE_NOPS',
      isMandatory: false,
      reason: 'non-mandatory-script-verify-flag (NOPx reserved for soft-fork upgrades)',
    })
    // Policy names what it found first, also where consensus would have failed by something else.
    expect(reasonOf('NOP10 0', 'policy', 'NOP')).toMatchObject({
      isMandatory: true,
      reason: 'mandatory-script-verify-flag-failed (NOPx reserved for soft-fork upgrades)',
    })
    expect(reasonOf('NOP9 0', 'consensus')).toMatchObject({
      error: 'EVAL_FALSE',
      isMandatory: true,
    })
  })
  it('remember what held, for policy and consensus apart', () => {
    const transaction = transactionOf([{ sequence: 4 }])
    const good = [{ script: asm('NOP8 1'), value: 1n }]
    expect(verifyScripts(transaction, good, 'consensus')).toBeUndefined()
    expect(verifyScripts(transaction, good, 'policy')?.isMandatory).toBe(false)
    const clean = transactionOf([{ sequence: 5 }])
    expect(verifyScripts(clean, [{ script: asm('1'), value: 1n }], 'policy')).toBeUndefined()
    // The same wtxid commits to the same coins: nothing is run again.
    expect(verifyScripts(clean, [{ script: asm('0'), value: 1n }], 'consensus')).toBeUndefined()
  })
})

describe('signature operations', () => {
  const behindHash = (script: Uint8Array) => Uint8Array.of(0xa9, 20, ...hash160(script), 0x87)
  const multisig = asm(`1 0x21 0x02${'11'.repeat(32)} 0x21 0x02${'22'.repeat(32)} 2 CHECKMULTISIG`)

  it.each([
    ['CHECKSIG CHECKSIGVERIFY', 2, 2],
    ['0 IF CHECKSIG ENDIF', 1, 1],
    ['1 CHECKMULTISIG', 20, 1],
    ['16 CHECKMULTISIGVERIFY', 20, 16],
    ['0 CHECKMULTISIG', 20, 20],
    ['17 CHECKMULTISIG', 20, 20],
    ['2 NOP CHECKMULTISIG', 20, 20],
    ['CHECKMULTISIG', 20, 20],
    ["'\xac' CHECKSIG", 1, 1],
    // Up to where it cannot be read any more.
    ['CHECKSIG 0x05 0xacac', 1, 1],
    ['0xba', 0, 0],
  ])('of %s: %s, or exactly %s', (text, rough, exact) => {
    const script = asm(text)
    expect([countSigops(script, false), countSigops(script, true)]).toEqual([rough, exact])
  })
  it('behind a script hash are those of what was pushed last', () => {
    const output = behindHash(multisig)
    const sig = Uint8Array.of(0, ...pushData(multisig))
    expect(redeemScriptOf(sig)).toEqual(multisig)
    expect(scriptHashSigops(sig, output)).toBe(2)
    expect(scriptHashSigops(Uint8Array.of(...sig, 0x51), output)).toBe(0)
    expect(scriptHashSigops(Uint8Array.of(...sig, 0x61), output)).toBe(0)
    expect(scriptHashSigops(Uint8Array.of(...sig, 0x4c), output)).toBe(0)
    expect(scriptHashSigops(NONE, output)).toBe(0)
    expect(scriptHashSigops(sig, multisig)).toBe(0)
  })
  it('of witnesses cost one, others four', () => {
    const keyHash = Uint8Array.of(0, 20, ...new Uint8Array(20))
    const scriptHash = Uint8Array.of(0, 32, ...sha256(multisig))
    const wrapped = pushData(scriptHash)
    expect(witnessSigops(NONE, keyHash, [])).toBe(1)
    expect(witnessSigops(NONE, scriptHash, [NONE, multisig])).toBe(2)
    expect(witnessSigops(NONE, scriptHash, [])).toBe(0)
    expect(witnessSigops(wrapped, behindHash(scriptHash), [multisig])).toBe(2)
    expect(witnessSigops(pushData(keyHash), behindHash(keyHash))).toBe(1)
    expect(witnessSigops(Uint8Array.of(0x61, ...wrapped), behindHash(scriptHash), [multisig])).toBe(
      0,
    )
    const taproot = Uint8Array.of(0x51, 32, ...new Uint8Array(32))
    expect(witnessSigops(NONE, taproot, [multisig])).toBe(0)

    const sig = Uint8Array.of(0, ...pushData(multisig))
    const transaction = transactionOf([
      { script: sig },
      { script: wrapped, witness: [multisig] },
      { witness: [NONE, NONE] },
      { script: asm('CHECKSIG') },
    ])
    const scripts = [behindHash(multisig), behindHash(scriptHash), keyHash, multisig]
    const spent = scripts.map((script) => ({ script, value: 1n }))
    expect(sigopCost(transaction)).toBe(4)
    expect(sigopCost(transaction, spent)).toBe(4 + 4 * 2 + 2 + 1)
  })
})
