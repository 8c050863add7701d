import { secp256k1 } from '@noble/curves/secp256k1.js'
import { assert, ok, type Refusal, type Result, refuse, Secret } from '../../kernel/index.ts'
import { decodeBase58Check, encodeBase58Check } from '../address/index.ts'
import type { KeyNetwork } from './version.ts'

/** A single private key in wallet import format. */
export interface WifKey {
  readonly network: KeyNetwork
  /** Whether its public key is written with 33 bytes (true) or 65. */
  readonly isCompressed: boolean
  readonly privateKey: Secret<Uint8Array>
  /** 33 or 65 bytes, as `isCompressed` says. */
  readonly publicKey: Uint8Array
}
const VERSIONS: Readonly<Record<KeyNetwork, number>> = { main: 0x80, test: 0xef }
const COMPRESSED_FLAG = 1

/** Reads a WIF key. The refusal never repeats the text. */
export function parseWif(
  text: string,
): Result<WifKey, Refusal<'KEY_MALFORMED' | 'KEY_CHECKSUM' | 'KEY_VERSION' | 'KEY_OFF_CURVE'>> {
  const decoded = decodeBase58Check(text)
  if (!decoded.ok) {
    const code = decoded.error.code === 'ADDRESS_CHECKSUM' ? 'KEY_CHECKSUM' : 'KEY_MALFORMED'
    return refuse(code, `the private key cannot be read: ${decoded.error.message}`, {
      param: 'key',
    })
  }
  const bytes = decoded.value
  const isCompressed = bytes.length === 34
  if (!isCompressed && bytes.length !== 33) {
    return refuse('KEY_MALFORMED', `a private key has 33 or 34 bytes, not ${bytes.length}`, {
      param: 'key',
    })
  }
  if (isCompressed && bytes[33] !== COMPRESSED_FLAG) {
    return refuse('KEY_MALFORMED', 'the private key ends with a wrong compression flag', {
      param: 'key',
    })
  }
  const network =
    bytes[0] === VERSIONS.main ? 'main' : bytes[0] === VERSIONS.test ? 'test' : undefined
  if (!network)
    return refuse('KEY_VERSION', 'the private key has the prefix of another coin', { param: 'key' })
  const secret = bytes.slice(1, 33)
  if (!secp256k1.utils.isValidSecretKey(secret)) {
    return refuse('KEY_OFF_CURVE', 'the private key is outside 1 to n - 1', { param: 'key' })
  }
  const publicKey = secp256k1.getPublicKey(secret, isCompressed)
  return ok({ network, isCompressed, privateKey: new Secret(secret), publicKey })
}

/** The text of a WIF key, wrapped. For test signers. @throws AssertionError for a key outside 1 to n - 1. */
export function printWif(
  key: Pick<WifKey, 'network' | 'isCompressed' | 'privateKey'>,
): Secret<string> {
  assert(secp256k1.utils.isValidSecretKey(key.privateKey.reveal()), 'not a private key')
  const flag = key.isCompressed ? [COMPRESSED_FLAG] : []
  return new Secret(
    encodeBase58Check(Uint8Array.of(VERSIONS[key.network], ...key.privateKey.reveal(), ...flag)),
  )
}
