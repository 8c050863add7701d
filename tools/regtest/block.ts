import { type BlockHash, blockHash, sat, toHex } from '@kaccy/bitcoin/kernel'
import {
  blockHashOf,
  encodeHeader,
  hasProofOfWork,
  merkleRoot,
} from '@kaccy/bitcoin/protocol/block'
import {
  doubleSha256,
  encodeTransaction,
  type Transaction,
} from '@kaccy/bitcoin/protocol/transaction'

/** What a block is made of: exactly these transactions behind its coinbase. */
export interface BlockTemplate {
  readonly prev: BlockHash
  readonly height: number
  /** Seconds since the epoch. */
  readonly time: number
  readonly transactions: readonly Transaction[]
  /** Output script of the coinbase. */
  readonly coinbaseTo: Uint8Array
  /** Makes blocks of one height different. */
  readonly nonce: number
}
export interface BuiltBlock {
  readonly hash: BlockHash
  readonly hex: string
  readonly coinbase: Transaction
}

const REGTEST_BITS = 0x207fffff
const NULL_TXID = '0'.repeat(64) as Transaction['inputs'][number]['txid']

/** Minimal push of a number, as BIP 34 wants the height. */
function pushNumber(value: number): Uint8Array {
  if (value === 0) return Uint8Array.of(0)
  if (value <= 16) return Uint8Array.of(0x50 + value)
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256)
  if ((bytes.at(-1) ?? 0) >= 0x80) bytes.push(0)
  return Uint8Array.of(bytes.length, ...bytes)
}

const ids = (transactions: readonly Transaction[], form: 'with-witness' | 'without-witness') =>
  transactions.map((transaction) => doubleSha256(encodeTransaction(transaction, form)))

function coinbaseOf(template: BlockTemplate): Transaction {
  const extra = new Uint8Array(8)
  new DataView(extra.buffer).setUint32(0, template.nonce)
  const reserved = new Uint8Array(32)
  const commitment = new Uint8Array(64)
  commitment.set(
    merkleRoot([new Uint8Array(32), ...ids(template.transactions, 'with-witness')]).root,
  )
  const subsidy = 50_0000_0000n >> BigInt(Math.floor(template.height / 150))
  return {
    version: 2,
    inputs: [
      {
        txid: NULL_TXID,
        vout: 0xffff_ffff,
        script: Uint8Array.of(...pushNumber(template.height), 8, ...extra),
        sequence: 0xffff_ffff,
        witness: [reserved],
      },
    ],
    outputs: [
      { amount: sat(subsidy), script: template.coinbaseTo },
      {
        amount: sat(0n),
        script: Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed, ...doubleSha256(commitment)),
      },
    ],
    lockTime: 0,
  }
}

/** Builds a regtest block with real proof of work and a witness commitment (BIP 34, BIP 141). */
export function buildBlock(template: BlockTemplate): BuiltBlock {
  const coinbase = coinbaseOf(template)
  const transactions = [coinbase, ...template.transactions]
  const root = toHex(merkleRoot(ids(transactions, 'without-witness')).root.toReversed())
  const header = {
    version: 0x2000_0000,
    prev: template.prev,
    merkleRoot: root,
    time: template.time,
    bits: REGTEST_BITS,
  }
  for (let nonce = 0; ; nonce++) {
    const bytes = encodeHeader({ ...header, nonce })
    const hash = blockHashOf(bytes)
    if (hash === undefined || !hasProofOfWork(hash, REGTEST_BITS)) continue
    const count: number[] = []
    pushCompact(count, transactions.length)
    const body = transactions.map((transaction) => toHex(encodeTransaction(transaction))).join('')
    return {
      hash: blockHash(hash),
      hex: toHex(bytes) + toHex(Uint8Array.from(count)) + body,
      coinbase,
    }
  }
}

function pushCompact(into: number[], value: number): void {
  if (value < 0xfd) into.push(value)
  else into.push(0xfd, value & 0xff, value >> 8)
}
