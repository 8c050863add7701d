import { fromHex } from '@kaccy/bitcoin/kernel'
import { encodePush, joinBytes, OP } from '@kaccy/bitcoin/protocol/script'
import { OP as EVERY } from '@kaccy/devnet/script'

/** The opcodes that vector files write as words. */
const NAMES: ReadonlyMap<string, number> = new Map<string, number>([
  ...Object.entries(EVERY).map(([name, code]) => [`OP_${name.replace(/^OP_/, '')}`, code] as const),
  ['OP_TRUE', OP.OP_1],
  ['OP_FALSE', OP.OP_0],
])

function assembleWord(word: string): Uint8Array {
  const number = /^OP_(\d{1,2})$/.exec(word)?.[1]
  if (number !== undefined && Number(number) <= 16) {
    return Uint8Array.of(number === '0' ? OP.OP_0 : OP.OP_1 - 1 + Number(number))
  }
  const opcode = NAMES.get(word)
  return opcode === undefined ? encodePush(fromHex(word)) : Uint8Array.of(opcode)
}

/** Script bytes of the words that bitcoinjs writes: opcodes by name, pushes in hex. */
export const assemble = (text: string): Uint8Array =>
  joinBytes(
    ...text
      .split(' ')
      .filter((word) => word !== '')
      .map(assembleWord),
  )
