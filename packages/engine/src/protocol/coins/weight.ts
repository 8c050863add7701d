import { AssertionError, assert, type Weight, weight } from '../../kernel/index.ts'
import type { Descriptor, DescriptorKind } from '../descriptor/index.ts'
import { rootKey } from '../descriptor/index.ts'
import { encodeNumberPush } from '../script/index.ts'
import { compactSizeLength } from '../transaction/index.ts'

/**
 * How long an ECDSA signature may become, with its sighash byte: `largest` is 72 bytes, which any signer keeps; `low_r`
 * is 71 bytes, for signers that try again until the first number is small (Bitcoin Core does). Schnorr signatures have
 * 64 bytes either way: the default sighash is not written down (BIP 341).
 */
export type SignatureSize = 'largest' | 'low_r'

/** What one input takes in a transaction. */
export interface InputShape {
  /** Whole weight, its witness included; without the byte that an input without witness costs beside one with. */
  readonly weight: Weight
  readonly hasWitness: boolean
}

const ECDSA = { largest: 72, low_r: 71 } as const
const SCHNORR = 64
/** Outpoint and sequence. */
const FIXED = 32 + 4 + 4

const sized = (length: number): number => compactSizeLength(length) + length
/** One item that a script pushes; signatures, keys and redeem scripts are short enough for one length byte. */
const pushed = (length: number): number => 1 + length

const legacy = (script: number): InputShape => ({
  weight: weight(4 * (FIXED + sized(script))),
  hasWitness: false,
})
/** `script` is the length of the input script, `items` those of the witness. */
const segwit = (script: number, items: readonly number[]): InputShape => ({
  weight: weight(
    4 * (FIXED + sized(script)) +
      items.reduce((sum, item) => sum + sized(item), compactSizeLength(items.length)),
  ),
  hasWitness: true,
})

/** The length of the public key as the script of a single key shows it. */
function keyLength({ keys }: Descriptor): number {
  const [key] = keys
  assert(key, 'a descriptor of a single key without key')
  return rootKey(key).length
}

function multisigItems({ keys, threshold = 1 }: Descriptor, signature: number): number[] {
  const numbers = encodeNumberPush(threshold).length + encodeNumberPush(keys.length).length
  // The first item is the one that OP_CHECKMULTISIG takes too many.
  return [0, ...Array<number>(threshold).fill(signature), numbers + keys.length * pushed(33) + 1]
}

/**
 * One input that spends an output of the descriptor, at its largest: no signature is longer than planned for.
 * @throws AssertionError for `addr` and `raw`, which do not say how they are spent.
 */
export function inputShape(
  descriptor: Descriptor,
  signatures: SignatureSize = 'largest',
): InputShape {
  const signature = ECDSA[signatures]
  switch (descriptor.kind) {
    case 'pkh':
      return legacy(pushed(signature) + pushed(keyLength(descriptor)))
    case 'wpkh':
      return segwit(0, [signature, 33])
    case 'sh(wpkh)':
      return segwit(pushed(22), [signature, 33])
    case 'wsh(sortedmulti)':
      return segwit(0, multisigItems(descriptor, signature))
    case 'sh(wsh(sortedmulti))':
      return segwit(pushed(34), multisigItems(descriptor, signature))
    case 'tr':
      return segwit(0, [SCHNORR])
    case 'addr':
    case 'raw':
      throw new AssertionError(`nobody knows how ${descriptor.kind} is spent`)
  }
}

/** The weight of `inputShape`. @throws AssertionError as `inputShape`. */
export const inputWeight = (descriptor: Descriptor, signatures?: SignatureSize): Weight =>
  inputShape(descriptor, signatures).weight

const SCRIPT_LENGTH: Readonly<Record<Exclude<DescriptorKind, 'addr' | 'raw'>, number>> = {
  pkh: 25,
  wpkh: 22,
  'sh(wpkh)': 23,
  'wsh(sortedmulti)': 34,
  'sh(wsh(sortedmulti))': 23,
  tr: 34,
}

/** A script as long as those of the descriptor and of the same type; only for measuring. */
export function sampleScript({ kind, fixedScript }: Descriptor): Uint8Array {
  if (kind === 'addr' || kind === 'raw') {
    assert(fixedScript, `a descriptor ${kind} without script`)
    return fixedScript
  }
  const script = new Uint8Array(SCRIPT_LENGTH[kind])
  const isWitness = kind === 'wpkh' || kind === 'wsh(sortedmulti)' || kind === 'tr'
  if (isWitness) script.set([kind === 'tr' ? 0x51 : 0, script.length - 2])
  else script[0] = 0xa9
  return script
}

/** One output with this script: amount, length, script. */
export const outputWeight = (script: Uint8Array): Weight => weight(4 * (8 + sized(script.length)))

/** What a transaction is made of, as far as its weight goes. */
export interface TransactionShape {
  readonly inputs: readonly InputShape[]
  /** The output scripts. */
  readonly outputs: readonly Uint8Array[]
}

/** Sums from which the weight of a transaction follows. */
export interface WeightSums {
  readonly inputs: number
  /** How many of the inputs have a witness. */
  readonly witnesses: number
  /** Sum of the weights of the inputs, as in `InputShape`. */
  readonly inputWeights: number
  readonly outputs: number
  readonly outputWeights: number
}

/**
 * The weight of a whole transaction from its sums, in weight units: version, lock time, counts, and with any witness
 * the marker, the flag and an empty witness for each input without one. Source: BIP 141, BIP 144.
 */
export function weightOfSums(sums: WeightSums): number {
  const counts = compactSizeLength(sums.inputs) + compactSizeLength(sums.outputs)
  const witness = sums.witnesses > 0 ? 2 + sums.inputs - sums.witnesses : 0
  return 4 * (8 + counts) + sums.inputWeights + sums.outputWeights + witness
}

/** The exact weight of a transaction, provided that every signature is as long as planned for. */
export function transactionWeight({ inputs, outputs }: TransactionShape): Weight {
  return weight(
    weightOfSums({
      inputs: inputs.length,
      witnesses: inputs.filter(({ hasWitness }) => hasWitness).length,
      inputWeights: inputs.reduce((sum, input) => sum + input.weight, 0),
      outputs: outputs.length,
      outputWeights: outputs.reduce((sum, script) => sum + outputWeight(script), 0),
    }),
  )
}
