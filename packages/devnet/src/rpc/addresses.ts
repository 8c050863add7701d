import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { base58, createBase58check } from '@scure/base'
import { addressOf, scriptOf } from '../chain/address.ts'
import { decodeBech32, locateErrors } from '../chain/bech32errors.ts'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import { withChecksum } from '../descriptor/checksum.ts'
import { classifyScript, hash160, pushData } from '../script/script.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { int32Argument, type Method, method, textArgument } from './method.ts'

const PREFIX = 'bcrt'
const base58check = createBase58check(sha256)
const P2PKH = 0x6f
const P2SH = 0xc4

interface AddressFault {
  readonly message: string
  readonly locations: readonly number[]
}
const only = (message: string): AddressFault => ({ message, locations: [] })

function base58Fault(text: string): AddressFault {
  try {
    const { length, 0: version } = base58check.decode(text)
    // Core reads at most 21 bytes: what is longer has no checksum for it.
    if (length > 21) return only('Invalid checksum or length of Base58 address (P2PKH or P2SH)')
    return version === P2PKH || version === P2SH
      ? only('Invalid length for Base58 address (P2PKH or P2SH)')
      : only('Invalid or unsupported Base58-encoded address.')
  } catch {
    // Not base58 with a checksum: perhaps base58 without.
  }
  try {
    if (base58.decode(text.trim()).length <= 100) {
      return only('Invalid checksum or length of Base58 address (P2PKH or P2SH)')
    }
  } catch {
    // Not base58 at all.
  }
  return only('Invalid or unsupported Segwit (Bech32) or Base58 encoding.')
}
/** Symbols of 5 bits as bytes; undefined when what is left over is no padding. */
function toBytes(values: readonly number[]): readonly number[] | undefined {
  const bytes: number[] = []
  let open = 0
  let bits = 0
  for (const value of values) {
    open = ((open << 5) | value) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((open >> bits) & 255)
  }
  const rest = (open << (8 - bits)) & 255
  return bits >= 5 || rest !== 0 ? undefined : bytes
}
function segwitFault(text: string): AddressFault {
  const decoded = decodeBech32(text)
  if (!decoded) return locateErrors(text)
  const [version, ...symbols] = decoded.values
  if (version === undefined) return only('Empty Bech32 data section')
  if (decoded.prefix !== PREFIX) {
    const detail = `(expected ${PREFIX}, got ${decoded.prefix})`
    return only(`Invalid or unsupported prefix for Segwit (Bech32) address ${detail}.`)
  }
  if (version === 0 && decoded.modern) {
    return only('Version 0 witness address must use Bech32 checksum')
  }
  if (version !== 0 && !decoded.modern) {
    return only('Version 1+ witness address must use Bech32m checksum')
  }
  const bytes = toBytes(symbols)
  if (!bytes) return only('Invalid padding in Bech32 data section')
  const size = `${bytes.length} ${bytes.length === 1 ? 'byte' : 'bytes'}`
  if (version === 0) {
    return only(`Invalid Bech32 v0 address program size (${size}), per BIP141`)
  }
  if (version > 16) return only('Invalid Bech32 address witness version')
  return only(`Invalid Bech32 address program size (${size})`)
}
/** Why a text is no regtest address, in Core's words. */
function faultOf(text: string): AddressFault {
  const isSegwit = text.slice(0, PREFIX.length).toLowerCase() === PREFIX
  return isSegwit ? segwitFault(text) : base58Fault(text)
}

/** Why a text is no regtest address, in Core's words. */
export const addressFault = (text: string): string => faultOf(text).message

function validateAddress([value]: readonly unknown[]): Json {
  const text = String(value)
  const script = scriptOf(text)
  if (!script) {
    const { message, locations } = faultOf(text)
    return { isvalid: false, error_locations: locations, error: message }
  }
  const form = classifyScript(script)
  const witness = form.version >= 0
  // Of programs that have no meaning yet, Core does not say whether they are scripts.
  const isScript = form.kind !== 'pubkeyhash' && form.kind !== 'witness_v0_keyhash'
  const details = witness && form.kind !== 'anchor'
  return {
    isvalid: true,
    address: addressOf(script, form) ?? text,
    scriptPubKey: toHex(script),
    isscript: form.kind === 'witness_unknown' ? undefined : isScript,
    iswitness: witness,
    witness_version: details ? form.version : undefined,
    witness_program: details ? toHex(form.data) : undefined,
  }
}

