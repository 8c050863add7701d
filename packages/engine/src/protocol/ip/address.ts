/** An address as 16 bytes; IPv4 stands in `::ffff:0:0/96` (RFC 4291 2.5.5.2), so that both spellings of one host are equal. */
export type IpAddress = Uint8Array
/** All addresses whose first `bits` bits (0 to 128) are those of `base`. */
export interface IpRange {
  readonly base: IpAddress
  readonly bits: number
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/
const GROUP = /^[\da-f]{1,4}$/i
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const

/**
 * Reads an address strictly: four decimal numbers without leading zeros (what octal readers take otherwise is refused), or
 * RFC 4291 text. No zone, no port, no brackets. Undefined for anything else.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const octets = parseOctets(text)
    return octets && Uint8Array.of(...MAPPED, ...octets)
  }
  return parseIpv6(text)
}

function parseOctets(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => OCTET.test(part))) return undefined
  const octets = parts.map(Number)
  return octets.every((octet) => octet <= 255) ? octets : undefined
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(parseGroups)
  if (!head || (halves.length === 2 && !tail)) return undefined
  const end = tail ?? []
  const zeros = 16 - head.length - end.length
  if (halves.length === 1 ? zeros !== 0 : zeros < 2) return undefined
  return Uint8Array.of(...head, ...new Array<number>(zeros).fill(0), ...end)
}

/** The bytes of one side of `::`; four decimal numbers may stand at the very end. */
function parseGroups(text: string, half: number, halves: readonly string[]): number[] | undefined {
  if (text === '') return halves.length === 2 ? [] : undefined
  const groups = text.split(':')
  const last = groups.at(-1) ?? ''
  const octets = half === halves.length - 1 && last.includes('.') ? parseOctets(last) : []
  if (!octets) return undefined
  const plain = octets.length > 0 ? groups.slice(0, -1) : groups
  if (!plain.every((group) => GROUP.test(group))) return undefined
  const bytes = plain.flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
  return [...bytes, ...octets]
}

/** Reads `address/bits` (CIDR, RFC 4632 and 4291 2.3) or a single address. Bits beyond the prefix must be zero. */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = '', prefix, more] = text.split('/')
  const base = parseIp(address)
  if (!base || more !== undefined) return undefined
  const offset = address.includes(':') ? 0 : 96
  if (prefix === undefined) return { base, bits: 128 }
  if (!OCTET.test(prefix) || Number(prefix) > 128 - offset) return undefined
  const bits = offset + Number(prefix)
  return base.every((byte, i) => (byte & ~maskAt(bits, i)) === 0) ? { base, bits } : undefined
}

/** The part of byte `index` that belongs to a prefix of `bits` bits. */
const maskAt = (bits: number, index: number): number => {
  const own = Math.max(0, Math.min(8, bits - index * 8))
  return (0xff << (8 - own)) & 0xff
}

export const isInside = (address: IpAddress, { base, bits }: IpRange): boolean =>
  base.every((byte, i) => {
    const mask = maskAt(bits, i)
    return ((address[i] ?? 0) & mask) === (byte & mask)
  })

/** Text for people and logs: dotted for IPv4, the RFC 5952 form (longest run of zero groups shortened) else. */
export function formatIp(address: IpAddress): string {
  if (MAPPED.every((byte, i) => address[i] === byte)) return address.slice(12).join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((address[i * 2] ?? 0) << 8) | (address[i * 2 + 1] ?? 0)).toString(16),
  )
  const runs = [...groups.join(':').matchAll(/(?<![\da-f])0(?::0)+(?![\da-f])/g)]
  const longest = runs.reduce<RegExpExecArray | undefined>(
    (best, run) => (best && best[0].length >= run[0].length ? best : run),
    undefined,
  )
  const text = groups.join(':')
  if (!longest) return text
  const before = text.slice(0, longest.index).replace(/:$/, '')
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}`
}
