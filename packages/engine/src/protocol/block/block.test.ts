import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Block as Peer } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockHash, fromHex, toHex, toReversedHex } from '../../kernel/index.ts'
import {
  amountAt,
  doubleSha256,
  outPointAt,
  scriptAt,
  TransactionScan,
  transactionOfInput,
  transactionOfOutput,
  txidAt,
  wtxidAt,
} from '../transaction/index.ts'
import {
  blockHashOf,
  blockWeight,
  checkBlock,
  decodeHeader,
  encodeHeader,
  hasProofOfWork,
  merkleRoot,
  readTransactionProof,
  scanBlock,
  targetOf,
  witnessCommitment,
} from './index.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const hasVectors = existsSync(join(shared, 'vectors'))
const vectors = <T>(file: string, otherwise: T): T =>
  hasVectors ? JSON.parse(readFileSync(join(shared, 'vectors/chain', file), 'utf8')) : otherwise
const recorded = describe.skipIf(!hasVectors) // The reason is in each title.
const scanned = (bytes: Uint8Array, into?: TransactionScan): TransactionScan => {
  const result = scanBlock(bytes, into)
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}
const regtest = vectors<{ blocks: string[] }>('core_rpc_getblockstats.json', { blocks: [] }).blocks
const main = vectors<{ blocks: string[] }[]>('btcd_reorg_blocks.json', []).flatMap(
  (one) => one.blocks,
)
interface PeerCase {
  description: string
  hex: string
  id: string
  valid: boolean
  size?: number
  witnessCommit?: string
}
const peers = vectors<{
  valid: PeerCase[]
  invalid: { hex: string }[]
  targets: { bits: string; expected: string }[]
}>('bitcoinjs_block.json', { valid: [], invalid: [], targets: [] })
const proof = vectors('rust_bitcoin_merkle_block.json', { block: '', merkle_block: '' })
const real = fromHex(proof.block)
const blocks = [...regtest, ...main, ...peers.valid.map(({ hex }) => hex), proof.block]
  .map(fromHex)
  .filter((bytes) => bytes.length > 80)

recorded('scanning (SKIPPED where ../shared is not there)', () => {
  it('finds in every block what another library finds by building objects', () => {
    const reused = new TransactionScan()
    for (const bytes of blocks) {
      const scan = scanned(bytes, reused)
      const peer = Peer.fromBuffer(bytes)
      const transactions = peer.transactions ?? []
      expect(scan.transactionCount).toBe(transactions.length)
      expect(blockWeight(scan)).toBe(peer.weight())
      let i = 0
      let o = 0
      transactions.forEach((transaction, t) => {
        expect(txidAt(scan, t)).toBe(transaction.getId())
        if (t > 0) expect(wtxidAt(scan, t)).toBe(toReversedHex(transaction.getHash(true)))
        for (const input of transaction.ins) {
          expect(transactionOfInput(scan, i)).toBe(t)
          const point = { txid: toReversedHex(input.hash), vout: input.index }
          expect(outPointAt(scan, i++)).toEqual(point)
        }
        for (const output of transaction.outs) {
          expect(transactionOfOutput(scan, o)).toBe(t)
          expect(amountAt(scan, o)).toBe(output.value)
          expect(toHex(scriptAt(scan, o++))).toBe(toHex(output.script))
        }
      })
      expect([scan.inputCount, scan.outputCount]).toEqual([i, o])
    }
    expect(blocks.length).toBeGreaterThan(110)
  })

  it('refuses every part of a block, bytes behind it and a header alone', () => {
    const small = fromHex(regtest[103] ?? '')
    for (let length = 0; length < small.length; length++) {
      const result = scanBlock(small.subarray(0, length))
      expect(result).toMatchObject({ ok: false, error: { code: 'CHAIN_BLOCK_INVALID' } })
    }
    expect(scanBlock(Uint8Array.of(...small, 0)).ok).toBe(false)
    for (let length = real.length - 3_000; length < real.length; length += 7) {
      expect(scanBlock(real.subarray(0, length)).ok).toBe(false)
    }
  })

  it('survives any damage: a refusal, or a block whose scan stays inside its bytes', () => {
    const small = fromHex(regtest[103] ?? '')
    const scan = new TransactionScan()
    fc.assert(
      fc.property(fc.integer({ min: 80, max: small.length - 1 }), fc.nat(255), (at, byte) => {
        const damaged = small.slice()
        damaged[at] = byte
        if (!scanBlock(damaged, scan).ok) return
        for (let o = 0; o < scan.outputCount; o++) {
          const end = (scan.script[o] ?? Number.NaN) + (scan.scriptLength[o] ?? Number.NaN)
          expect(end).toBeLessThanOrEqual(damaged.length)
        }
        for (let i = 0; i < scan.inputCount; i++) {
          expect((scan.outpoint[i] ?? Number.NaN) + 36).toBeLessThanOrEqual(damaged.length)
        }
        expect(scan.end[scan.transactionCount - 1]).toBe(damaged.length)
      }),
      { numRuns: 3_000 },
    )
  })

  it('refuses counts that the bytes cannot hold at once, whatever they promise', () => {
    const header = fromHex(regtest[0] ?? '').subarray(0, 80)
    const with_ = (...rest: number[]) => Uint8Array.of(...header, ...rest)
    for (const count of [
      [0],
      [0xfd, 0xff, 0xff],
      [0xfe, 0, 0, 0, 2],
      [0xff, 1, 0, 0, 0, 0, 0, 0, 0],
    ]) {
      expect(scanBlock(with_(...count, ...new Array(60).fill(0))).ok).toBe(false)
    }
    expect(scanBlock(new Uint8Array(4_000_001)).ok).toBe(false)
  })

  it('refuses a block above 4,000,000 weight units', () => {
    const header = fromHex(regtest[0] ?? '').subarray(0, 80)
    const block = (script: number) => {
      const bytes = new Uint8Array(80 + 1 + 4 + 1 + 41 + 1 + 8 + 5 + script + 4)
      bytes.set(header)
      bytes.set([1, 1, 0, 0, 0, 1], 80)
      bytes.set([1, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe], 80 + 1 + 4 + 1 + 41)
      new DataView(bytes.buffer).setUint32(80 + 1 + 4 + 1 + 41 + 1 + 8 + 1, script, true)
      return bytes
    }
    const room = 1_000_000 - block(0).length
    expect(scanBlock(block(room)).ok).toBe(true)
    expect(scanBlock(block(room + 1)).ok).toBe(false)
  })
})

