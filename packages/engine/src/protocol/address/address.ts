import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  NETWORKS,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
} from '../../kernel/index.ts'
import {
  classifyOutput,
  p2pkhScript,
  p2shScript,
  type OutputType,
  witnessScript,
} from '../script/index.ts'
import { decodeBase58Check, encodeBase58Check } from './base58.ts'
import { bytesFromWords, decodeBech32, encodeBech32, wordsFromBytes } from './bech32.ts'

/** Output types that have an address. */
export type AddressType = Exclude<OutputType, 'p2pk' | 'multisig' | 'op_return' | 'nonstandard'>
export interface Address {
  /** Canonical text: segwit addresses in lower case. */
  readonly text: string
  readonly type: AddressType
  readonly network: Network
  /** The output script that the address stands for. */
  readonly script: Uint8Array
}
type AddressRefusal = Refusal<'ADDRESS_INVALID' | 'ADDRESS_CHECKSUM' | 'ADDRESS_NETWORK'>

interface Prefixes {
  readonly keyHash: number
  readonly scriptHash: number
  readonly segwit: string
}
const TEST: Prefixes = { keyHash: 0x6f, scriptHash: 0xc4, segwit: 'tb' }
/** Core's chainparams: testnet3, testnet4 and signet cannot be told apart by an address. */
const PREFIXES: Readonly<Record<Network, Prefixes>> = {
  main: { keyHash: 0x00, scriptHash: 0x05, segwit: 'bc' },
  test: TEST,
  testnet4: TEST,
  signet: TEST,
  regtest: { ...TEST, segwit: 'bcrt' },
}
const HASH_LENGTH = 20
/** The longest segwit address is 74 characters on main; anything above this is no address of any kind. */
const MAX_LENGTH = 100

const invalid = (reason: string) =>
  refuse('ADDRESS_INVALID', `the address ${reason}`, { param: 'address' })

const foreign = (network: Network, found: readonly Network[]) =>
  refuse(
    'ADDRESS_NETWORK',
    found.length > 0
      ? `the address belongs to ${found.join(', ')}, not to ${network}`
      : `the address belongs to another chain than Bitcoin ${network}`,
    { param: 'address', details: { network, found: found.join(' ') } },
  )

const networksWhere = (fits: (prefixes: Prefixes) => boolean): Network[] =>
  NETWORKS.filter((network) => fits(PREFIXES[network]))

function parseSegwit(text: string, network: Network): Result<Address, AddressRefusal> {
  const decoded = decodeBech32(text)
  if (!decoded.ok)
    return refuse(decoded.error.code, `the address: ${decoded.error.message}`, { param: 'address' })
  const { encoding, prefix, words } = decoded.value
  const [version, ...data] = words
  if (version === undefined) return invalid('has an empty data part')
  if (version > 16) return invalid(`has witness version ${version}; the last one is 16`)
  const program = bytesFromWords(data)
  if (!program) return invalid('has wrong padding')
  if (program.length < 2 || program.length > 40) {
    return invalid(`has a witness program of ${program.length} bytes; 2 to 40 are possible`)
  }
  if (version === 0 && program.length !== 20 && program.length !== 32) {
    return invalid('has witness version 0 and a program that is neither 20 nor 32 bytes')
  }
  const expected = version === 0 ? 'bech32' : 'bech32m'
  if (encoding !== expected) {
    return refuse(
      'ADDRESS_CHECKSUM',
      `the address has a ${encoding} checksum; witness version ${version} needs ${expected}`,
      { param: 'address' },
    )
  }
  if (prefix !== PREFIXES[network].segwit) {
    return foreign(
      network,
      networksWhere((prefixes) => prefixes.segwit === prefix),
    )
  }
  const script = witnessScript(version, program)
  const type = classifyOutput(script).type as AddressType
  return ok({ text: text.toLowerCase(), type, network, script })
}

