import { type Rejection, reject } from '../chain/checks.ts'
import type { Transaction, TransactionOutput } from '../chain/transaction.ts'
import { classifyScript, isUnspendable, parseScript } from '../script/script.ts'

/** Core 28's defaults. Fee rates in satoshi per 1000 vbytes. */
export const MIN_RELAY_FEE_RATE = 1000n
export const INCREMENTAL_FEE_RATE = 1000n
export const DUST_FEE_RATE = 3000n
export const MAX_REPLACEMENTS = 100
export const EXPIRY_SECONDS = 336 * 3600
export const MAX_MEMPOOL_BYTES = 300_000_000
export const MAX_SIGOP_COST = 16_000
const BYTES_PER_SIGOP = 20
const MAX_STANDARD_WEIGHT = 400_000
const MAX_SCRIPT_SIG = 1650
const MAX_DATA_CARRIER = 83
const MIN_STRIPPED_SIZE = 65

/** Limits of unconfirmed families; sizes in vbytes. */
export interface FamilyLimits {
  readonly ancestors: number
  readonly ancestorSize: number
  readonly descendants: number
  readonly descendantSize: number
}
export const FAMILY_LIMITS: FamilyLimits = {
  ancestors: 25,
  ancestorSize: 101_000,
  descendants: 25,
  descendantSize: 101_000,
}

/** Satoshi that `rate` asks of `size` vbytes, rounded up as Core does. */
export const feeAt = (rate: bigint, size: number): bigint => (rate * BigInt(size) + 999n) / 1000n
/** Satoshi per 1000 vbytes, rounded toward zero. */
export const rateOf = (fee: bigint, size: number): bigint => (fee * 1000n) / BigInt(size)
/** `0.00454545 BTC/kvB`, as Core's messages write a fee rate; a negative one as its C format does, with two signs. */
export const formatRate = (rate: bigint): string => {
  const rest = rate % 100_000_000n
  const decimals = rest < 0n ? `-${`${-rest}`.padStart(7, '0')}` : `${rest}`.padStart(8, '0')
  return `${rate / 100_000_000n}.${decimals} BTC/kvB`
}
/** The vbytes that policy counts: many signature operations make a transaction larger. Source: Core's GetVirtualTransactionSize. */
export const policySize = (weight: number, sigops: number): number =>
  Math.ceil(Math.max(weight, sigops * BYTES_PER_SIGOP) / 4)

/** The version and program of a witness output of any kind, else undefined. Source: BIP 141. */
export function witnessProgram(
  script: Uint8Array,
): { readonly version: number; readonly program: Uint8Array } | undefined {
  const [first = 255, length = 0] = script
  if (script.length < 4 || script.length > 42 || script.length !== length + 2) return undefined
  if (first !== 0 && (first < 0x51 || first > 0x60)) return undefined
  return { version: first === 0 ? 0 : first - 0x50, program: script.subarray(2) }
}
/** Satoshi below which an output costs more to spend than it is worth. */
export function dustThreshold(output: TransactionOutput): bigint {
  if (isUnspendable(output.script)) return 0n
  const size = 8 + (output.script.length < 253 ? 1 : 3) + output.script.length
  return feeAt(DUST_FEE_RATE, size + (witnessProgram(output.script) ? 67 : 148))
}
const isDust = (output: TransactionOutput): boolean => output.value < dustThreshold(output)
export const dustOutputs = (transaction: Transaction): number =>
  transaction.outputs.filter(isDust).length

function checkOutput(output: TransactionOutput): Rejection | undefined {
  const { kind } = classifyScript(output.script)
  if (kind === 'nonstandard') return reject('scriptpubkey')
  if (kind === 'nulldata') {
    return output.script.length > MAX_DATA_CARRIER ? reject('scriptpubkey') : undefined
  }
  const keys = (output.script[output.script.length - 2] ?? 0) - 0x50
  if (kind === 'multisig' && (keys < 1 || keys > 3)) return reject('scriptpubkey')
  return isDust(output) ? reject('dust') : undefined
}
/** What Core's default policy relays, seen from the transaction alone. Source: Core's IsStandardTx. */
export function checkStandard(transaction: Transaction): Rejection | undefined {
  if (transaction.version < 1 || transaction.version > 3) return reject('version')
  if (transaction.weight > MAX_STANDARD_WEIGHT) return reject('tx-size')
  for (const input of transaction.inputs) {
    if (input.script.length > MAX_SCRIPT_SIG) return reject('scriptsig-size')
    const pieces = parseScript(input.script)
    if (!pieces?.every((piece) => piece.opcode <= 0x60)) return reject('scriptsig-not-pushonly')
  }
  for (const output of transaction.outputs) {
    const fault = checkOutput(output)
    if (fault) return fault
  }
  const data = transaction.outputs.filter(({ script }) => script[0] === 0x6a)
  return data.length > 1 ? reject('multi-op-return') : undefined
}
/** Smaller transactions could pass for a node of the merkle tree (CVE-2017-12842). */
export const checkSize = (transaction: Transaction): Rejection | undefined =>
  transaction.strippedSize < MIN_STRIPPED_SIZE ? reject('tx-size-small') : undefined

/** True when the transaction itself opts in to replacement. Source: BIP 125. */
export const signalsReplacement = (transaction: Transaction): boolean =>
  transaction.inputs.some((input) => input.sequence < 0xfffffffe)
/** What `maxburnamount` looks at: an output that nobody can spend, as far as a look at it tells. */
export function isBurned(script: Uint8Array): boolean {
  if (isUnspendable(script)) return true
  const pieces = parseScript(script)
  return !pieces?.every(({ opcode, data }) => opcode <= 0xb9 && (data?.length ?? 0) <= 520)
}