const MAX_KEYS = 20
const MAX_ELEMENT = 520
function keyArgument(value: unknown): Uint8Array {
  const text = textArgument(value)
  const bytes = text === '' ? undefined : tryFromHex(text)
  const refuse = (fault: string) => rpcError('invalidAddressOrKey', `Pubkey "${text}" ${fault}`)
  if (!bytes) throw refuse('must be a hex string')
  if (bytes.length !== 33 && bytes.length !== 65) {
    throw refuse('must have a length of either 33 or 65 bytes')
  }
  try {
    secp256k1.Point.fromBytes(bytes).assertValidity()
    return bytes
  } catch {
    throw refuse('must be cryptographically valid.')
  }
}
const TYPES = ['legacy', 'p2sh-segwit', 'bech32', 'bech32m'] as const
type AddressType = (typeof TYPES)[number]
function typeArgument(value: unknown): AddressType {
  if (value === undefined) return 'legacy'
  const type = TYPES.find((known) => known === value)
  if (!type) throw rpcError('invalidAddressOrKey', `Unknown address type '${value}'`)
  if (type !== 'bech32m') return type
  const fault = 'createmultisig cannot create bech32m multisig addresses'
  throw rpcError('invalidAddressOrKey', fault)
}
const joined = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]))
const number = (value: number): readonly number[] => (value <= 16 ? [0x50 + value] : [1, value])
const p2sh = (script: Uint8Array): Uint8Array => joined([0xa9, 20], hash160(script), [0x87])
const p2wsh = (script: Uint8Array): Uint8Array => joined([0, 32], sha256(script))

function multisigScript(required: number, keys: readonly Uint8Array[]): Uint8Array {
  const refuse = (fault: string) => rpcError('invalidParameter', fault)
  if (required < 1) {
    throw refuse('a multisignature address must require at least one key to redeem')
  }
  if (keys.length < required) {
    const counts = `(got ${keys.length} keys, but need at least ${required} to redeem)`
    throw refuse(`not enough keys supplied ${counts}`)
  }
  if (keys.length > MAX_KEYS) {
    const fault = 'Number of keys involved in the multisignature address creation >'
    throw refuse(`${fault} ${MAX_KEYS}\nReduce the number`)
  }
  return joined(number(required), ...keys.map(pushData), number(keys.length), [0xae])
}
function createMultisig(args: readonly unknown[]): Json {
  const required = int32Argument(args[0])
  const keys = (args[1] as readonly unknown[]).map(keyArgument)
  const asked = typeArgument(args[2])
  const script = multisigScript(required, keys)
  const type = keys.some((key) => key.length === 65) ? 'legacy' : asked
  if (type === 'legacy' && script.length > MAX_ELEMENT) {
    const fault = `redeemScript exceeds size limit: ${script.length} > ${MAX_ELEMENT}`
    throw rpcError('invalidParameter', fault)
  }
  const body = `multi(${[required, ...keys.map(toHex)].join(',')})`
  const [output, descriptor] =
    type === 'legacy'
      ? [p2sh(script), `sh(${body})`]
      : type === 'bech32'
        ? [p2wsh(script), `wsh(${body})`]
        : [p2sh(p2wsh(script)), `sh(wsh(${body}))`]
  const warning =
    'Unable to make chosen address type, please ensure no uncompressed public keys are present.'
  return {
    address: addressOf(output),
    redeemScript: toHex(script),
    descriptor: withChecksum(descriptor),
    warnings: type === asked ? undefined : [warning],
  }
}

export const addressMethods: readonly Method[] = [
  method('validateaddress', ['address:string'], (_, args) => validateAddress(args)),
  method('createmultisig', ['nrequired:number', 'keys:array', 'address_type:string?'], (_, args) =>
    createMultisig(args),
  ),
]
