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
/** A header may lie two hours ahead of the node's clock. */
const FUTURE_SECONDS = 7200

/** Rules of a header on its parent. `now` in seconds. */
export function checkHeader(
  header: BlockHeader,
  prev: BlockNode,
  now: number,
): Rejection | undefined {
  if (header.bits !== REGTEST_BITS) return reject('bad-diffbits', 'incorrect proof of work')
  if (!meetsRegtestTarget(hashBytes(header.hash))) {
    return reject('high-hash', 'proof of work failed')
  }
  if (header.time <= prev.medianTime) {
    return reject('time-too-old', "block's timestamp is too early")
  }
  if (header.time > now + FUTURE_SECONDS) {
    return reject('time-too-new', 'block timestamp too far in the future')
  }
  if (header.version < 4) {
    const version = (header.version >>> 0).toString(16).padStart(8, '0')
    return reject(`bad-version(0x${version})`, `rejected nVersion=0x${version} block`)
  }
  return undefined
}

/** Rules of a block by itself. Source: Core's CheckBlock. */
export function checkBlock(block: Block): Rejection | undefined {
  const { header, transactions } = block
  if (header.bits !== REGTEST_BITS || !meetsRegtestTarget(hashBytes(header.hash))) {
    return reject('high-hash', 'proof of work failed')
  }
  const { root, mutated } = transactionMerkle(transactions)
  if (toReversedHex(root) !== header.merkleRoot) {
    return reject('bad-txnmrklroot', 'hashMerkleRoot mismatch')
  }
  if (mutated) return reject('bad-txns-duplicate', 'duplicate transaction')
  const tooLong = transactions.length * 4 > MAX_WEIGHT || block.strippedSize * 4 > MAX_WEIGHT
  if (transactions.length === 0 || tooLong) {
    return reject('bad-blk-length', 'size limits failed')
  }
  if (!transactions[0]?.isCoinbase) return reject('bad-cb-missing', 'first tx is not coinbase')
  if (transactions.slice(1).some((transaction) => transaction.isCoinbase)) {
    return reject('bad-cb-multiple', 'more than one coinbase')
  }
  let sigops = 0
  for (const transaction of transactions) {
    const fault = checkTransaction(transaction)
    if (fault) {
      const detail = `Transaction check failed (tx hash ${transaction.txid}) ${fault.detail ?? ''}`
      return reject(fault.reason, detail)
    }
    sigops += sigopCost(transaction)
  }
  return sigops > 80_000 ? reject('bad-blk-sigops', 'out-of-bounds SigOpCount') : undefined
}

function checkWitnessCommitment(block: Block): Rejection | undefined {
  const coinbase = block.transactions[0]
  const at = coinbase ? commitmentIndex(coinbase) : -1
  if (!coinbase || at < 0) {
    return block.transactions.some((transaction) => transaction.hasWitness)
      ? reject('unexpected-witness', 'CheckWitnessMalleation : unexpected witness data found')
      : undefined
  }
  const [reserved, ...more] = coinbase.inputs[0]?.witness ?? []
  if (reserved?.length !== 32 || more.length > 0) {
    return reject(
      'bad-witness-nonce-size',
      'CheckWitnessMalleation : invalid witness reserved value size',
    )
  }
  const want = witnessCommitment(block.transactions.slice(1), reserved)
  return equalBytes(want, coinbase.outputs[at]?.script.subarray(6, 38) ?? new Uint8Array())
    ? undefined
    : reject(
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
