import { must } from '../failure.ts'
import { pushData, pushNumber } from '../script/script.ts'
import {
  type Block,
  COMMITMENT_PREFIX,
  commitmentIndex,
  encodeBlock,
  grindBlock,
  subsidyAt,
  witnessCommitment,
} from './block.ts'
import type { BlockNode } from './node.ts'
import { decodeTransaction, encodeTransaction, NULL_HASH, type Transaction } from './transaction.ts'

export interface BlockPlan {
  readonly prev: BlockNode
  readonly transactions: readonly Transaction[]
  /** Satoshi of the given transactions' fees that the coinbase may claim. */
  readonly fees: bigint
  readonly coinbaseScript: Uint8Array
  /** Makes two blocks with equal contents different; empty for Core's own coinbase form. */
  readonly extra: Uint8Array
  /** Seconds since the epoch; raised where the median-time rule wants it. */
  readonly now: number
}

const RESERVED = new Uint8Array(32)
const BLOCK_VERSION = 0x20000000

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
function coinbaseOf(plan: BlockPlan, commitment: Uint8Array): Transaction {
  const height = plan.prev.height + 1
  const tag = plan.extra.length > 0 ? pushData(plan.extra) : Uint8Array.of(0)
  const input = {
    txid: NULL_HASH,
    vout: 0xffffffff,
    script: concat([pushNumber(height), tag]),
    sequence: 0xffffffff,
    witness: [RESERVED],
  }
  const outputs = [
    { value: subsidyAt(height) + plan.fees, script: plan.coinbaseScript },
    { value: 0n, script: concat([COMMITMENT_PREFIX, commitment]) },
  ]
  const raw = encodeTransaction({ version: 2, inputs: [input], outputs, locktime: 0 })
  return must(decodeTransaction(raw), 'our own coinbase decodes')
}

/** A finished block with proof of work on `prev`, holding exactly these transactions in this order. */
export function assembleBlock(plan: BlockPlan): Block {
  const { prev, transactions } = plan
  const commitment = witnessCommitment(transactions, RESERVED)
  const coinbase = coinbaseOf(plan, commitment)
  const time = Math.max(plan.now, prev.header.time, prev.medianTime + 1)
  return grindBlock({ version: BLOCK_VERSION, prev: prev.hash, time }, [coinbase, ...transactions])
}

/**
 * A block handed in without the reserved value of its commitment gets it, as `submitblock` does for miners that know nothing of
 * witnesses. Source: Core, UpdateUncommittedBlockStructures.
 */
export function withReservedValue(block: Block): Block {
  const [coinbase, ...rest] = block.transactions
  if (!coinbase || coinbase.hasWitness || commitmentIndex(coinbase) < 0) return block
  const inputs = coinbase.inputs.map((input) => ({ ...input, witness: [RESERVED] }))
  const whole = decodeTransaction(encodeTransaction({ ...coinbase, inputs }))
  return encodeBlock(block.header, [must(whole, 'our own coinbase decodes'), ...rest])
}
