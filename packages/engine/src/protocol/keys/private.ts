import { HDKey } from '@scure/bip32'
import { assert, ok, type Refusal, type Result, refuse, Secret } from '../../kernel/index.ts'
import type { ExtendedPrivateKey } from './extended.ts'
import { HARDENED, type KeyPath, MAX_DEPTH } from './path.ts'
import { type KeyNetwork, plainVersion } from './version.ts'

/** Walks any path below a private key. For test signers and for reading descriptors that hold private keys. */
export function derivePrivate(
  key: ExtendedPrivateKey,
  path: KeyPath,
): Result<ExtendedPrivateKey, Refusal<'KEY_PATH'>> {
  if (key.depth + path.length > MAX_DEPTH)
    return refuse('KEY_PATH', 'the path goes below depth 255', { param: 'path' })
  if (!path.every((index) => Number.isInteger(index) && index >= 0 && index < 2 * HARDENED)) {
    return refuse('KEY_PATH', 'a child number is not within 0 to 4294967295', { param: 'path' })
  }
  let node = new HDKey({
    depth: key.depth,
    index: key.index,
    parentFingerprint: Number.parseInt(key.parentFingerprint, 16),
    chainCode: key.chainCode,
    privateKey: key.privateKey.reveal(),
  })
  for (const index of path) node = node.deriveChild(index)
  return ok(fromNode(node, key))
}

function fromNode(
  node: HDKey,
  { version }: Pick<ExtendedPrivateKey, 'version'>,
): ExtendedPrivateKey {
  const { chainCode, publicKey, privateKey } = node
  assert(chainCode && publicKey && privateKey, 'a derived key lacks a part')
  const parentFingerprint = node.parentFingerprint.toString(16).padStart(8, '0')
  return {
    version,
    depth: node.depth,
    parentFingerprint,
    index: node.index,
    chainCode: chainCode.slice(),
    publicKey: publicKey.slice(),
    privateKey: new Secret(privateKey.slice()),
  }
}

/** The master key of a seed of 16 to 64 bytes. For test signers. Source: BIP 32. */
export function masterFromSeed(
  seed: Uint8Array,
  network: KeyNetwork,
): Result<ExtendedPrivateKey, Refusal<'KEY_MALFORMED'>> {
  if (seed.length < 16 || seed.length > 64) {
    return refuse('KEY_MALFORMED', `a seed has 16 to 64 bytes, not ${seed.length}`, {
      param: 'seed',
    })
  }
  return ok(fromNode(HDKey.fromMasterSeed(seed), { version: plainVersion(network, true) }))
}
