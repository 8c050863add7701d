import { namedKey } from '@kaccy/devnet'
import { sha256 } from '@noble/hashes/sha2.js'
import { createBase58check } from '@scure/base'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'

const base58check = createBase58check(sha256)
/** Published test words (BIP 39): their coins exist on test chains only. */
export const ROOT = HDKey.fromMasterSeed(
  mnemonicToSeedSync(
    'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
  ),
  { private: 0x04358394, public: 0x043587cf },
)

/** A key for everybody to know, as calls and descriptors take it. */
export interface StoryKey {
  readonly wif: string
  /** Compressed, in hex. */
  readonly point: string
}
export function storyKey(name: string): StoryKey {
  const { secret, publicKey } = namedKey(name)
  return {
    wif: base58check.encode(Uint8Array.of(0xef, ...secret, 1)),
    point: Buffer.from(publicKey).toString('hex'),
  }
}
export const [ALICE, BOB, CAROL] = ['alice', 'bob', 'carol'].map(storyKey) as [
  StoryKey,
  StoryKey,
  StoryKey,
]
/** The point of BIP 341 whose secret nobody knows, x only. */
export const NOBODY = '50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0'
