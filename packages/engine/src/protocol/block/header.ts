import {
  type BlockHash,
  fromHex,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
  toReversedHex,
} from '../../kernel/index.ts'
import { doubleSha256, uint32, writeUint32 } from '../transaction/index.ts'

export type BlockRefusal = Refusal<'CHAIN_BLOCK_INVALID'>

export const HEADER_LENGTH = 80

export interface BlockHeader {
  /** Signed 32 bits, as Core prints it. */
  readonly version: number
  readonly prev: BlockHash
  /** 64 hex digits in display order. */
  readonly merkleRoot: string
  /** Seconds since the epoch, as the miner wrote it: evidence, never a clock. */
  readonly time: number
  /** The target in its compact form. */
  readonly bits: number
  readonly nonce: number
}

export const refuseBlock = (
  fault: string,
  details: Readonly<Record<string, string | number>> = {},
): { readonly ok: false; readonly error: BlockRefusal } =>
  refuse('CHAIN_BLOCK_INVALID', `the block ${fault}`, { details })

/** Decodes the 80 bytes of a header, or the header that a block begins with. Work and links are not checked. */
export function decodeHeader(bytes: Uint8Array): Result<BlockHeader, BlockRefusal> {
  if (bytes.length < HEADER_LENGTH) return refuseBlock('is shorter than a header')
  return ok({
    version: uint32(bytes, 0) | 0,
    prev: toReversedHex(bytes.subarray(4, 36)) as BlockHash,
    merkleRoot: toReversedHex(bytes.subarray(36, 68)),
    time: uint32(bytes, 68),
    bits: uint32(bytes, 72),
    nonce: uint32(bytes, 76),
  })
}

export function encodeHeader(header: BlockHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH)
  writeUint32(bytes, 0, header.version)
  bytes.set(fromHex(header.prev).reverse(), 4)
  bytes.set(fromHex(header.merkleRoot).reverse(), 36)
  writeUint32(bytes, 68, header.time)
  writeUint32(bytes, 72, header.bits)
  writeUint32(bytes, 76, header.nonce)
  return bytes
}

/** The hash of a header, or of the block that begins with it. Undefined for fewer than 80 bytes. */
export const blockHashOf = (bytes: Uint8Array): BlockHash | undefined =>
  bytes.length < HEADER_LENGTH
    ? undefined
    : (toReversedHex(doubleSha256(bytes.subarray(0, HEADER_LENGTH))) as BlockHash)

/** Expands the compact target. Undefined when it is negative, zero or does not fit 256 bits. Source: Core, SetCompact. */
export function targetOf(bits: number): bigint | undefined {
  const exponent = bits >>> 24
  const mantissa = bits & 0x7f_ffff
  const shift = 8 * (exponent - 3)
  const target = shift < 0 ? BigInt(mantissa) >> BigInt(-shift) : BigInt(mantissa) << BigInt(shift)
  if (target === 0n || target >= 2n ** 256n) return undefined
  return (bits & 0x80_0000) === 0 ? target : undefined
}

/** The easiest target that each network allows. Source: Core, consensus.powLimit. */
const EASIEST: Readonly<Record<Network, bigint>> = {
  main: (1n << 224n) - 1n,
  test: (1n << 224n) - 1n,
  testnet4: (1n << 224n) - 1n,
  signet: 0x377aen << 216n,
  regtest: (1n << 255n) - 1n,
}

/**
 * Does this hash show the work that its header claims? With a network, the claim must also not be easier than that
 * network allows. Whether the claim is what the chain demands at that height is the node's business.
 */
export function hasProofOfWork(hash: BlockHash, bits: number, network?: Network): boolean {
  const target = targetOf(bits)
  if (target === undefined) return false
  if (network !== undefined && target > EASIEST[network]) return false
  return BigInt(`0x${hash}`) <= target
}
