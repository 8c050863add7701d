import { secp256k1 } from '@noble/curves/secp256k1.js'
import { addressOf } from '../chain/address.ts'
import { toHex } from '../chain/bytes.ts'
import { classifyScript, parseScript } from '../script/script.ts'
import { withChecksum } from './checksum.ts'

// A thousand outputs of one test often share a few scripts, and the checksum is the dearest part of a verbose block.
const inferred = new Map<string, string>()
/** The descriptor that Core prints beside an output script. */
export function inferDescriptor(script: Uint8Array): string {
  const hex = toHex(script)
  const known = inferred.get(hex)
  if (known !== undefined) return known
  const text = withChecksum(describe(script, hex))
  if (inferred.size > 10_000) inferred.clear()
  inferred.set(hex, text)
  return text
}
/** Half of all 32 bytes are no x coordinate: such an output is an address and no key. */
function isKey(x: Uint8Array): boolean {
  try {
    secp256k1.Point.fromBytes(Uint8Array.of(2, ...x)).assertValidity()
    return true
  } catch {
    return false
  }
}
function describe(script: Uint8Array, hex: string): string {
  const form = classifyScript(script)
  if (form.kind === 'witness_v1_taproot' && isKey(form.data)) return `rawtr(${toHex(form.data)})`
  if (form.kind === 'pubkey') return `pk(${toHex(form.data)})`
  if (form.kind === 'multisig') {
    const pieces = parseScript(script) ?? []
    const keys = pieces.slice(1, -2).map((piece) => toHex(piece.data ?? new Uint8Array()))
    return `multi(${(pieces[0]?.opcode ?? 0x50) - 0x50},${keys.join(',')})`
  }
  const address = addressOf(script, form)
  return address === undefined ? `raw(${hex})` : `addr(${address})`
}
