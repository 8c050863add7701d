import { sha256 } from '@noble/hashes/sha2.js'
import { hex } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assembleScript,
  CONSENSUS_FLAGS,
  encodeScriptNumber,
  flagsOf,
  NO_TRANSACTION,
  runScript,
  type ScriptFlag,
  type ScriptFlags,
  type ScriptVersion,
  STANDARD_FLAGS,
  verifySpend,
  withFlags,
} from './index.ts'
import { hash160, pushData } from './script.ts'

const NONE = new Uint8Array()
const asm = (text: string): Uint8Array => {
  const script = assembleScript(text)
  if (!script) throw new TypeError(`not a script: ${text}`)
  return script
}
/** The stack that a script leaves, bottom first, or the error that ends it. */
function left(text: string, flags?: ScriptFlags, version: ScriptVersion = 'base'): string {
  const run = { script: asm(text), version, ...(flags === undefined ? {} : { flags }) }
  const { stack, error } = runScript(run)
  return error ?? stack.map((element) => hex.encode(element) || '-').join(' ')
}

describe('opcodes', () => {
  it.each([
    ['1 2 3 2DROP', '01'],
    ['1 2 2DUP', '01 02 01 02'],
    ['1 2 3 3DUP', '01 02 03 01 02 03'],
    ['1 2 3 4 2OVER', '01 02 03 04 01 02'],
    ['1 2 3 4 5 6 2ROT', '03 04 05 06 01 02'],
    ['1 2 3 4 2SWAP', '03 04 01 02'],
    ['0 IFDUP 1 IFDUP', '- 01 01'],
    ['7 7 DEPTH', '07 07 02'],
    ['1 2 NIP', '02'],
    ['1 2 OVER', '01 02 01'],
    ['5 6 7 2 PICK', '05 06 07 05'],
    ['5 6 7 2 ROLL', '06 07 05'],
    ['5 6 0 ROLL', '05 06'],
    ['5 6 2 ROLL', 'INVALID_STACK_OPERATION'],
    ['5 6 -1 PICK', 'INVALID_STACK_OPERATION'],
    ['1 2 3 ROT', '02 03 01'],
    ['1 2 SWAP', '02 01'],
    ['1 2 TUCK', '02 01 02'],
    ["'abc' SIZE", '616263 03'],
    ['1 TOALTSTACK 2 FROMALTSTACK', '02 01'],
    ['FROMALTSTACK', 'INVALID_ALTSTACK_OPERATION'],
    ["'a' 'a' EQUAL 'a' 'b' EQUAL", '01 -'],
    ["'a' 'b' EQUALVERIFY", 'EQUALVERIFY'],
    ['2147483647 DUP ADD', 'feffffff00'],
    ['2147483647 DUP ADD 1ADD', 'UNKNOWN_ERROR'],
    ['5 NEGATE ABS -5 ABS', '05 05'],
    ['0 NEGATE', '-'],
    ['0 NOT 2 NOT 2 0NOTEQUAL', '01 - 01'],
    ['3 5 SUB 3 1SUB', '82 02'],
    ['2 3 BOOLAND 2 0 BOOLAND 0 0 BOOLOR 0 9 BOOLOR', '01 - - 01'],
    ['3 3 NUMEQUALVERIFY', ''],
    ['3 4 NUMEQUALVERIFY', 'NUMEQUALVERIFY'],
    ['3 4 NUMNOTEQUAL 3 0x02 0x0300 NUMEQUAL', '01 01'],
    ['3 4 LESSTHAN 4 4 LESSTHAN 4 4 LESSTHANOREQUAL', '01 - 01'],
    ['3 4 GREATERTHAN 4 4 GREATERTHANOREQUAL', '- 01'],
    ['-3 2 MIN -3 2 MAX', '83 02'],
    ['1 1 3 WITHIN 3 1 3 WITHIN 0 1 3 WITHIN', '01 - -'],
    ['0 VERIFY', 'VERIFY'],
    ['RETURN', 'OP_RETURN'],
    ['CAT', 'DISABLED_OPCODE'],
    ['0 IF MUL ENDIF', 'DISABLED_OPCODE'],
    ['0 IF VER RESERVED RESERVED1 RESERVED2 0xba 0xff ENDIF', ''],
    ['VER', 'BAD_OPCODE'],
    ['0 IF VERIF ENDIF', 'BAD_OPCODE'],
    ['0 IF VERNOTIF ENDIF', 'BAD_OPCODE'],
    ['0xba', 'BAD_OPCODE'],
    ['0x02 0x01', 'BAD_OPCODE'],
  ])('%s leaves %s', (text, expected) => {
    expect(left(text)).toBe(expected)
  })

  it.each([
    ['1 IF 2 ELSE 3 ENDIF', '02'],
    ['0 IF 2 ELSE 3 ENDIF', '03'],
    ['1 IF 2 ELSE 3 ELSE 4 ENDIF', '02 04'],
    ['0 IF 1 IF 2 ELSE 3 ENDIF ELSE 4 ENDIF', '04'],
    ['0 NOTIF 2 ENDIF', '02'],
    ['1 IF 0 IF 2 ELSE 3 ENDIF 4 ENDIF 5', '03 04 05'],
    ['1 IF', 'UNBALANCED_CONDITIONAL'],
    ['1 IF ENDIF ENDIF', 'UNBALANCED_CONDITIONAL'],
    ['ELSE', 'UNBALANCED_CONDITIONAL'],
    ['IF ENDIF', 'UNBALANCED_CONDITIONAL'],
  ])('%s branches to %s', (text, expected) => {
    expect(left(text)).toBe(expected)
  })

  it('follow the branches that a stack of booleans follows', () => {
    const moves = fc.array(fc.constantFrom('IF', 'NOTIF', 'ELSE', 'ENDIF', 'mark'), {
      maxLength: 30,
    })
    fc.assert(
      fc.property(moves, fc.infiniteStream(fc.boolean()), (words, choices) => {
        const open: boolean[] = []
        const script: string[] = []
        let marks = 0
        let isBroken = false
        for (const word of words) {
          const isRunning = open.every(Boolean)
          if (word === 'mark') {
            script.push('7')
            if (isRunning) marks += 1
          } else if (word === 'ELSE' || word === 'ENDIF') {
            script.push(word)
            if (open.length === 0) {
              isBroken = true
              break
            }
            const top = open.pop() as boolean
            if (word === 'ELSE') open.push(!top)
          } else {
            const choice = choices.next().value as boolean
            script.push(choice ? '1' : '0', word)
            open.push(choice === (word === 'IF'))
          }
        }
        const result = left(script.join(' '))
        if (isBroken || open.length > 0) expect(result).toBe('UNBALANCED_CONDITIONAL')
        else expect(result).toBe(Array(marks).fill('07').join(' '))
      }),
    )
  })
})

