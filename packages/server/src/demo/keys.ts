import {
  derivePrivate,
  fingerprintOf,
  HARDENED,
  masterFromSeed,
  printExtendedPublicKey,
  publicKeyOf,
} from '@kaccy/bitcoin/protocol/keys'
import { seedFromMnemonic } from '@kaccy/bitcoin/protocol/keys/mnemonic'
import { orThrow } from '../failure.ts'

/** The test words of BIP 39 that everybody knows: nothing that is worth something may ever belong to them. */
export const DEMO_WORDS =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about'
const PURPOSE = 84
const TEST_COIN = 1

/** A descriptor of public keys, as a hardware wallet would show it. The private part stays in this function. */
export function demoDescriptor(): string {
  const seed = orThrow(seedFromMnemonic(DEMO_WORDS))
  const master = orThrow(masterFromSeed(seed.reveal(), 'test'))
  const path = [HARDENED + PURPOSE, HARDENED + TEST_COIN, HARDENED]
  const account = publicKeyOf(orThrow(derivePrivate(master, path)))
  const origin = `${fingerprintOf(master.publicKey)}/${PURPOSE}h/${TEST_COIN}h/0h`
  return `wpkh([${origin}]${printExtendedPublicKey(account)}/<0;1>/*)`
}
