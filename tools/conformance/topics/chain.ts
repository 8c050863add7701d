import { blockHash, fromHex, toHex } from '@kaccy/bitcoin/kernel'
import {
  blockHashOf,
  checkBlock,
  decodeHeader,
  encodeHeader,
  hasProofOfWork,
  readTransactionProof,
  scanBlock,
  targetOf,
  witnessCommitment,
} from '@kaccy/bitcoin/protocol/block'
import {
  amountAt,
  decodeAt,
  encodeTransaction,
  hasWitnessAt,
  type TransactionScan,
  txidAt,
  weightAt,
} from '@kaccy/bitcoin/protocol/transaction'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  refused,
  runShapes,
  sections,
  type Verdict,
} from '../cases.ts'

export const topic = 'chain'

const hashOf = (bytes: Uint8Array): string => blockHashOf(bytes) ?? 'none'
/** A hash as it stands in the bytes of a block. */
const wire = (display: string): string => toHex(fromHex(display).reverse())

/** The block links to the one before, holds together, and every transaction comes out byte for byte. */
function checkWholeBlock(hex: string, prev: string | undefined): Verdict {
  const bytes = fromHex(hex)
  const header = must(decodeHeader(bytes))
  const scan = must(scanBlock(bytes))
  must(checkBlock(scan))
  for (let t = 0; t < scan.transactionCount; t++) {
    const raw = bytes.subarray(scan.start[t], scan.end[t])
    const again = toHex(encodeTransaction(decodeAt(scan, t)))
    if (again !== toHex(raw)) return `transaction ${t} came out differently`
  }
  return differs({
    prev: [header.prev, prev ?? header.prev],
    header: [toHex(encodeHeader(header)), hex.slice(0, 160)],
  })
}

interface Stats {
  readonly blockhash: string
  readonly height: number
  readonly [field: string]: unknown
}
/** What `getblockstats` counts without the spent outputs; the coinbase stands outside most of its sums. */
function countBlock(scan: TransactionScan): Readonly<Record<string, number>> {
  const paying = Array.from({ length: scan.transactionCount - 1 }, (_, i) => i + 1)
  const size = (t: number) => (scan.end[t] ?? 0) - (scan.start[t] ?? 0)
  const sum = (list: readonly number[], of: (t: number) => number) =>
    list.reduce((total, t) => total + of(t), 0)
  const segwit = paying.filter((t) => hasWitnessAt(scan, t))
  let paid = 0n
  for (let o = scan.firstOutput[1] ?? 0; o < scan.outputCount; o++) paid += amountAt(scan, o)
  const sizes = paying.map(size)
  return {
    txs: scan.transactionCount,
    ins: scan.inputCount - 1,
    outs: scan.outputCount,
    utxo_increase: scan.outputCount - (scan.inputCount - 1),
    total_size: sum(paying, size),
    total_weight: sum(paying, (t) => weightAt(scan, t)),
    swtxs: segwit.length,
    swtotal_size: sum(segwit, size),
    swtotal_weight: sum(segwit, (t) => weightAt(scan, t)),
    total_out: Number(paid),
    maxtxsize: Math.max(0, ...sizes),
    mintxsize: sizes.length === 0 ? 0 : Math.min(...sizes),
  }
}
function checkStats(stats: Stats, hex: string | undefined): Verdict {
  if (hex === undefined) return { skip: 'the file has no block at this height' }
  const bytes = fromHex(hex)
  const counted = countBlock(must(scanBlock(bytes)))
  const pairs = Object.entries(counted)
    .filter(([name]) => name in stats)
    .map(([name, value]) => [name, [value, stats[name]]])
  return differs({
    blockhash: [hashOf(bytes), stats.blockhash],
    time: [must(decodeHeader(bytes)).time, stats['time']],
    ...(Object.fromEntries(pairs) as Record<string, readonly [unknown, unknown]>),
  })
}
const recordedChain = jsonShape<{
  readonly blocks: readonly string[]
  readonly stats: readonly Stats[]
}>(
  (data) => isRecord(data, 'blocks', 'stats'),
  function* ({ blocks, stats }): Generator<Case> {
    for (const [height, hex] of blocks.entries()) {
      const before = blocks[height - 1]
      const described = stats.filter((one) => one.height === height)
      yield [
        `block ${height}`,
        () => {
          const verdict = checkWholeBlock(hex, before && hashOf(fromHex(before)))
          return verdict ?? described.map((one) => checkStats(one, hex)).find((one) => one)
        },
      ]
    }
    for (const one of stats.filter(({ height }) => blocks[height] === undefined)) {
      yield [`statistics of ${one.height}`, () => checkStats(one, blocks[one.height])]
    }
  },
)

