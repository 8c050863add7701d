import { concatBytes } from '@noble/hashes/utils.js'
import { tryFromHex } from '../chain/bytes.ts'
import { OP, opcodeName } from './opcodes/names.ts'
import { pushData, pushNumber } from './script.ts'

const NUMBER_LIMIT = 0xffffffff

const OPCODES: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 256 }, (_, opcode) => opcode)
    .filter((opcode) => opcode >= OP.NOP || opcode === OP.RESERVED)
    .map((opcode) => [opcodeName(opcode), opcode] as const)
    .filter(([name]) => name !== 'OP_UNKNOWN')
    .flatMap(([name, opcode]) => [
      [name, opcode],
      [name.slice(3), opcode],
    ]),
)

function assembleWord(word: string): Uint8Array | undefined {
  if (/^-?\d+$/.test(word)) {
    const value = Number(word)
    return Math.abs(value) <= NUMBER_LIMIT ? pushNumber(value === 0 ? 0 : value) : undefined
  }
  if (/^0x./.test(word)) return tryFromHex(word.slice(2))
  if (/^'.*'$/.test(word)) return pushData(new TextEncoder().encode(word.slice(1, -1)))
  const opcode = OPCODES.get(word)
  return opcode === undefined ? undefined : Uint8Array.of(opcode)
}

/**
 * Script bytes of the text in Core's script tests: `DUP`, `OP_DUP`, numbers, `'text'` as pushes, and `0x` for bytes that
 * are put in as they stand. Undefined when a word is not understood. Source: Core's ParseScript, which does not know
 * CHECKSIGADD.
 */
export function assembleScript(text: string): Uint8Array | undefined {
  const parts = text
    .split(/[ \t\n]+/)
    .filter((word) => word !== '')
    .map(assembleWord)
  return parts.every((part) => part !== undefined) ? concatBytes(...parts) : undefined
}