describe('limits', () => {
  it('of a script: 10,000 bytes', () => {
    const sized = (size: number) => ({ script: new Uint8Array(size).fill(0x51) })
    expect(runScript({ ...sized(1_000) }).error).toBeUndefined()
    expect(runScript({ ...sized(10_000) }).error).toBe('STACK_SIZE')
    expect(runScript({ ...sized(10_001) }).error).toBe('SCRIPT_SIZE')
  })
  it('of an element: 520 bytes, also where nothing runs', () => {
    expect(left(`'${'x'.repeat(520)}' DROP`)).toBe('')
    expect(left(`'${'x'.repeat(521)}' DROP`)).toBe('PUSH_SIZE')
    expect(left(`0 IF '${'x'.repeat(521)}' ENDIF`)).toBe('PUSH_SIZE')
  })
  it('of opcodes: 201, keys of multisigs included, pushes and OP_RESERVED not', () => {
    expect(left('NOP '.repeat(201))).toBe('')
    expect(left('NOP '.repeat(202))).toBe('OP_COUNT')
    expect(left(`0 IF ${'NOP '.repeat(199)} ENDIF`)).toBe('')
    expect(left(`0 IF ${'NOP '.repeat(200)} ENDIF`)).toBe('OP_COUNT')
    expect(left(`0 IF ${'RESERVED '.repeat(300)} ENDIF`)).toBe('')
    const keys = (count: number) => `0 0 ${'1 '.repeat(count)} ${count} CHECKMULTISIG DROP `
    expect(left(`${'NOP '.repeat(179)}${keys(20)}`)).toBe('')
    expect(left(`${'NOP '.repeat(180)}${keys(20)}NOP`)).toBe('OP_COUNT')
    expect(left(`${'NOP '.repeat(181)}${keys(20)}`)).toBe('OP_COUNT')
    expect(left(keys(21))).toBe('PUBKEY_COUNT')
    expect(left('0 1 -1 CHECKMULTISIG')).toBe('PUBKEY_COUNT')
    expect(left('0 -1 0 CHECKMULTISIG')).toBe('SIG_COUNT')
    expect(left("0 'a' 'b' 2 'k' 1 CHECKMULTISIG")).toBe('SIG_COUNT')
    expect(left('0 0 CHECKMULTISIG')).toBe('INVALID_STACK_OPERATION')
    expect(left('5 CHECKMULTISIG')).toBe('INVALID_STACK_OPERATION')
    expect(left('0 0 0 CHECKMULTISIG')).toBe('01')
  })
  it('of both stacks together: 1,000', () => {
    expect(left(`${'1 '.repeat(1_000)}`).split(' ')).toHaveLength(1_000)
    expect(left(`${'1 '.repeat(1_001)}`)).toBe('STACK_SIZE')
    expect(left(`1 TOALTSTACK ${'1 '.repeat(999)}`).split(' ')).toHaveLength(999)
    expect(left(`1 TOALTSTACK ${'1 '.repeat(1_000)}`)).toBe('STACK_SIZE')
  })
})

