import { pushNumber } from '../script/script.ts'
import { sigopCost } from '../script/sigops.ts'
import {
  type Block,
  type BlockHeader,
  commitmentIndex,
  meetsRegtestTarget,
  REGTEST_BITS,
  transactionMerkle,
  witnessCommitment,
} from './block.ts'
import { equalBytes, hashBytes, toReversedHex } from './bytes.ts'
import { checkTransaction, isFinal, type Rejection, reject } from './checks.ts'
import type { BlockNode } from './node.ts'

const MAX_WEIGHT = 4_000_000
const MAX_SIGOPS_COST = 80_000
/** A header may lie two hours ahead of the node's clock. */
const FUTURE_SECONDS = 7200
/** Every so many blocks the difficulty could change, and the time may hardly step back. Source: Core, BIP 94 on regtest. */
const ADJUSTMENT_BLOCKS = 144
const TIMEWARP_SECONDS = 600
const WORK_LIMIT = (1n << 255n) - 1n

/** A refusal of what could have been bent on its way says nothing about the block of this hash. */
const bent = (reason: string, detail: string): Rejection => ({ reason, detail, bent: true })

/** The target that a header claims; undefined when it is none or too easy. Source: Core, DeriveTarget. */
function targetOf(bits: number): bigint | undefined {
  const size = bits >>> 24
  const word = BigInt(bits & 0x007fffff)
  if (word === 0n || (bits & 0x00800000) !== 0) return undefined
  const target = size <= 3 ? word >> BigInt(8 * (3 - size)) : word << BigInt(8 * (size - 3))
  return target === 0n || target > WORK_LIMIT ? undefined : target
}
/** Whether the hash meets the target that the header itself claims. Source: Core, CheckBlockHeader. */
export function checkWork({ hash, bits }: BlockHeader): Rejection | undefined {
  let meets: boolean
  if (bits === REGTEST_BITS) meets = meetsRegtestTarget(hashBytes(hash))
  else {
    const target = targetOf(bits)
    meets = target !== undefined && BigInt(`0x${hash}`) <= target
  }
  return meets ? undefined : reject('high-hash', 'proof of work failed')
}

/** Rules of a header on its parent; `checkWork` comes before. `now` in seconds. Source: Core, ContextualCheckBlockHeader. */
export function checkHeader(
  header: BlockHeader,
  prev: BlockNode,
  now: number,
): Rejection | undefined {
  const { version, bits, time } = header
  if (bits !== REGTEST_BITS) return reject('bad-diffbits', 'incorrect proof of work')
  if (time <= prev.medianTime) return reject('time-too-old', "block's timestamp is too early")
  const adjusts = (prev.height + 1) % ADJUSTMENT_BLOCKS === 0
  if (adjusts && time < prev.header.time - TIMEWARP_SECONDS) {
    return reject('time-timewarp-attack', "block's timestamp is too early on diff adjustment block")
  }
  if (time > now + FUTURE_SECONDS) {
    return reject('time-too-new', 'block timestamp too far in the future')
  }
  if (version < 4) {
    const text = (version >>> 0).toString(16).padStart(8, '0')
    return reject(`bad-version(0x${text})`, `rejected nVersion=0x${text} block`)
  }
  return undefined
}

/** Rules of a block by itself, in Core's order. Source: Core, CheckBlock. */
export function checkBlock(block: Block): Rejection | undefined {
  const { header, transactions } = block
  const weak = checkWork(header)
  if (weak) return weak
  const { root, mutated } = transactionMerkle(transactions)
  if (toReversedHex(root) !== header.merkleRoot) {
    return bent('bad-txnmrklroot', 'hashMerkleRoot mismatch')
  }
  if (mutated) return bent('bad-txns-duplicate', 'duplicate transaction')
  const tooLong = transactions.length * 4 > MAX_WEIGHT || block.strippedSize * 4 > MAX_WEIGHT
  if (transactions.length === 0 || tooLong) {
    return reject('bad-blk-length', 'size limits failed')
  }
  if (!transactions[0]?.isCoinbase) return reject('bad-cb-missing', 'first tx is not coinbase')
  if (transactions.some((transaction, i) => i > 0 && transaction.isCoinbase)) {
    return reject('bad-cb-multiple', 'more than one coinbase')
  }
  for (const transaction of transactions) {
    const fault = checkTransaction(transaction)
    if (!fault) continue
    const detail = `Transaction check failed (tx hash ${transaction.txid}) ${fault.detail ?? ''}`
    return reject(fault.reason, detail)
  }
  let sigops = 0
  for (const transaction of transactions) sigops += sigopCost(transaction)
  return sigops > MAX_SIGOPS_COST ? reject('bad-blk-sigops', 'out-of-bounds SigOpCount') : undefined
}

function checkWitnessCommitment(block: Block): Rejection | undefined {
  const coinbase = block.transactions[0]
  const at = coinbase ? commitmentIndex(coinbase) : -1
  if (!coinbase || at < 0) {
    return block.transactions.some((transaction) => transaction.hasWitness)
      ? bent('unexpected-witness', 'CheckWitnessMalleation : unexpected witness data found')
      : undefined
  }
  const [reserved, ...more] = coinbase.inputs[0]?.witness ?? []
  if (reserved?.length !== 32 || more.length > 0) {
    return bent(
      'bad-witness-nonce-size',
      'CheckWitnessMalleation : invalid witness reserved value size',
    )
  }
  const want = witnessCommitment(block.transactions.slice(1), reserved)
  return equalBytes(want, coinbase.outputs[at]?.script.subarray(6, 38) ?? new Uint8Array())
    ? undefined
    : bent(
        'bad-witness-merkle-match',
        'CheckWitnessMalleation : witness merkle commitment mismatch',
      )
}

/** Rules of a block at its place. Source: Core's ContextualCheckBlock, BIP 34, 113, 141. */
export function checkBlockInContext(block: Block, prev: BlockNode): Rejection | undefined {
  const height = prev.height + 1
  if (block.transactions.some((transaction) => !isFinal(transaction, height, prev.medianTime))) {
    return reject('bad-txns-nonfinal', 'non-final transaction')
  }
  const want = pushNumber(height)
  const script = block.transactions[0]?.inputs[0]?.script ?? new Uint8Array()
  if (!equalBytes(script.subarray(0, want.length), want)) {
    return reject('bad-cb-height', 'block height mismatch in coinbase')
  }
  const fault = checkWitnessCommitment(block)
  if (fault) return fault
  return block.weight > MAX_WEIGHT
    ? reject('bad-blk-weight', 'ContextualCheckBlock : weight limit failed')
    : undefined
}
