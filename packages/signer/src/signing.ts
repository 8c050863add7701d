import type { HDKey } from '@scure/bip32'
import type { Wallet } from './bitcoin/descriptor.ts'
import { printPath } from './bitcoin/descriptor.ts'
import { sighashOf } from './bitcoin/sighash.ts'
import { signEcdsa, signSchnorr, taprootSecret } from './bitcoin/signature.ts'
import { equal } from './bytes.ts'
import { ecdsaHash, type OwnInput } from './check/inputs.ts'
import { SignerBug } from './failure.ts'
import { IN, type Pair, type Psbt } from './psbt/psbt.ts'

/** A key of the wallet that is here: its place in the descriptor, and the private form of its extended key. */
export interface SigningKey {
  readonly at: number
  readonly extended: HDKey
}

/** The private form of a key of the descriptor. */
export function signingKey(wallet: Wallet, at: number, master: HDKey): SigningKey {
  const path = wallet.keys[at]?.path ?? []
  const extended =
    path.length === 0 ? master : master.derive(`m/${printPath(path).replaceAll('h', "'")}`)
  return { at, extended }
}

function secretAt(key: SigningKey, { branch, index, publicKeys }: OwnInput['place']): Uint8Array {
  const { privateKey, publicKey } = key.extended.deriveChild(branch).deriveChild(index)
  const expected = publicKeys[key.at]
  if (!privateKey || !publicKey || !expected || !equal(publicKey, expected)) {
    throw new SignerBug('a key that is not the one of its place')
  }
  return privateKey
}

/** `random` gives 32 fresh bytes. Signatures that are there already stay as they are. */
export function signAll(
  wallet: Wallet,
  psbt: Psbt,
  own: readonly OwnInput[],
  keys: readonly SigningKey[],
  random: () => Uint8Array,
): Psbt {
  const hashes = sighashOf(
    psbt.tx,
    own.map(({ coin }) => coin),
  )
  const inputs = psbt.inputs.map((map, i) => {
    const input = own[i] as OwnInput
    const { place, sighashType } = input
    const added = keys.flatMap((key): Pair[] => {
      if (wallet.kind === 'tr') {
        if (map.some(({ type }) => type === IN.tapKeySig)) return []
        const secret = taprootSecret(secretAt(key, place))
        const hash = hashes.taproot(i, sighashType)
        const value = signSchnorr(hash, secret, sighashType, random())
        return [{ type: IN.tapKeySig, keyData: new Uint8Array(), value }]
      }
      const keyData = place.publicKeys[key.at] as Uint8Array
      if (map.some((pair) => pair.type === IN.partialSig && equal(pair.keyData, keyData))) return []
      const value = signEcdsa(ecdsaHash(wallet, hashes, i, place), secretAt(key, place))
      return [{ type: IN.partialSig, keyData, value }]
    })
    return [...map, ...added]
  })
  return { ...psbt, inputs }
}
