import { sha256 } from '@noble/hashes/sha2.js'
import { join, Malformed, Reader, size, sized, toHex, u32, u64 } from '../bytes.ts'

export interface TxInput {
  /** The 36 bytes of the outpoint. */
  readonly outpoint: Uint8Array
  readonly script: Uint8Array
  readonly sequence: number
}
export interface TxOutput {
  /** Unsigned 64 bits; may be above 21 million BTC. */
  readonly amount: bigint
  readonly script: Uint8Array
}
export interface Tx {
  readonly version: number
  readonly inputs: readonly TxInput[]
  readonly outputs: readonly TxOutput[]
  readonly lockTime: number
}

export const MAX_SAT = 2_100_000_000_000_000n
export const hash256 = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes))
/** Ids as people read them. */
export const idOf = (hash: Uint8Array): string => toHex(Uint8Array.from(hash).reverse())

function list<T>(reader: Reader, read: () => T): T[] {
  const count = reader.size()
  // Nothing of a list is shorter than a byte: a count above what is left is a lie.
  if (count > reader.left) throw new Malformed('a count above what is there')
  return Array.from({ length: count }, read)
}

const readInput = (reader: Reader): TxInput => ({
  outpoint: reader.take(36),
  script: reader.sized(),
  sequence: reader.u32(),
})
const readOutput = (reader: Reader): TxOutput => ({ amount: reader.u64(), script: reader.sized() })

/**
 * Reads a transaction. `form` says whether a witness may stand there: an unsigned transaction of a PSBT has none (BIP 174), and a
 * previous one may have it or not.
 * @throws Malformed
 */
export function readTx(bytes: Uint8Array, form: 'unsigned' | 'any'): Tx {
  const reader = new Reader(bytes)
  const version = reader.u32()
  const isSegwit = form === 'any' && bytes[4] === 0
  if (isSegwit && (reader.u8() !== 0 || reader.u8() !== 1)) throw new Malformed('an unknown flag')
  const inputs = list(reader, () => readInput(reader))
  const outputs = list(reader, () => readOutput(reader))
  if (isSegwit) for (const _ of inputs) list(reader, () => reader.sized())
  const lockTime = reader.u32()
  reader.end()
  return { version, inputs, outputs, lockTime }
}

const writeOutput = ({ amount, script }: TxOutput): Uint8Array => join(u64(amount), sized(script))

/** The outputs one after the other, as every signature covers them. */
export const outputsOf = (tx: Tx): Uint8Array => join(...tx.outputs.map(writeOutput))

/** Without witness; `scripts[i]` in place of the script of input `i`. */
export function writeTx(tx: Tx, scripts: readonly Uint8Array[]): Uint8Array {
  const inputs = tx.inputs.map(({ outpoint, sequence }, i) =>
    join(outpoint, sized(scripts[i] ?? new Uint8Array()), u32(sequence)),
  )
  return join(
    u32(tx.version),
    size(inputs.length),
    ...inputs,
    size(tx.outputs.length),
    outputsOf(tx),
    u32(tx.lockTime),
  )
}

/** The id: the witness is no part of it. */
export const txidOf = (tx: Tx): string =>
  idOf(
    hash256(
      writeTx(
        tx,
        tx.inputs.map(({ script }) => script),
      ),
    ),
  )

/** `txid:vout` of an outpoint. */
export const outpointName = (outpoint: Uint8Array): string =>
  `${idOf(outpoint.subarray(0, 32))}:${new Reader(outpoint.subarray(32)).u32()}`