function parseBase58(text: string, network: Network): Result<Address, AddressRefusal> {
  const decoded = decodeBase58Check(text)
  if (!decoded.ok)
    return refuse(decoded.error.code, `the address: ${decoded.error.message}`, { param: 'address' })
  const payload = decoded.value
  if (payload.length !== 1 + HASH_LENGTH) {
    return invalid(`holds ${payload.length} bytes instead of ${1 + HASH_LENGTH}`)
  }
  const [version] = payload
  const hash = payload.subarray(1)
  const { keyHash, scriptHash } = PREFIXES[network]
  if (version === keyHash) return ok({ text, type: 'p2pkh', network, script: p2pkhScript(hash) })
  if (version === scriptHash) return ok({ text, type: 'p2sh', network, script: p2shScript(hash) })
  const found = networksWhere((p) => p.keyHash === version || p.scriptHash === version)
  return foreign(network, found)
}

const SEGWIT_PREFIX = /^(bc|tb|bcrt)1/i

/**
 * Reads an address of any type on `network`; future witness versions are taken (BIP 350), their type is
 * `witness_unknown`. Refuses by name: another network, a wrong checksum, Bech32 where Bech32m belongs,
 * mixed case, impossible lengths. Source: BIP 13, BIP 141, BIP 173, BIP 350.
 */
export function parseAddress(text: string, network: Network): Result<Address, AddressRefusal> {
  if (text.length === 0) return invalid('is empty')
  if (text.length > MAX_LENGTH) return invalid(`is longer than ${MAX_LENGTH} characters`)
  if (SEGWIT_PREFIX.test(text)) return parseSegwit(text, network)
  const base58 = parseBase58(text, network)
  if (base58.ok || base58.error.code === 'ADDRESS_NETWORK') return base58
  // Segwit texts of other chains (ltc1...) decode cleanly too: they deserve the better reason.
  const segwit = decodeBech32(text)
  return segwit.ok ? foreign(network, []) : base58
}

/** The address of an output script, where it has one. Source: BIP 13, BIP 141, BIP 350. */
export function addressOf(
  script: Uint8Array,
  network: Network,
): Result<string, Refusal<'ADDRESS_NONE'>> {
  const output = classifyOutput(script)
  const prefixes = PREFIXES[network]
  switch (output.type) {
    case 'p2pkh':
      return ok(encodeBase58Check(Uint8Array.of(prefixes.keyHash, ...output.hash)))
    case 'p2sh':
      return ok(encodeBase58Check(Uint8Array.of(prefixes.scriptHash, ...output.hash)))
    case 'p2wpkh':
    case 'p2wsh':
    case 'p2tr':
    case 'p2a':
    case 'witness_unknown': {
      const { version, program } = output
      const encoding = version === 0 ? 'bech32' : 'bech32m'
      const words = [version, ...wordsFromBytes(program)]
      const text = encodeBech32({ encoding, prefix: prefixes.segwit, words })
      return text.ok ? text : refuse('ADDRESS_NONE', text.error.message)
    }
    case 'p2pk':
    case 'multisig':
    case 'op_return':
    case 'nonstandard':
      return refuse('ADDRESS_NONE', `a script of type ${output.type} has no address`, {
        details: { type: output.type },
      })
  }
}

/**
 * Refuses addresses that are well formed but swallow money: a Taproot key that is no point of the curve
 * cannot be spent by anybody, an unknown witness version or the anchor script by everybody.
 * Source: BIP 141, BIP 341, BIP 433.
 */
export function checkDestination(
  address: Address,
): Result<Address, Refusal<'ADDRESS_UNSPENDABLE'>> {
  const no = (reason: string) =>
    refuse('ADDRESS_UNSPENDABLE', `the address ${reason}`, {
      param: 'address',
      details: { type: address.type },
    })
  if (address.type === 'witness_unknown')
    return no('has a witness version that nobody can protect yet')
  if (address.type === 'p2a') return no('is an anchor that anybody can spend')
  if (address.type === 'p2tr' && !isXOnlyKey(address.script.subarray(2))) {
    return no('holds a Taproot key that does not exist; the money could never be spent')
  }
  return ok(address)
}

function isXOnlyKey(bytes: Uint8Array): boolean {
  try {
    secp256k1.Point.fromBytes(Uint8Array.of(2, ...bytes))
    return true
  } catch {
    return false
  }
}
