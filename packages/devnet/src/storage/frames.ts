import { crc32 } from 'node:zlib'

/**
 * A log file is its magic and then frames, each written by one call: 12 bytes of head, then a payload.
 *
 *     u32 length of the payload | u32 CRC-32 of these four bytes | u32 CRC-32 of the payload | payload
 *
 * Little-endian. A process that is killed leaves a prefix of its last frame: the torn tail, which is cut off. A head of its own
 * checksum tells a torn tail from a length that the disk has bent.
 */
export const MAGIC = new TextEncoder().encode('kaccydev')
const HEAD = 12

export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEAD + payload.length)
  const view = new DataView(frame.buffer)
  view.setUint32(0, payload.length, true)
  view.setUint32(4, crc32(frame.subarray(0, 4)), true)
  view.setUint32(8, crc32(payload), true)
  frame.set(payload, HEAD)
  return frame
}

export interface ReadFrames {
  readonly payloads: readonly Uint8Array[]
  /** Bytes up to the end of the last whole frame. */
  readonly length: number
  /** What stands after that and is no torn tail: where, and what is wrong. */
  readonly damage?: { readonly at: number; readonly what: string }
}
/** All whole frames behind the magic. A bad frame with data behind it is damage; at the end of the file it is a torn tail. */
export function readFrames(bytes: Uint8Array): ReadFrames {
  const payloads: Uint8Array[] = []
  let at = MAGIC.length
  while (at + HEAD <= bytes.length) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEAD)
    const length = view.getUint32(0, true)
    if (view.getUint32(4, true) !== crc32(bytes.subarray(at, at + 4))) {
      // A file system that grew the file before it wrote the data leaves zeros behind a power cut.
      if (bytes.subarray(at).every((byte) => byte === 0)) break
      return { payloads, length: at, damage: { at, what: 'the head of a record is not right' } }
    }
    const end = at + HEAD + length
    if (end > bytes.length) break
    const payload = bytes.subarray(at + HEAD, end)
    if (view.getUint32(8, true) !== crc32(payload)) {
      if (end === bytes.length) break
      return { payloads, length: at, damage: { at, what: 'the checksum of a record is not right' } }
    }
    payloads.push(payload)
    at = end
  }
  return { payloads, length: at }
}
