import type { Signer, SigningAnswer, SigningRequest } from '@kaccy/bitcoin/signing'
import type { HDKey } from '@scure/bip32'
import { Transaction } from '@scure/btc-signer'

/**
 * Keys in the process of a test, without any policy: signs whatever belongs to its root. ECDSA signatures are ground to a low R
 * (71 bytes with the hash type), as the software signer's are.
 */
export function softSigner(root: HDKey, name = 'soft'): Signer {
  return {
    name,
    sign: async ({ bytes }: SigningRequest): Promise<SigningAnswer> => {
      const signed = signWith(root, bytes)
      return signed
        ? { answer: 'signed', bytes: signed }
        : { answer: 'refused', code: 'SIGNER_REFUSED', reason: 'no_key', detail: 'no key of mine' }
    },
  }
}

/** Undefined when no input is of this root. */
export function signWith(root: HDKey, psbt: Uint8Array): Uint8Array | undefined {
  const transaction = Transaction.fromPSBT(psbt, { lowR: true, allowUnknownOutputs: true })
  const mine = root.fingerprint
  let signed = 0
  for (let i = 0; i < transaction.inputsLength; i++) {
    const { bip32Derivation = [], tapBip32Derivation = [] } = transaction.getInput(i)
    const origins = [
      ...bip32Derivation.map(([, origin]) => origin),
      ...tapBip32Derivation.map(([, { der }]) => der),
    ]
    for (const { fingerprint, path } of origins) {
      if (fingerprint !== mine) continue
      const node = [...path].reduce((parent: HDKey, step: number) => parent.deriveChild(step), root)
      if (node.privateKey && transaction.signIdx(node.privateKey, i)) signed += 1
    }
  }
  return signed > 0 ? transaction.toPSBT() : undefined
}
