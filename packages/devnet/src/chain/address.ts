import { sha256 } from '@noble/hashes/sha2.js'
import { bech32, bech32m, createBase58check } from '@scure/base'
import { classifyScript, type ScriptForm } from '../script/script.ts'

const base58check = createBase58check(sha256)
const PREFIX = 'bcrt'
const P2PKH = 0x6f
const P2SH = 0xc4

const join = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]))

/** The regtest address of an output script; undefined for scripts that have none. */
export function addressOf(script: Uint8Array, form: ScriptForm = classifyScript(script)) {
  switch (form.kind) {
    case 'pubkeyhash':
      return base58check.encode(join([P2PKH], form.data))
    case 'scripthash':
      return base58check.encode(join([P2SH], form.data))
    case 'witness_v0_keyhash':
    case 'witness_v0_scripthash':
      return bech32.encode(PREFIX, [0, ...bech32.toWords(form.data)])
    case 'anchor':
    case 'witness_v1_taproot':
    case 'witness_unknown':
      return bech32m.encode(PREFIX, [form.version, ...bech32m.toWords(form.data)])
    default:
      return undefined
  }
}

function segwitScript(address: string): Uint8Array | undefined {
  for (const codec of [bech32, bech32m]) {
    const decoded = codec.decodeUnsafe(address)
    if (decoded?.prefix !== PREFIX) continue
    const [version = 0, ...words] = decoded.words
    if ((version === 0) !== (codec === bech32) || version > 16) return undefined
    const program = codec.fromWordsUnsafe(words)
    if (!program || program.length < 2 || program.length > 40) return undefined
    if (version === 0 && program.length !== 20 && program.length !== 32) return undefined
    return join([version === 0 ? 0 : 0x50 + version, program.length], program)
  }
  return undefined
}
function base58Script(address: string): Uint8Array | undefined {
  try {
    const bytes = base58check.decode(address)
    if (bytes.length !== 21) return undefined
    const hash = bytes.subarray(1)
    if (bytes[0] === P2PKH) return join([0x76, 0xa9, 20], hash, [0x88, 0xac])
    return bytes[0] === P2SH ? join([0xa9, 20], hash, [0x87]) : undefined
  } catch {
    return undefined
  }
}
/** The output script of a regtest address; undefined when the text is none. */
export const scriptOf = (address: string): Uint8Array | undefined =>
  segwitScript(address) ?? base58Script(address)
