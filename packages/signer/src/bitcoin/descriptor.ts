import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { fromHex, toHex } from '../bytes.ts'
import { SignerBug, SignerFailure } from '../failure.ts'
import { checksumOf } from './checksum.ts'
import { p2pkh, p2sh, p2tr, p2wpkh, p2wsh, sortedMultisig } from './script.ts'

export type Kind = 'pkh' | 'wpkh' | 'sh(wpkh)' | 'tr' | 'wsh(sortedmulti)' | 'sh(wsh(sortedmulti))'
export type NetworkFamily = 'main' | 'test'

/** One key of a wallet: `[fingerprint/path]xpub/<0;1>/*`. */
export interface WalletKey {
  /** Eight hex digits of the master key; of the key itself where the descriptor names no origin. */
  readonly fingerprint: string
  /** From the master key to the extended key, the hardened bit included. */
  readonly path: readonly number[]
  /** Its children 0 (receive) and 1 (change), whose children are the keys of scripts. */
  readonly branches: readonly [HDKey, HDKey]
  /** The 78 bytes of the extended key, as a PSBT carries them. */
  readonly serialized: Uint8Array
}
export interface Wallet {
  readonly kind: Kind
  readonly threshold: number
  readonly keys: readonly WalletKey[]
  readonly family: NetworkFamily
  /** Canonical text with checksum. */
  readonly descriptor: string
  readonly checksum: string
}

const KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['wsh(sortedmulti)', /^wsh\(sortedmulti\((\d+),(.+)\)\)$/],
  ['sh(wsh(sortedmulti))', /^sh\(wsh\(sortedmulti\((\d+),(.+)\)\)\)$/],
  ['sh(wpkh)', /^sh\(wpkh\(()([^()]+)\)\)$/],
  ['wpkh', /^wpkh\(()([^()]+)\)$/],
  ['pkh', /^pkh\(()([^()]+)\)$/],
  ['tr', /^tr\(()([^(),]+)\)$/],
]
const KEY =
  /^(?:\[([0-9a-fA-F]{8})((?:\/\d{1,10}['h]?)*)\])?([xt]pub[1-9A-HJ-NP-Za-km-z]+)\/<0;1>\/\*$/
const VERSIONS = {
  main: { public: 0x0488b21e, private: 0x0488ade4 },
  test: { public: 0x043587cf, private: 0x04358394 },
} as const
export const HARDENED = 0x8000_0000

const no = (reason: string) => new SignerFailure(`the descriptor ${reason}`)

function parseStep(step: string): number {
  const number = Number(step.replace(/['h]$/, ''))
  if (number >= HARDENED) throw no(`has the step ${step}, which is too large`)
  return /['h]$/.test(step) ? number + HARDENED : number
}
export const printPath = (path: readonly number[]): string =>
  path.map((step) => (step >= HARDENED ? `${step - HARDENED}h` : `${step}`)).join('/')

/** The versions of a family's extended keys. */
export const versionsOf = (family: NetworkFamily) => VERSIONS[family]

function serialize(key: HDKey, family: NetworkFamily): Uint8Array {
  if (!key.chainCode || !key.publicKey) throw new SignerBug('an extended key without a public part')
  const bytes = new Uint8Array(78)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, VERSIONS[family].public)
  view.setUint8(4, key.depth)
  view.setUint32(5, key.parentFingerprint)
  view.setUint32(9, key.index)
  bytes.set(key.chainCode, 13)
  bytes.set(key.publicKey, 45)
  return bytes
}

const fingerprintOf = (key: HDKey): string => key.fingerprint.toString(16).padStart(8, '0')

function parseKey(text: string): { key: WalletKey; family: NetworkFamily } {
  const match = KEY.exec(text)
  if (!match) throw no('needs [origin]xpub/<0;1>/* for every key, and no private key')
  const [, fingerprint, origin = '', xpub = ''] = match
  const family = xpub.startsWith('x') ? 'main' : 'test'
  let extended: HDKey
  try {
    extended = HDKey.fromExtendedKey(xpub, VERSIONS[family])
  } catch {
    throw no('has an extended key that cannot be read')
  }
  const path = origin.split('/').filter(Boolean).map(parseStep)
  const named = fingerprint?.toLowerCase() ?? fingerprintOf(extended)
  const serialized = serialize(extended, family)
  const branches = [extended.deriveChild(0), extended.deriveChild(1)] as const
  return { key: { fingerprint: named, path, branches, serialized }, family }
}

const printKey = (text: string): string =>
  text.replace(/^\[[^\]]*\]/, (origin) => origin.toLowerCase().replaceAll("'", 'h'))

/**
 * Reads a descriptor of one of the kinds that are signed here. A checksum that is there has to fit.
 * @throws SignerFailure with the reason.
 */
export function parseDescriptor(text: string): Wallet {
  const [body = '', given, ...rest] = text.trim().split('#')
  if (rest.length > 0 || (given !== undefined && given !== checksumOf(body))) {
    throw no('does not fit its checksum: a character is wrong')
  }
  for (const [kind, form] of KINDS) {
    const match = form.exec(body)
    if (!match) continue
    const texts = (match[2] ?? '').split(',')
    const parsed = texts.map(parseKey)
    const threshold = match[1] ? Number(match[1]) : 1
    if (threshold < 1 || threshold > parsed.length || parsed.length > 20) {
      throw no(`asks for ${threshold} of ${parsed.length} keys`)
    }
    const [first] = parsed
    if (!first || parsed.some(({ family }) => family !== first.family)) {
      throw no('has keys of different networks')
    }
    const keys = parsed.map(({ key }) => key)
    if (new Set(keys.map(({ serialized }) => toHex(serialized.subarray(45)))).size < keys.length) {
      throw no('has a key twice')
    }
    const canonical = body.slice(0, body.indexOf(texts[0] ?? '')) + texts.map(printKey).join(',')
    const closed = canonical + ')'.repeat(canonical.split('(').length - 1)
    const checksum = checksumOf(closed)
    return {
      kind,
      threshold,
      keys,
      family: first.family,
      descriptor: `${closed}#${checksum}`,
      checksum,
    }
  }
  throw no('is of no kind that is signed here')
}

/** What one place of a wallet is made of. */
export interface Place {
  readonly branch: number
  readonly index: number
  /** Compressed, in the order of the descriptor. */
  readonly publicKeys: readonly Uint8Array[]
  readonly script: Uint8Array
  readonly redeemScript?: Uint8Array
  readonly witnessScript?: Uint8Array
}

const { Point } = secp256k1

/** The output key of an internal key without scripts. Source: BIP 341, BIP 86. */
export function taprootKey(publicKey: Uint8Array): Uint8Array {
  const x = publicKey.subarray(1)
  const tweak = BigInt(`0x${toHex(schnorr.utils.taggedHash('TapTweak', x))}`)
  const even = Point.fromBytes(fromHex(`02${toHex(x)}`))
  return even
    .add(Point.BASE.multiply(Point.Fn.create(tweak)))
    .toBytes(true)
    .subarray(1)
}

/** Derives branch 0 (receive) or 1 (change) at an index below 2^31. */
export function placeOf(wallet: Wallet, branch: 0 | 1, index: number): Place {
  const publicKeys = wallet.keys.map(({ branches }) => {
    const { publicKey } = branches[branch].deriveChild(index)
    if (!publicKey) throw new SignerBug('a derived key without its public part')
    return publicKey
  })
  const [key = new Uint8Array()] = publicKeys
  const place = { branch, index, publicKeys }
  switch (wallet.kind) {
    case 'pkh':
      return { ...place, script: p2pkh(key) }
    case 'wpkh':
      return { ...place, script: p2wpkh(key) }
    case 'sh(wpkh)':
      return { ...place, script: p2sh(p2wpkh(key)), redeemScript: p2wpkh(key) }
    case 'tr':
      return { ...place, script: p2tr(taprootKey(key)) }
    case 'wsh(sortedmulti)': {
      const witnessScript = sortedMultisig(wallet.threshold, publicKeys)
      return { ...place, script: p2wsh(witnessScript), witnessScript }
    }
    case 'sh(wsh(sortedmulti))': {
      const witnessScript = sortedMultisig(wallet.threshold, publicKeys)
      const redeemScript = p2wsh(witnessScript)
      return { ...place, script: p2sh(redeemScript), redeemScript, witnessScript }
    }
  }
}
