import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes } from '../../kernel/index.ts'
import type { Descriptor } from '../descriptor/index.ts'
import type { LookCoin } from './expectation.ts'
import type { LookReason } from './fault.ts'
import type { SeenInput } from './read.ts'
import type { Sighashes } from './sighash.ts'
import { ecdsaFault, schnorrFault } from './signature.ts'

/** Input `at`, the coin it spends, and what its signatures have to sign. */
export interface Spend {
  readonly at: number
  readonly input: SeenInput
  readonly coin: LookCoin
  readonly hashes: Sighashes
}
type SpendFault =
  | Extract<LookReason, 'script_shape' | 'annex' | 'sighash' | 'signature'>
  | undefined

const ANNEX = 0x50
const CHECKMULTISIG = 0xae
const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes))
const joined = (...parts: readonly (number | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part])))

const keyHashScript = (hash: Uint8Array) => joined(0x76, 0xa9, 20, hash, 0x88, 0xac)
const programOf = (hash: Uint8Array) => joined(0, hash.length, hash)
const scriptHashScript = (redeem: Uint8Array) => joined(0xa9, 20, hash160(redeem), 0x87)

/** The two plain pushes of a P2PKH spend and nothing else. */
function twoPushes(script: Uint8Array): readonly [Uint8Array, Uint8Array] | undefined {
  const length = script[0] ?? 0
  const second = script[1 + length] ?? 0
  if (length === 0 || length > 75 || second === 0 || second > 75) return undefined
  if (script.length !== 2 + length + second) return undefined
  return [script.subarray(1, 1 + length), script.subarray(2 + length)]
}

const isCompressed = (key: Uint8Array): boolean =>
  key.length === 33 && (key[0] === 2 || key[0] === 3)

function legacyFault({ at, input, coin, hashes }: Spend): SpendFault {
  const pushes = twoPushes(input.script)
  if (!pushes || input.witness.length > 0) return 'script_shape'
  const [signature, key] = pushes
  const isKey = isCompressed(key) || (key.length === 65 && key[0] === 4)
  if (!isKey || !equalBytes(coin.script, keyHashScript(hash160(key)))) return 'script_shape'
  return ecdsaFault(signature, () => hashes.legacy(at, coin.script), key)
}

/** The program that the coin commits to, directly or behind P2SH; undefined when the input script is not the right one. */
function committed({ input, coin }: Spend, isNested: boolean, program: Uint8Array): boolean {
  if (!isNested) return input.script.length === 0 && equalBytes(coin.script, program)
  return (
    equalBytes(input.script, joined(program.length, program)) &&
    equalBytes(coin.script, scriptHashScript(program))
  )
}

function keyHashFault(spend: Spend, isNested: boolean): SpendFault {
  const [signature, key, ...rest] = spend.input.witness
  if (!signature || !key || rest.length > 0 || !isCompressed(key)) return 'script_shape'
  const hash = hash160(key)
  if (!committed(spend, isNested, programOf(hash))) return 'script_shape'
  return ecdsaFault(signature, () => spend.hashes.segwit(spend.at, keyHashScript(hash)), key)
}

/** The keys of `threshold <33 bytes>... n OP_CHECKMULTISIG`; undefined for every other script. */
function multisigKeys(
  script: Uint8Array,
  threshold: number,
  count: number,
): Uint8Array[] | undefined {
  const number = (value: number) => (value <= 16 ? [0x50 + value] : [1, value])
  const head = number(threshold)
  const keys: Uint8Array[] = []
  for (let i = 0, at = head.length; i < count; i++, at += 34) {
    keys.push(script.slice(at + 1, at + 34))
  }
  const whole = joined(
    ...head,
    ...keys.flatMap((key) => [33, key]),
    ...number(count),
    CHECKMULTISIG,
  )
  return keys.every(isCompressed) && equalBytes(whole, script) ? keys : undefined
}

function multisigFault(spend: Spend, isNested: boolean, descriptor: Descriptor): SpendFault {
  const { threshold = 0, keys: wanted } = descriptor
  const { witness } = spend.input
  const script = witness.at(-1)
  const signatures = witness.slice(1, -1)
  // The first item is the one that OP_CHECKMULTISIG takes too many; it has to be empty (BIP 147).
  if (!script || witness[0]?.length !== 0 || signatures.length !== threshold) return 'script_shape'
  const keys = multisigKeys(script, threshold, wanted.length)
  if (!keys || !committed(spend, isNested, programOf(sha256(script)))) return 'script_shape'
  const hash = spend.hashes.segwit(spend.at, script)
  let next = 0
  for (const signature of signatures) {
    if (signature.at(-1) !== 1) return 'sighash'
    // Signatures stand in the order of their keys, and no key counts twice.
    while (next < keys.length && ecdsaFault(signature, () => hash, keys[next] as Uint8Array)) next++
    if (next === keys.length) return 'signature'
    next++
  }
  return undefined
}

function taprootFault({ at, input, coin, hashes }: Spend): SpendFault {
  const [signature, ...rest] = input.witness
  if (rest.length > 0 && rest.at(-1)?.[0] === ANNEX) return 'annex'
  if (!signature || rest.length > 0 || input.script.length > 0) return 'script_shape'
  if (coin.script.length !== 34 || coin.script[0] !== 0x51) return 'script_shape'
  return schnorrFault(signature, (type) => hashes.taproot(at, type), coin.script.subarray(2))
}

/** What is wrong with the way an input spends its coin; undefined when it has the descriptor's form and every signature is right. */
export function spendFault(spend: Spend, descriptor: Descriptor): SpendFault {
  switch (descriptor.kind) {
    case 'pkh':
      return legacyFault(spend)
    case 'wpkh':
      return keyHashFault(spend, false)
    case 'sh(wpkh)':
      return keyHashFault(spend, true)
    case 'wsh(sortedmulti)':
      return multisigFault(spend, false, descriptor)
    case 'sh(wsh(sortedmulti))':
      return multisigFault(spend, true, descriptor)
    case 'tr':
      return taprootFault(spend)
    case 'addr':
    case 'raw':
      return 'script_shape' // nobody knows how these are spent
  }
}
