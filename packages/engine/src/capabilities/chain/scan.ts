import {
  type BlockRef,
  EngineError,
  type OutPoint,
  type Sha256,
  toReversedHex,
} from '../../kernel/index.ts'
import { blockHashOf, decodeHeader, merkleRootOf, scanBlock } from '../../protocol/block/index.ts'
import {
  amountAt,
  outPointAt,
  scanTransaction,
  scriptAt,
  TransactionScan,
  txidAt,
  weightAt,
} from '../../protocol/transaction/index.ts'
import type { MatchedBlock, MatchedTx, Watch } from './ports.ts'

/** The coinbase's only input spends nothing: 32 zero bytes (BIP 30 era rule, Core: COutPoint::IsNull). */
function isCoinbaseAt(scan: TransactionScan, t: number): boolean {
  const first = scan.firstInput[t] as number
  if ((scan.firstInput[t + 1] as number) - first !== 1) return false
  const at = scan.outpoint[first] as number
  for (let i = at; i < at + 36; i++) if (scan.bytes[i] !== (i < at + 32 ? 0 : 0xff)) return false
  return true
}

function outputsOf(scan: TransactionScan, t: number, watch: Watch): MatchedTx['outputs'] {
  const outputs: MatchedTx['outputs'][number][] = []
  const first = scan.firstOutput[t] as number
  for (let o = first; o < (scan.firstOutput[t + 1] as number); o++) {
    const length = scan.scriptLength[o] as number
    if (!watch.hasScript(scan.bytes, scan.script[o] as number, length)) continue
    outputs.push({ vout: o - first, amount: amountAt(scan, o), script: scriptAt(scan, o).slice() })
  }
  return outputs
}

function touchesInputs(scan: TransactionScan, t: number, watch: Watch): boolean {
  for (let i = scan.firstInput[t] as number; i < (scan.firstInput[t + 1] as number); i++)
    if (watch.hasOutpoint(scan.bytes, scan.outpoint[i] as number)) return true
  return false
}

function inputsOf(scan: TransactionScan, t: number): OutPoint[] {
  const inputs: OutPoint[] = []
  for (let i = scan.firstInput[t] as number; i < (scan.firstInput[t + 1] as number); i++)
    inputs.push(outPointAt(scan, i))
  return inputs
}

/**
 * The transactions of a scan that pay a watched script or spend a watched outpoint; only these become objects. New
 * outpoints join the watch at once, so that a spend further down in the same block is found too.
 */
function matchesOf(scan: TransactionScan, watch: Watch): MatchedTx[] {
  const matches: MatchedTx[] = []
  for (let t = 0; t < scan.transactionCount; t++) {
    const outputs = outputsOf(scan, t, watch)
    if (outputs.length === 0 && !touchesInputs(scan, t, watch)) continue
    const txid = txidAt(scan, t)
    const coinbase = isCoinbaseAt(scan, t)
    for (const { vout } of outputs) watch.addOutpoint({ txid, vout })
    matches.push({
      txid,
      coinbase,
      inputs: coinbase ? [] : inputsOf(scan, t),
      vsize: Math.ceil(weightAt(scan, t) / 4),
      outputs,
    })
  }
  return matches
}

/**
 * Finds in a raw block what we watch. The bytes have to be the block that was asked for; where something matches, its
 * merkle root is checked as well, so that a node cannot show a payment that the header does not commit to.
 * @throws EngineError NODE_ANSWER_INVALID
 */
export function matchBlock(
  bytes: Uint8Array,
  ref: BlockRef,
  watch: Watch,
  scratch: TransactionScan = new TransactionScan(),
  hash?: Sha256,
): MatchedBlock {
  const wrong = (reason: string) =>
    new EngineError('NODE_ANSWER_INVALID', `block ${ref.hash} ${reason}`, {
      details: { height: ref.height, hash: ref.hash },
    })
  const scanned = scanBlock(bytes, scratch)
  if (!scanned.ok) throw wrong(`cannot be read: ${scanned.error.message}`)
  const decoded = decodeHeader(bytes)
  if (!decoded.ok || blockHashOf(bytes) !== ref.hash)
    throw wrong('has other bytes than its hash says')
  const { prev, time, merkleRoot } = decoded.value
  const transactions = matchesOf(scanned.value, watch)
  if (transactions.length > 0) {
    const { root, isAmbiguous } = merkleRootOf(scanned.value, hash)
    if (isAmbiguous || toReversedHex(root) !== merkleRoot)
      throw wrong('has transactions that its header does not commit to')
  }
  return { header: { height: ref.height, hash: ref.hash, prev, time }, transactions }
}

/** Finds in a raw mempool transaction what we watch; undefined when nothing does. @throws EngineError NODE_ANSWER_INVALID */
export function matchTransaction(
  bytes: Uint8Array,
  watch: Watch,
  scratch: TransactionScan = new TransactionScan(),
): MatchedTx | undefined {
  const scanned = scanTransaction(bytes, scratch)
  if (!scanned.ok)
    throw new EngineError('NODE_ANSWER_INVALID', `a mempool transaction ${scanned.error.message}`)
  return matchesOf(scanned.value, watch)[0]
}
