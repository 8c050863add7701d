/**
 * The bytes of ZMTP 3.1 over TCP, NULL mechanism. Source: ZeroMQ RFC 23 (ZMTP 3.0) and RFC 37 (ZMTP 3.1).
 */

/** Frames of a subscriber are subscriptions, commands and heartbeats: anything longer is no subscriber. */
const MAX_INCOMING = 65_536
const GREETING_SIZE = 64
const MECHANISM = 'NULL'
const MORE = 1
const LONG = 2
const COMMAND = 4

/** What we say first: version 3.1, mechanism NULL, not a server. */
export function greeting(): Buffer {
  const bytes = Buffer.alloc(GREETING_SIZE)
  bytes[0] = 0xff
  bytes[9] = 0x7f
  bytes[10] = 3
  bytes[11] = 1
  bytes.write(MECHANISM, 12, 'latin1')
  return bytes
}

/** One message of several parts as it goes over the wire. */
export function encodeMessage(parts: readonly Uint8Array[]): Buffer {
  const frames: Uint8Array[] = []
  for (const [i, part] of parts.entries()) {
    frames.push(frameHead(part.length, i + 1 < parts.length ? MORE : 0), part)
  }
  return Buffer.concat(frames)
}
/** A command frame: the length of its name, its name, its data. */
export function encodeCommand(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.of(name.length), Buffer.from(name, 'latin1'), data])
  return Buffer.concat([frameHead(body.length, COMMAND), body])
}
function frameHead(size: number, flags: number): Buffer {
  if (size < 256) return Buffer.of(flags, size)
  const head = Buffer.alloc(9)
  head[0] = flags | LONG
  head.writeBigUInt64BE(BigInt(size), 1)
  return head
}
/** Metadata of READY: names with one byte of length, values with four. */
export function encodeProperties(properties: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = []
  for (const [name, value] of Object.entries(properties)) {
    const size = Buffer.alloc(4)
    size.writeUInt32BE(value.length)
    parts.push(
      Buffer.of(name.length),
      Buffer.from(name, 'latin1'),
      size,
      Buffer.from(value, 'latin1'),
    )
  }
  return Buffer.concat(parts)
}
/** Undefined when the bytes are no metadata. Names compare without case: they come out in lower case. */
export function decodeProperties(bytes: Buffer): ReadonlyMap<string, string> | undefined {
  const properties = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const nameSize = bytes[at] ?? 0
    const valueAt = at + 1 + nameSize + 4
    if (nameSize === 0 || valueAt > bytes.length) return undefined
    const end = valueAt + bytes.readUInt32BE(valueAt - 4)
    if (end > bytes.length) return undefined
    const name = bytes.toString('latin1', at + 1, at + 1 + nameSize)
    properties.set(name.toLowerCase(), bytes.toString('latin1', valueAt, end))
    at = end
  }
  return properties
}

/** One thing that a peer said. */
export type Incoming =
  | { readonly kind: 'greeting'; readonly minor: number }
  | { readonly kind: 'command'; readonly name: string; readonly data: Buffer }
  | { readonly kind: 'frame'; readonly body: Buffer; readonly more: boolean }
  /** Not ZMTP 3, or not what a subscriber may say: the connection is to be closed. */
  | { readonly kind: 'fault'; readonly reason: string }

const fault = (reason: string): Incoming => ({ kind: 'fault', reason })

/** Cuts a stream of bytes into what was said. After a fault it stays silent. */
export class Decoder {
  #bytes: Buffer = Buffer.alloc(0)
  #greeted = false
  #broken = false

  feed(part: Uint8Array): readonly Incoming[] {
    const said: Incoming[] = []
    if (this.#broken) return said
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(part) : Buffer.concat([this.#bytes, part])
    while (!this.#broken) {
      const next = this.#greeted ? this.#frame() : this.#greeting()
      if (!next) return said
      said.push(next)
      this.#broken = next.kind === 'fault'
    }
    this.#bytes = Buffer.alloc(0)
    return said
  }
  #greeting(): Incoming | undefined {
    const bytes = this.#bytes
    // A stranger is told apart by its first bytes, before it has sent a whole greeting.
    if (bytes.length > 0 && bytes[0] !== 0xff) return fault('no ZMTP signature')
    if (bytes.length > 9 && ((bytes[9] ?? 0) & 1) === 0) return fault('no ZMTP signature')
    if (bytes.length > 10 && (bytes[10] ?? 0) < 3) return fault('ZMTP older than 3.0')
    if (bytes.length < GREETING_SIZE) return undefined
    const mechanism = bytes.toString('latin1', 12, 32).replace(/\0+$/, '')
    if (mechanism !== MECHANISM) return fault(`mechanism ${mechanism} is not served`)
    this.#greeted = true
    this.#bytes = bytes.subarray(GREETING_SIZE)
    return { kind: 'greeting', minor: bytes[11] ?? 0 }
  }
  #frame(): Incoming | undefined {
    const bytes = this.#bytes
    const flags = bytes[0]
    if (flags === undefined) return undefined
    if (flags > (MORE | LONG | COMMAND)) return fault('reserved flags')
    if (flags & COMMAND && flags & MORE) return fault('a command has one frame')
    const head = flags & LONG ? 9 : 2
    if (bytes.length < head) return undefined
    const size = flags & LONG ? Number(bytes.readBigUInt64BE(1)) : (bytes[1] ?? 0)
    if (size > MAX_INCOMING) return fault('a frame too long for a subscriber')
    if (bytes.length < head + size) return undefined
    const body = bytes.subarray(head, head + size)
    this.#bytes = bytes.subarray(head + size)
    if (!(flags & COMMAND)) return { kind: 'frame', body, more: (flags & MORE) !== 0 }
    const nameSize = body[0] ?? 0
    if (nameSize === 0 || nameSize + 1 > size) return fault('a command without a name')
    const name = body.toString('latin1', 1, 1 + nameSize)
    return { kind: 'command', name, data: body.subarray(1 + nameSize) }
  }
}
