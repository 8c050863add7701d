/** What the topics psbt and hardware share: reading a PSBT of a vector and looking at it as a careful signer does. */
import { equalBytes, toHex } from '@kaccy/bitcoin/kernel'
import {
  type ExtendedPrivateKey,
  isPrivateKey,
  parseExtendedKey,
  parseWif,
} from '@kaccy/bitcoin/protocol/keys'
import {
  combinePsbts,
  encodePsbt,
  encodePsbtText,
  type Psbt,
  type PsbtPair,
  parsePsbt,
  parsePsbtText,
  Verifier,
} from '@kaccy/bitcoin/protocol/psbt'
import { differs, must, refused, type Verdict } from './cases.ts'

export const psbtOf = (text: string): Psbt => must(parsePsbtText(text))

/** bitcoinjs-lib writes one map too many for a transaction without outputs; no BIP has it, and nobody else reads it. */
export function withoutSpareMap(text: string): string {
  const bytes = Buffer.from(text, 'base64')
  const isOne = !parsePsbtText(text).ok && parsePsbt(bytes.subarray(0, -1)).ok
  return isOne ? bytes.subarray(0, -1).toString('base64') : text
}

/** Read, written byte for byte, and the same in the other version. */
export function checkValid(base64: string, hex?: string): Verdict {
  const psbt = psbtOf(base64)
  const bytes = encodePsbt(psbt)
  const verdict = differs({
    base64: [encodePsbtText(psbt), base64],
    ...(hex === undefined ? {} : { hex: [toHex(bytes), hex] }),
  })
  if (verdict !== undefined) return verdict
  // Fields that only version 2 knows are unknown to version 0 with more in their key, and wrong in version 2.
  const isNewer = ({ type }: PsbtPair) => psbt.version === 0 && type >= 0x0e && type <= 0x12
  if (psbt.inputs.some(({ kept }) => kept.some(isNewer))) return undefined
  const again = must(parsePsbt(encodePsbt(psbt, 2)))
  const isSame = equalBytes(encodePsbt(tidy(again), 0), encodePsbt(tidy(psbt), 0))
  return isSame ? undefined : 'another PSBT comes out of version 2'
}
/** In the order of our own. */
const tidy = (psbt: Psbt): Psbt => must(combinePsbts(psbt, psbt))

export const checkInvalid = (base64: string): Verdict => refused(parsePsbtText(base64))

/** Why a careful signer does not sign an input; undefined when it would. */
export function signerFault(psbt: Psbt, index: number): string | undefined {
  const verifier = new Verifier(psbt)
  const spendable = verifier.spendable(index)
  if ('reason' in spendable) return spendable.reason
  const { sighash } = psbt.inputs[index] ?? {}
  const fault =
    sighash === undefined ? undefined : verifier.hashTypeFault(index, spendable.rule, sighash)
  return fault?.code
}

/** The first fault of any input. */
export const anySignerFault = (psbt: Psbt): string | undefined =>
  psbt.inputs.map((_, i) => signerFault(psbt, i)).find((fault) => fault !== undefined)

export const secretOf = (wif: string): Uint8Array => must(parseWif(wif)).privateKey.reveal()

export function masterOf(text: string): ExtendedPrivateKey {
  const key = must(parseExtendedKey(text))
  if (!isPrivateKey(key)) throw new TypeError('a master key without its secret')
  return key
}
