import { createHash } from 'node:crypto'
import { type BlockHash, type BlockRef, EngineError, toReversedHex } from '../../kernel/index.ts'
import { isNotFound, refusedCall } from './calls/caller.ts'
import { answerInvalid, type RpcError, readReply } from './envelope.ts'
import { Field } from './field.ts'
import type { Rpc } from './rpc.ts'

const HEADER_BYTES = 80

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** Hash of a block from its first 80 bytes, as people read it. */
export const hashOfHeader = (header: Uint8Array): string =>
  toReversedHex(sha256(sha256(header.subarray(0, HEADER_BYTES))))

/** What a raw header says of itself. Source: Bitcoin's block header layout. */
export function readRawHeader(header: Uint8Array): { prev: BlockHash; time: number } {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  return {
    prev: toReversedHex(header.subarray(4, 36)) as BlockHash,
    time: view.getUint32(68, true),
  }
}

/**
 * Bytes of a block that are proven to be that block's header at least.
 * @throws NODE_BLOCK_PRUNED, NODE_BLOCK_UNKNOWN, NODE_ANSWER_INVALID when the bytes are those of another block.
 */
export async function fetchBlock(rpc: Rpc, ref: BlockRef): Promise<Uint8Array> {
  const { id, body } = await rpc.askRaw('getblock', [ref.hash, 0])
  const bytes = hexResult(body, id) ?? (await readSlowly(rpc, ref, id, body))
  if (bytes.length <= HEADER_BYTES || hashOfHeader(bytes) !== ref.hash) {
    throw answerInvalid('getblock', 'result', 'is not the block that was asked')
  }
  return bytes
}

async function readSlowly(
  rpc: Rpc,
  ref: BlockRef,
  id: number,
  body: Uint8Array,
): Promise<Uint8Array> {
  const reply = readReply('getblock', id, body)
  if (reply.ok) return new Field('getblock', reply.result).bytes()
  throw await blockMissing(rpc, ref, reply.error)
}

/**
 * Core names a pruned block, and one of which it has the header only; btcd says the same of both and of blocks that never
 * were, so its header decides: btcd takes headers with their blocks, known without body is pruned.
 */
async function blockMissing(rpc: Rpc, ref: BlockRef, error: RpcError): Promise<EngineError> {
  const details = { height: ref.height, hash: ref.hash }
  const words = error.code === -1 ? error.message : ''
  const pruned =
    /pruned/i.test(words) ||
    (isNotFound(error) && (await rpc.ask('getblockheader', [ref.hash, false])).ok)
  if (pruned) {
    const message = `the node no longer has block ${ref.height}`
    return new EngineError('NODE_BLOCK_PRUNED', message, { details })
  }
  if (!isNotFound(error) && !/not fully downloaded|not found on disk/i.test(words)) {
    return refusedCall('getblock', error)
  }
  const message = `the node does not have block ${ref.height} yet`
  return new EngineError('NODE_BLOCK_UNKNOWN', message, { details })
}

const QUOTE = 0x22
const START = Buffer.from('"result":"')

/**
 * The one text in a plain answer, straight from bytes to bytes: a full block is 8 MB of hex, and reading it as JSON
 * first costs more than all the rest. Only the exact shapes that nodes write are taken; undefined sends the caller the
 * strict way.
 */
function hexResult(body: Uint8Array, id: number): Uint8Array | undefined {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const start = buffer.subarray(0, 64).indexOf(START)
  if (start < 0) return undefined
  const from = start + START.length
  const to = buffer.indexOf(QUOTE, from)
  if (to < 0 || (to - from) % 2 !== 0) return undefined
  const around = `${buffer.toString('latin1', 0, from)}${buffer.toString('latin1', to)}`.trimEnd()
  const frames = [
    `{"result":"","error":null,"id":${id}}`,
    `{"jsonrpc":"2.0","result":"","id":${id}}`,
    `{"jsonrpc":"1.0","result":"","error":null,"id":${id}}`,
  ]
  if (!frames.includes(around)) return undefined
  const bytes = Buffer.from(buffer.toString('latin1', from, to), 'hex')
  // Node stops at the first character that is no hex digit: a short result is not hex.
  return bytes.length * 2 === to - from
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    : undefined
}
