import { assert } from '@kaccy/bitcoin/kernel'
import type { VersionRecord } from '@kaccy/bitcoin/spending'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { Transaction as Signable } from '@scure/btc-signer'

/** Somebody who is not us: addresses that nobody has keys of. */
export const recipient = (n: number): Uint8Array =>
  Uint8Array.of(0, 20, ...new Uint8Array(19).fill(9), n)
const TPUB = { private: 0x04358394, public: 0x043587cf }
/** Published test words (BIP 39): their coins exist on test chains only. */
const ROOT = HDKey.fromMasterSeed(
  mnemonicToSeedSync(
    'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
  ),
  TPUB,
)
export type Kind = 'p2wpkh' | 'p2tr' | 'p2pkh' | 'p2sh-p2wpkh'
const PURPOSE = { p2wpkh: 84, p2tr: 86, p2pkh: 44, 'p2sh-p2wpkh': 49 } as const
const UNKNOWN = { allowUnknownOutputs: true } as const

/** The private keys of a wallet, and what whoever holds them can do. */
export class Keys {
  readonly kind: Kind
  readonly account: HDKey
  constructor(kind: Kind) {
    this.kind = kind
    this.account = ROOT.derive(`m/${PURPOSE[kind]}'/1'/0'`)
  }
  #signAll(signable: Signable, { transaction }: VersionRecord): Signable {
    for (const [i, { branch, index }] of transaction.inputs.entries()) {
      const key = this.account.derive(`m/${branch}/${index}`).privateKey
      assert(key, 'a private key')
      signable.signIdx(key, i)
    }
    return signable
  }
  #open(version: VersionRecord): Signable {
    return this.#signAll(Signable.fromPSBT(version.psbt, UNKNOWN), version)
  }
  /** The PSBT with our signatures. */
  sign(version: VersionRecord): Uint8Array {
    return this.#open(version).toPSBT()
  }
  /** Final bytes. */
  finish(version: VersionRecord): Uint8Array {
    const signed = this.#open(version)
    signed.finalize()
    return signed.extract()
  }
  /** Another transaction with the coins of a version, by a thief; not sent. */
  rival(version: VersionRecord, fee = 50_000n): { readonly raw: string; readonly txid: string } {
    const signable = new Signable(UNKNOWN)
    let total = 0n
    for (const { txid, vout, amount, script } of version.transaction.inputs) {
      total += amount
      const witnessUtxo = { amount, script }
      signable.addInput({ txid, index: vout, witnessUtxo, sequence: 0xfffffffd })
    }
    signable.addOutput({ script: recipient(255), amount: total - fee })
    this.#signAll(signable, version).finalize()
    return { raw: signable.hex, txid: signable.id }
  }
}
