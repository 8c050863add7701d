import type { ByteWriter } from '../chain/bytes.ts'
import { OP } from './opcodes/names.ts'
import { ScriptReader } from './reader.ts'

function startsAt(script: Uint8Array, at: number, part: Uint8Array): boolean {
  if (script.length - at < part.length) return false
  for (let i = 0; i < part.length; i++) if (script[at + i] !== part[i]) return false
  return true
}

/**
 * The script without `part` wherever it begins where an opcode begins; undefined when it is nowhere. Signatures before
 * segwit were meant to leave the script that they sign this way. Source: Core's FindAndDelete.
 */
export function findAndDelete(script: Uint8Array, part: Uint8Array): Uint8Array | undefined {
  if (part.length === 0 || part.length > script.length) return undefined
  const reader = new ScriptReader(script)
  const kept: Uint8Array[] = []
  let from = 0
  let isFound = false
  do {
    const to = reader.at
    while (startsAt(script, reader.at, part)) {
      isFound = true
      reader.at += part.length
    }
    if (reader.at !== to) {
      kept.push(script.subarray(from, to))
      from = reader.at
    }
  } while (reader.next())
  if (!isFound) return undefined
  kept.push(script.subarray(from))
  const result = new Uint8Array(kept.reduce((size, piece) => size + piece.length, 0))
  let at = 0
  for (const piece of kept) {
    result.set(piece, at)
    at += piece.length
  }
  return result
}

/**
 * Writes a script code with its length, without OP_CODESEPARATOR. Behind a push that runs over the end Core writes nothing
 * more, although the length counted it; such a script never gets as far as a signature that holds.
 */
export function writeWithoutSeparators(writer: ByteWriter, script: Uint8Array): void {
  const separators: number[] = []
  const reader = new ScriptReader(script)
  while (reader.next()) if (reader.opcode === OP.CODESEPARATOR) separators.push(reader.at - 1)
  writer.size(script.length - separators.length)
  let from = 0
  for (const at of separators) {
    writer.put(script.subarray(from, at))
    from = at + 1
  }
  writer.put(script.subarray(from, reader.at))
}