describe('flags', () => {
  it('MINIMALDATA wants the shortest push and number, where something runs', () => {
    const minimal = flagsOf('MINIMALDATA')
    expect(left('0x01 0x05', minimal)).toBe('MINIMALDATA')
    expect(left('0 IF 0x01 0x05 ENDIF', minimal)).toBe('')
    expect(left('0x01 0x05')).toBe('05')
    expect(left('0x02 0x0500 1ADD', minimal)).toBe('UNKNOWN_ERROR')
    expect(left('0x02 0x0500 1ADD')).toBe('06')
  })
  it('DISCOURAGE_UPGRADABLE_NOPS refuses what has no meaning yet', () => {
    const strict = flagsOf('DISCOURAGE_UPGRADABLE_NOPS')
    for (const n of [1, 4, 5, 6, 7, 8, 9, 10]) {
      expect([n, left(`NOP${n}`)]).toEqual([n, ''])
      expect([n, left(`NOP${n}`, strict)]).toEqual([n, 'DISCOURAGE_UPGRADABLE_NOPS'])
      expect(left(`0 IF NOP${n} ENDIF`, strict)).toBe('')
    }
    expect(left('NOP CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY', strict)).toBe('')
  })
  it('MINIMALIF is for witness version 0', () => {
    const strict = flagsOf('MINIMALIF')
    for (const value of ['2', "'ab'", '0x01 0x00', '0x02 0x0100']) {
      const text = `${value} IF ELSE ENDIF`
      expect(left(text, strict, 'witness_v0')).toBe('MINIMALIF')
      expect(left(text, flagsOf(), 'witness_v0')).toBe('')
      expect(left(text, strict)).toBe('')
      expect(left(text, flagsOf(), 'tapscript')).toBe('TAPSCRIPT_MINIMALIF')
    }
    expect(left('1 IF ENDIF 0 NOTIF ENDIF', strict, 'witness_v0')).toBe('')
  })
  it('CONST_SCRIPTCODE forbids separators before segwit, and signatures in what they sign', () => {
    const constant = flagsOf('CONST_SCRIPTCODE')
    expect(left('0 IF CODESEPARATOR ENDIF', constant)).toBe('OP_CODESEPARATOR')
    expect(left('CODESEPARATOR', constant, 'witness_v0')).toBe('')
    expect(left('CODESEPARATOR')).toBe('')
    expect(left("'sig' 'key' CHECKSIG", constant)).toBe('SIG_FINDANDDELETE')
    expect(left("'sig' 'key' CHECKSIG", constant, 'witness_v0')).toBe('-')
    expect(left("'sig' 'key' CHECKSIG")).toBe('-')
    expect(left("0 'sig' 1 'key' 1 CHECKMULTISIG", constant)).toBe('SIG_FINDANDDELETE')
    expect(left("0 'sig' 1 'key' 1 CHECKMULTISIG", constant, 'witness_v0')).toBe('-')
  })
  it('of encodings say which part is wrong', () => {
    const key = `0x21 0x02${'11'.repeat(32)}`
    const signature = '0x09 0x300602010102010101'
    const one = (text: string, ...names: readonly ScriptFlag[]) => left(text, flagsOf(...names))
    expect(one(`'x' ${key} CHECKSIG`, 'DERSIG')).toBe('SIG_DER')
    expect(one(`'x' ${key} CHECKSIG`)).toBe('-')
    expect(one(`0 ${key} CHECKSIG`, 'DERSIG', 'LOW_S', 'STRICTENC', 'NULLFAIL')).toBe('-')
    expect(one(`${signature} ${key} CHECKSIG`, 'DERSIG')).toBe('-')
    expect(one(`${signature} ${key} CHECKSIG`, 'NULLFAIL')).toBe('NULLFAIL')
    expect(one(`${signature} ${key} CHECKSIGVERIFY`)).toBe('CHECKSIGVERIFY')
    expect(one(`0x09 0x300602010102010104 ${key} CHECKSIG`, 'STRICTENC')).toBe('SIG_HASHTYPE')
    expect(one(`0x09 0x300602010102010100 ${key} CHECKSIG`, 'STRICTENC')).toBe('SIG_HASHTYPE')
    expect(one(`0x09 0x300602010102010183 ${key} CHECKSIG`, 'STRICTENC')).toBe('-')
    expect(one(`0 'key' CHECKSIG`, 'STRICTENC')).toBe('PUBKEYTYPE')
    const plain = `0x41 0x04${'11'.repeat(64)}`
    expect(one(`0 ${plain} CHECKSIG`, 'STRICTENC', 'WITNESS_PUBKEYTYPE')).toBe('-')
    const compressed = flagsOf('WITNESS_PUBKEYTYPE')
    expect(left(`0 ${plain} CHECKSIG`, compressed, 'witness_v0')).toBe('WITNESS_PUBKEYTYPE')
    const high = `0x28 0x302502010102207${'f'.repeat(63)}01`
    expect(one(`${high} ${key} CHECKSIG`, 'LOW_S')).toBe('SIG_HIGH_S')
    expect(one(`1 0 1 ${key} 1 CHECKMULTISIG`, 'NULLDUMMY')).toBe('SIG_NULLDUMMY')
    expect(one(`1 0 1 ${key} 1 CHECKMULTISIG`)).toBe('-')
    expect(one(`0 ${signature} 1 ${key} 1 CHECKMULTISIG`, 'NULLFAIL')).toBe('NULLFAIL')
    expect(one(`0 ${signature} 1 ${key} 1 CHECKMULTISIGVERIFY`)).toBe('CHECKMULTISIGVERIFY')
  })
  it('of lock times leave a NOP where they are not set', () => {
    for (const name of ['CHECKLOCKTIMEVERIFY', 'CHECKSEQUENCEVERIFY'] as const) {
      const flags = flagsOf(name)
      expect(left(name)).toBe('')
      expect(left(name, flags)).toBe('INVALID_STACK_OPERATION')
      expect(left(`-1 ${name}`, flags)).toBe('NEGATIVE_LOCKTIME')
      expect(left(`0 ${name}`, flags)).toBe('UNSATISFIED_LOCKTIME')
      expect(left(`0x06 0x000000000001 ${name}`, flags)).toBe('UNKNOWN_ERROR')
    }
    expect(left('0x05 0x0000008000 CHECKSEQUENCEVERIFY', flagsOf('CHECKSEQUENCEVERIFY'))).toBe(
      '0000008000',
    )
  })
})