const branches = jsonShape<
  readonly { readonly file: string; readonly blocks: readonly string[] }[]
>(
  (data) => isTable(data, 'file', 'blocks'),
  function* (files): Generator<Case> {
    const known = new Set<string>()
    for (const { file, blocks } of files) {
      for (const [i, hex] of blocks.entries()) {
        yield [
          `${file} ${i}`,
          () => {
            const bytes = fromHex(hex)
            const { prev, bits } = must(decodeHeader(bytes))
            const isLinked = known.size === 0 || known.has(prev)
            known.add(hashOf(bytes))
            if (!hasProofOfWork(blockHash(hashOf(bytes)), bits, 'main')) return 'lacks its work'
            return isLinked ? checkWholeBlock(hex, undefined) : 'follows no block of the file'
          },
        ]
      }
    }
  },
)

interface PeerBlock {
  readonly description: string
  readonly hex: string
  readonly id: string
  readonly hash: string
  readonly prevHash: string
  readonly merkleRoot: string
  readonly version: number
  readonly timestamp: number
  readonly bits: number
  readonly nonce: number
  readonly valid: boolean
  readonly witnessCommit?: string
}
function checkPeerBlock(row: PeerBlock): Verdict {
  const bytes = fromHex(row.hex)
  const header = must(decodeHeader(bytes))
  const fields = differs({
    id: [hashOf(bytes), row.id],
    hash: [wire(hashOf(bytes)), row.hash],
    prevHash: [wire(header.prev), row.prevHash],
    merkleRoot: [wire(header.merkleRoot), row.merkleRoot],
    version: [header.version, row.version],
    timestamp: [header.time, row.timestamp],
    bits: [header.bits, row.bits],
    nonce: [header.nonce, row.nonce],
    valid: [hasProofOfWork(blockHash(hashOf(bytes)), header.bits), row.valid],
  })
  if (fields !== undefined || bytes.length === 80) return fields
  const commitment = witnessCommitment(must(scanBlock(bytes)))
  return differs({
    witnessCommit: [commitment === undefined ? undefined : toHex(commitment), row.witnessCommit],
  })
}
const peerBlocks = jsonShape<object>(
  (data) => isRecord(data, 'valid', 'invalid') && 'targets' in data,
  (data) =>
    sections(data, {
      targets: ({ bits, expected }: { bits: string; expected: string }) =>
        differs({ target: [targetOf(Number.parseInt(bits, 16)), BigInt(`0x${expected}`)] }),
      valid: checkPeerBlock,
      invalid: ({ hex }: { hex: string }) => refused(decodeHeader(fromHex(hex))),
    }),
)

const proofs = jsonShape<{ readonly block: string; readonly merkle_block: string }>(
  (data) => isRecord(data, 'block', 'merkle_block'),
  function* ({ block, merkle_block }): Generator<Case> {
    yield [
      'proof',
      () => {
        const scan = must(scanBlock(fromHex(block)))
        const proof = must(readTransactionProof(fromHex(merkle_block)))
        must(checkBlock(scan, { hash: proof.hash }))
        if (proof.transactions.length === 0) return 'proves nothing'
        for (const { txid, index } of proof.transactions) {
          if (txidAt(scan, index) !== txid) return `transaction ${index} is another one`
        }
        return differs({ total: [proof.total, scan.transactionCount] })
      },
    ]
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [recordedChain, branches, peerBlocks, proofs])
