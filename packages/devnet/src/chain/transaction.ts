import {
  ByteReader,
  ByteWriter,
  hashBytes,
  sha256d,
  TruncatedError,
  toHex,
  toReversedHex,
} from './bytes.ts'

export interface TransactionInput {
  readonly txid: string
  readonly vout: number
  /** `txid:vout`: the key under which the spent coin stands in every map. */
  readonly key: string
  readonly script: Uint8Array
  readonly sequence: number
  readonly witness: readonly Uint8Array[]
}
export interface TransactionOutput {
  /** Satoshi. */
  readonly value: bigint
  readonly script: Uint8Array
}
/** An immutable transaction with everything that is asked of it more than once. Sizes in bytes, weight in units of BIP 141. */
export interface Transaction {
  readonly version: number
  readonly inputs: readonly TransactionInput[]
  readonly outputs: readonly TransactionOutput[]
  readonly locktime: number
  readonly raw: Uint8Array
  readonly txid: string
  readonly wtxid: string
  readonly strippedSize: number
  readonly weight: number
  readonly vsize: number
  readonly hasWitness: boolean
  readonly isCoinbase: boolean
}
export interface TransactionParts {
  readonly version: number
  readonly inputs: readonly Omit<TransactionInput, 'key'>[]
  readonly outputs: readonly TransactionOutput[]
  readonly locktime: number
}

export const NULL_HASH = '0'.repeat(64)
const NO_WITNESS: readonly Uint8Array[] = []

function writeBody(writer: ByteWriter, parts: TransactionParts): void {
  writer.size(parts.inputs.length)
  for (const input of parts.inputs) {
    writer.put(hashBytes(input.txid)).u32(input.vout).script(input.script).u32(input.sequence)
  }
  writer.size(parts.outputs.length)
  for (const output of parts.outputs) writer.u64(output.value).script(output.script)
}

/** Wire form; with the witness (BIP 144) when one input has one and `witness` is true. */
export function encodeTransaction(parts: TransactionParts, witness = true): Uint8Array {
  const writer = new ByteWriter().u32(parts.version)
  const extended = witness && parts.inputs.some((input) => input.witness.length > 0)
  if (extended) writer.u8(0).u8(1)
  writeBody(writer, parts)
  if (extended) {
    for (const input of parts.inputs) {
      writer.size(input.witness.length)
      for (const item of input.witness) writer.script(item)
    }
  }
  return writer.u32(parts.locktime).done()
}

interface OpenInput {
  txid: string
  vout: number
  key: string
  script: Uint8Array
  sequence: number
  witness: readonly Uint8Array[]
}
function readInputs(reader: ByteReader): OpenInput[] {
  const inputs: OpenInput[] = []
  for (let left = reader.size(); left > 0; left--) {
    const txid = toReversedHex(reader.take(32))
    const vout = reader.u32()
    const script = reader.script()
    const sequence = reader.u32()
    inputs.push({ txid, vout, key: `${txid}:${vout}`, script, sequence, witness: NO_WITNESS })
  }
  return inputs
}
function readOutputs(reader: ByteReader): TransactionOutput[] {
  const outputs: TransactionOutput[] = []
  for (let left = reader.size(); left > 0; left--) {
    outputs.push({ value: BigInt.asIntN(64, reader.u64()), script: reader.script() })
  }
  return outputs
}
function readWitnesses(reader: ByteReader, inputs: OpenInput[]): boolean {
  let any = false
  for (const input of inputs) {
    const count = reader.size()
    if (count === 0) continue
    any = true
    const items: Uint8Array[] = []
    for (let left = count; left > 0; left--) items.push(reader.script())
    input.witness = items
  }
  return any
}

/**
 * Reads one transaction from the stream. No inputs at the start mean that a flag follows (BIP 144), unless `plain`.
 * @throws TruncatedError when it is malformed.
 */
export function readTransaction(reader: ByteReader, plain = false): Transaction {
  const start = reader.at
  const version = reader.u32()
  const marked = !plain && reader.bytes[reader.at] === 0
  const flag = marked ? reader.bytes[reader.at + 1] : 0
  const extended = flag !== 0
  if (extended) reader.at += 2
  const bodyStart = reader.at
  const inputs = readInputs(reader)
  const outputs = readOutputs(reader)
  const bodyEnd = reader.at
  if (extended && flag !== 1) throw new TruncatedError('unknown flag')
  if (extended && !readWitnesses(reader, inputs)) throw new TruncatedError('no witness')
  const locktime = reader.u32()
  const raw = reader.bytes.slice(start, reader.at)
  const stripped = extended
    ? new ByteWriter()
        .u32(version)
        .put(reader.bytes.subarray(bodyStart, bodyEnd))
        .u32(locktime)
        .done()
    : raw
  const hash = toReversedHex(sha256d(stripped))
  const weight = stripped.length * 3 + raw.length
  const first = inputs[0]
  return {
    version,
    inputs,
    outputs,
    locktime,
    raw,
    txid: hash,
    wtxid: extended ? toReversedHex(sha256d(raw)) : hash,
    strippedSize: stripped.length,
    weight,
    vsize: Math.ceil(weight / 4),
    hasWitness: extended,
    isCoinbase: inputs.length === 1 && first?.txid === NULL_HASH && first.vout === 0xffffffff,
  }
}

/** Undefined unless the bytes are exactly one transaction, in one of its two forms. */
export function decodeTransaction(bytes: Uint8Array): Transaction | undefined {
  return decodeAs(bytes, false) ?? decodeAs(bytes, true)
}
function decodeAs(bytes: Uint8Array, plain: boolean): Transaction | undefined {
  try {
    const reader = new ByteReader(bytes)
    const transaction = readTransaction(reader, plain)
    return reader.at === bytes.length ? transaction : undefined
  } catch {
    return undefined
  }
}

export const transactionHex = (transaction: Transaction): string => toHex(transaction.raw)