describe('spends', () => {
  const spend = (
    scriptPubKey: Uint8Array,
    scriptSig: Uint8Array = NONE,
    witness: readonly Uint8Array[] = [],
    flags = STANDARD_FLAGS,
  ) => verifySpend({ scriptPubKey, scriptSig, witness, flags, checker: NO_TRANSACTION })
  const behindHash = (script: Uint8Array) => Uint8Array.of(0xa9, 20, ...hash160(script), 0x87)
  const behindWitness = (script: Uint8Array) => Uint8Array.of(0, 32, ...sha256(script))

  it('before segwit leave something true, and under policy nothing else', () => {
    expect(spend(asm('1'))).toBeUndefined()
    expect(spend(asm('0'))).toBe('EVAL_FALSE')
    expect(spend(asm('DROP'), asm('1'))).toBe('EVAL_FALSE')
    expect(spend(asm('1'), asm('1'))).toBe('CLEANSTACK')
    expect(spend(asm('1'), asm('1'), [], CONSENSUS_FLAGS)).toBeUndefined()
    expect(spend(asm('1'), NONE, [NONE])).toBe('WITNESS_UNEXPECTED')
    expect(spend(asm('1'), NONE, [NONE], flagsOf('P2SH'))).toBeUndefined()
    expect(spend(asm('NOP'), asm('1 NOP'), [], flagsOf('SIGPUSHONLY'))).toBe('SIG_PUSHONLY')
    expect(spend(asm('ENDIF 1'), asm('1 IF'))).toBe('UNBALANCED_CONDITIONAL')
    // The alternative stack does not pass from one script to the next.
    expect(spend(asm('FROMALTSTACK'), asm('1 TOALTSTACK'))).toBe('INVALID_ALTSTACK_OPERATION')
  })
  it('of a script hash run the script behind it, if only pushes come before', () => {
    const script = asm('2 EQUAL')
    const output = behindHash(script)
    const sig = (text: string) => Uint8Array.of(...asm(text), ...pushData(script))
    expect(spend(output, sig('2'))).toBeUndefined()
    expect(spend(output, sig('3'))).toBe('EVAL_FALSE')
    expect(spend(output, sig('3'), [], flagsOf())).toBeUndefined()
    expect(spend(output, sig('2 NOP'))).toBe('SIG_PUSHONLY')
    expect(spend(output, sig('1 2'))).toBe('CLEANSTACK')
    expect(spend(output, asm('2'))).toBe('EVAL_FALSE')
    expect(spend(output)).toBe('INVALID_STACK_OPERATION')
  })
  it('of a witness script leave exactly one element', () => {
    const script = asm('2 EQUAL')
    const run = (...stack: Uint8Array[]) => spend(behindWitness(script), NONE, [...stack, script])
    const two = encodeScriptNumber(2)
    expect(run(two)).toBeUndefined()
    expect(run(encodeScriptNumber(3))).toBe('EVAL_FALSE')
    expect(run(two, two)).toBe('CLEANSTACK')
    expect(run(new Uint8Array(521))).toBe('PUSH_SIZE')
    expect(spend(behindWitness(script))).toBe('WITNESS_PROGRAM_WITNESS_EMPTY')
    expect(spend(behindWitness(script), NONE, [two])).toBe('WITNESS_PROGRAM_MISMATCH')
    expect(spend(behindWitness(script), asm('0'), [two, script])).toBe('WITNESS_MALLEATED')
    expect(spend(behindWitness(script), NONE, [], flagsOf('P2SH'))).toBeUndefined()
    const long = new Uint8Array(10_001).fill(0x61)
    expect(spend(behindWitness(long), NONE, [long])).toBe('SCRIPT_SIZE')
    const wrapped = behindWitness(script)
    const output = behindHash(wrapped)
    expect(spend(output, pushData(wrapped), [two, script])).toBeUndefined()
    const more = Uint8Array.of(0x51, ...pushData(wrapped))
    expect(spend(output, more, [two, script])).toBe('WITNESS_MALLEATED_P2SH')
    const odd = Uint8Array.of(0x4c, wrapped.length, ...wrapped)
    expect(spend(output, odd, [two, script], CONSENSUS_FLAGS)).toBe('WITNESS_MALLEATED_P2SH')
  })
  it('of programs without rules are free, but not under policy', () => {
    const program = (version: number, size: number) =>
      Uint8Array.of(version === 0 ? 0 : 0x50 + version, size, ...new Uint8Array(size).fill(1))
    const refused = 'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM'
    for (const [version, size] of [
      [1, 31],
      [1, 33],
      [1, 2],
      [2, 32],
      [16, 40],
    ] as const) {
      expect(spend(program(version, size), NONE, [NONE], CONSENSUS_FLAGS)).toBeUndefined()
      expect(spend(program(version, size), NONE, [NONE])).toBe(refused)
    }
    expect(spend(program(0, 20), NONE, [NONE])).toBe('WITNESS_PROGRAM_MISMATCH')
    expect(spend(program(0, 20), NONE, [NONE, NONE, NONE])).toBe('WITNESS_PROGRAM_MISMATCH')
    expect(spend(program(0, 20), NONE, [NONE, NONE])).toBe('EQUALVERIFY')
    expect(spend(program(0, 21), NONE, [NONE])).toBe('WITNESS_PROGRAM_WRONG_LENGTH')
    // Not programs: too long, too short, or pushed another way.
    expect(spend(program(2, 41))).toBe('CLEANSTACK')
    const anchor = hex.decode('51024e73')
    expect(spend(anchor)).toBeUndefined()
    expect(spend(anchor, NONE, [NONE])).toBeUndefined()
    expect(spend(behindHash(anchor), pushData(anchor))).toBe(refused)
    const taproot = program(1, 32)
    expect(spend(behindHash(taproot), pushData(taproot))).toBe(refused)
    expect(spend(behindHash(taproot), pushData(taproot), [], CONSENSUS_FLAGS)).toBeUndefined()
    const withoutTaproot = flagsOf('P2SH', 'WITNESS')
    expect(spend(taproot, NONE, [], withoutTaproot)).toBeUndefined()
    expect(spend(taproot, NONE, [], withFlags(withoutTaproot, flagsOf('TAPROOT')))).toBe(
      'WITNESS_PROGRAM_WITNESS_EMPTY',
    )
  })
})