recorded('headers (SKIPPED where ../shared is not there)', () => {
  it('come out byte for byte and link the recorded chain', () => {
    let prev = '0'.repeat(64)
    for (const bytes of regtest.map(fromHex)) {
      const header = decodeHeader(bytes)
      if (!header.ok) throw new Error(header.error.message)
      expect(encodeHeader(header.value)).toEqual(bytes.slice(0, 80))
      expect(header.value.prev).toBe(prev)
      prev = blockHashOf(bytes) ?? ''
      expect(hasProofOfWork(blockHash(prev), header.value.bits, 'regtest')).toBe(true)
      expect(hasProofOfWork(blockHash(prev), header.value.bits, 'main')).toBe(false)
    }
  })

  it.each(peers.targets)('expands $bits', ({ bits, expected }) => {
    expect(targetOf(Number.parseInt(bits, 16))).toBe(BigInt(`0x${expected}`))
  })
  it('has no target that is negative, zero or too large', () => {
    for (const bits of [0, 0x0100_0000, 0x0080_0000, 0x0492_3456, 0x2300_0100, 0xff12_3456]) {
      expect(targetOf(bits)).toBeUndefined()
    }
    expect(targetOf(0x0312_3456)).toBe(0x123456n)
    expect(targetOf(0x0112_3456)).toBe(0x12n)
    expect(targetOf(0x2200_00ff)).toBe(0xffn << 248n)
  })
  it.each(peers.valid)('checks the work of "$description"', ({ hex, id, valid }) => {
    const bytes = fromHex(hex)
    const header = decodeHeader(bytes)
    expect(blockHashOf(bytes)).toBe(id)
    expect(header.ok && hasProofOfWork(blockHash(id), header.value.bits)).toBe(valid)
  })
  it.each(peers.invalid)('refuses what is shorter than a header', ({ hex }) => {
    expect(decodeHeader(fromHex(hex)).ok).toBe(false)
    expect(blockHashOf(fromHex(hex))).toBeUndefined()
  })
})

recorded('checking (SKIPPED where ../shared is not there)', () => {
  it('takes the recorded blocks of both networks', () => {
    for (const bytes of regtest.map(fromHex)) {
      expect(checkBlock(scanned(bytes), { network: 'regtest' }).ok).toBe(true)
    }
    for (const bytes of [...main.map(fromHex), real]) {
      expect(checkBlock(scanned(bytes), { network: 'main' }).ok).toBe(true)
    }
  })

  it('refuses another block than the one asked for', () => {
    const hash = blockHash('00'.repeat(32))
    expect(checkBlock(scanned(real), { hash }).ok).toBe(false)
  })

  it('notices every changed byte', () => {
    const bytes = fromHex(regtest[102] ?? '')
    const scan = new TransactionScan()
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      if (!scanBlock(changed, scan).ok) continue
      const original = blockHashOf(bytes)
      expect(checkBlock(scan, original === undefined ? {} : { hash: original }).ok).toBe(false)
    }
  })

  it('refuses a block that repeats its last transactions under the same root', () => {
    const leaves = [1, 2, 3].map((n) => new Uint8Array(32).fill(n))
    const repeated = [...leaves, leaves[2] ?? new Uint8Array(32)]
    expect(merkleRoot(repeated).root).toEqual(merkleRoot(leaves).root)
    expect(merkleRoot(leaves).isAmbiguous).toBe(false)
    expect(merkleRoot(repeated).isAmbiguous).toBe(true)
  })

  it('finds the commitment to the witnesses', () => {
    const withCommitment = peers.valid.filter((one) => one.witnessCommit !== undefined)
    for (const { hex, witnessCommit } of withCommitment) {
      expect(toHex(witnessCommitment(scanned(fromHex(hex))) ?? new Uint8Array(0))).toBe(
        witnessCommit,
      )
    }
    const regtestBlock = scanned(fromHex(regtest[103] ?? ''))
    expect(witnessCommitment(regtestBlock)).toHaveLength(32)
    expect(witnessCommitment(scanned(real))).toBeUndefined()
  })
})

