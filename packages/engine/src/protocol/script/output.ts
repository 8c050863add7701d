import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { assert } from '../../kernel/index.ts'
import { type BareMultisig, parseMultisigScript } from './multisig.ts'
import { OP } from './opcodes.ts'
import { encodePush, joinBytes } from './push.ts'

/** What an output script is, with what is in it. */
export type Output = Readonly<
  | { type: 'p2pkh' | 'p2sh'; hash: Uint8Array }
  | {
      type: 'p2wpkh' | 'p2wsh' | 'p2tr' | 'p2a' | 'witness_unknown'
      version: number
      program: Uint8Array
    }
  | { type: 'p2pk'; publicKey: Uint8Array }
  | ({ type: 'multisig' } & BareMultisig)
  | { type: 'op_return'; data: Uint8Array }
  | { type: 'nonstandard' }
>
export type OutputType = Output['type']

/** RIPEMD-160 of SHA-256. */
export const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes))

function isHash(bytes: Uint8Array, length: number): void {
  assert(bytes.length === length, `a hash of ${bytes.length} bytes instead of ${length}`)
}

/** @throws AssertionError unless 20 bytes. */
export function p2pkhScript(keyHash: Uint8Array): Uint8Array {
  isHash(keyHash, 20)
  const script = new Uint8Array(25)
  script.set([OP.DUP, OP.HASH160, 20])
  script.set(keyHash, 3)
  script.set([OP.EQUALVERIFY, OP.CHECKSIG], 23)
  return script
}
/** @throws AssertionError unless 20 bytes. Source: BIP 16. */
export function p2shScript(scriptHash: Uint8Array): Uint8Array {
  isHash(scriptHash, 20)
  const script = new Uint8Array(23)
  script.set([OP.HASH160, 20])
  script.set(scriptHash, 2)
  script[22] = OP.EQUAL
  return script
}
/** @throws AssertionError unless version 0 to 16 and 2 to 40 bytes. Source: BIP 141. */
export function witnessScript(version: number, program: Uint8Array): Uint8Array {
  assert(Number.isInteger(version) && version >= 0 && version <= 16, `witness version ${version}`)
  assert(program.length >= 2 && program.length <= 40, `program of ${program.length} bytes`)
  const script = new Uint8Array(2 + program.length)
  script[0] = version === 0 ? OP.OP_0 : OP.OP_1 - 1 + version
  script[1] = program.length
  script.set(program, 2)
  return script
}
/** @throws AssertionError unless 20 bytes. */
export function p2wpkhScript(keyHash: Uint8Array): Uint8Array {
  isHash(keyHash, 20)
  return witnessScript(0, keyHash)
}
/** @throws AssertionError unless 32 bytes. */
export function p2wshScript(scriptHash: Uint8Array): Uint8Array {
  isHash(scriptHash, 32)
  return witnessScript(0, scriptHash)
}
/** @throws AssertionError unless 32 bytes. Source: BIP 341. */
export function p2trScript(outputKey: Uint8Array): Uint8Array {
  isHash(outputKey, 32)
  return witnessScript(1, outputKey)
}
/** The P2SH output of a redeem script. */
export const p2shOf = (redeemScript: Uint8Array): Uint8Array => p2shScript(hash160(redeemScript))
/** The P2WSH output of a witness script. */
export const p2wshOf = (script: Uint8Array): Uint8Array => p2wshScript(sha256(script))
/** An output that carries data and no money. */
export const opReturnScript = (data: Uint8Array): Uint8Array =>
  joinBytes(Uint8Array.of(OP.RETURN), encodePush(data))

function classifyWitness(script: Uint8Array): Output | undefined {
  const { length } = script
  if (length < 4 || length > 42 || script[1] !== length - 2) return undefined
  const opcode = script[0] ?? 0
  if (opcode !== OP.OP_0 && (opcode < OP.OP_1 || opcode > OP.OP_16)) return undefined
  const version = opcode === OP.OP_0 ? 0 : opcode - OP.OP_1 + 1
  const program = script.slice(2)
  if (version === 0) {
    if (program.length === 20) return { type: 'p2wpkh', version, program }
    // Any other length of version 0 can never be spent (BIP 141); it has no address either.
    return program.length === 32 ? { type: 'p2wsh', version, program } : { type: 'nonstandard' }
  }
  if (version === 1 && program.length === 32) return { type: 'p2tr', version, program }
  if (version === 1 && length === 4 && script[2] === 0x4e && script[3] === 0x73) {
    return { type: 'p2a', version, program }
  }
  return { type: 'witness_unknown', version, program }
}

function classifyKey(script: Uint8Array): Output | undefined {
  const { length } = script
  if (script[length - 1] !== OP.CHECKSIG || script[0] !== length - 2) return undefined
  const publicKey = script.slice(1, -1)
  const isCompressed = publicKey.length === 33 && (publicKey[0] === 2 || publicKey[0] === 3)
  const isPlain = publicKey.length === 65 && publicKey[0] === 4
  return isCompressed || isPlain ? { type: 'p2pk', publicKey } : undefined
}

/** What an output script is. Never refuses: what is not known is `nonstandard`. Source: Bitcoin Core, Solver. */
export function classifyOutput(script: Uint8Array): Output {
  const { length } = script
  if (
    length === 25 &&
    script[0] === OP.DUP &&
    script[1] === OP.HASH160 &&
    script[2] === 20 &&
    script[23] === OP.EQUALVERIFY &&
    script[24] === OP.CHECKSIG
  ) {
    return { type: 'p2pkh', hash: script.slice(3, 23) }
  }
  if (length === 23 && script[0] === OP.HASH160 && script[1] === 20 && script[22] === OP.EQUAL) {
    return { type: 'p2sh', hash: script.slice(2, 22) }
  }
  if (script[0] === OP.RETURN) return { type: 'op_return', data: script.slice(1) }
  const known = classifyWitness(script) ?? classifyKey(script)
  if (known) return known
  const multisig = parseMultisigScript(script)
  return multisig.ok ? { type: 'multisig', ...multisig.value } : { type: 'nonstandard' }
}