/** The proof that a full node would write, built the other way round: from the leaves. */
function buildProof(header: Uint8Array, leaves: readonly Uint8Array[], wanted: readonly number[]) {
  const levels = [leaves]
  while ((levels.at(-1)?.length ?? 0) > 1) {
    const below = levels.at(-1) ?? []
    const above: Uint8Array[] = []
    for (let i = 0; i < below.length; i += 2) {
      const left = below[i] ?? new Uint8Array(32)
      above.push(doubleSha256(Uint8Array.of(...left, ...(below[i + 1] ?? left))))
    }
    levels.push(above)
  }
  const flags: number[] = []
  const hashes: Uint8Array[] = []
  const visit = (height: number, at: number) => {
    const leads = wanted.some((index) => index >> height === at)
    flags.push(leads ? 1 : 0)
    if (height === 0 || !leads) hashes.push(levels[height]?.[at] ?? new Uint8Array(32))
    else {
      visit(height - 1, 2 * at)
      if (2 * at + 1 < (levels[height - 1]?.length ?? 0)) visit(height - 1, 2 * at + 1)
    }
  }
  visit(levels.length - 1, 0)
  const packed = new Uint8Array(Math.ceil(flags.length / 8))
  flags.forEach((flag, i) => {
    packed[i >> 3] = (packed[i >> 3] ?? 0) | (flag << (i & 7))
  })
  const bytes = Uint8Array.of(
    ...header.subarray(0, 36),
    ...(levels.at(-1)?.[0] ?? []),
    ...header.subarray(68, 80),
    ...[leaves.length, 0, 0, 0, hashes.length],
    ...hashes.flatMap((hash) => [...hash]),
    packed.length,
    ...packed,
  )
  return bytes
}

recorded('proofs of inclusion (SKIPPED where ../shared is not there)', () => {
  it('prove the recorded transaction of the recorded block', () => {
    const scan = scanned(real)
    const read = readTransactionProof(fromHex(proof.merkle_block))
    if (!read.ok) throw new Error(read.error.message)
    expect(read.value.hash).toBe(blockHashOf(real))
    expect(read.value.total).toBe(scan.transactionCount)
    expect(read.value.transactions.length).toBeGreaterThan(0)
    for (const { txid, index } of read.value.transactions) expect(txidAt(scan, index)).toBe(txid)
  })

  it('prove exactly the transactions they were made for', () => {
    const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const leaves = fc.uniqueArray(leaf, { minLength: 1, maxLength: 40, selector: toHex })
    fc.assert(
      fc.property(leaves, fc.infiniteStream(fc.boolean()), (list, coin) => {
        const wanted = list.map((_, i) => i).filter(() => coin.next().value)
        const read = readTransactionProof(buildProof(real, list, wanted))
        if (!read.ok) throw new Error(read.error.message)
        expect(read.value.total).toBe(list.length)
        expect(read.value.transactions).toEqual(
          wanted.map((index) => ({ index, txid: toReversedHex(list[index] ?? new Uint8Array(0)) })),
        )
      }),
    )
  })

  it('never prove what is not so, whatever byte is changed, missing or too many', () => {
    const whole = fromHex(proof.merkle_block)
    const genuine = blockHashOf(whole)
    const scan = scanned(real)
    for (let at = 0; at < whole.length; at++) {
      expect(readTransactionProof(whole.subarray(0, at)).ok).toBe(false)
      const changed = whole.slice()
      changed[at] = (changed[at] ?? 0) ^ 0x40
      const read = readTransactionProof(changed)
      // What is not under the root changes the hash of the header; a flag of a leaf proves its neighbour instead.
      if (!read.ok || read.value.hash !== genuine) continue
      for (const { txid, index } of read.value.transactions) expect(txidAt(scan, index)).toBe(txid)
    }
    expect(readTransactionProof(Uint8Array.of(...whole, 0)).ok).toBe(false)
  })

  it('refuse equal halves, which would prove one transaction twice', () => {
    const leaf = new Uint8Array(32).fill(7)
    expect(readTransactionProof(buildProof(real, [leaf, leaf], [0, 1])).ok).toBe(false)
    expect(readTransactionProof(buildProof(real, [leaf], [0])).ok).toBe(true)
  })
})
