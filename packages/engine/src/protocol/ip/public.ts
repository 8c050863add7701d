import { type IpAddress, type IpRange, isInside, parseIpRange } from './address.ts'

const rangesOf = (texts: readonly string[]): readonly IpRange[] =>
  texts.flatMap((text) => parseIpRange(text) ?? [])

/** IANA's special-purpose registries for IPv4 (RFC 6890 and what came after), multicast and the reserved end. */
const SPECIAL_V4 = rangesOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
])
/** The same for IPv6, within the one block that is routed globally. */
const SPECIAL_V6 = rangesOf([
  '2001::/23',
  '2001:db8::/32',
  // 6to4 and NAT64 carry any IPv4 address inside: a translator would lead into the private network.
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
])
const [V4, GLOBAL_V6] = rangesOf(['::ffff:0:0/96', '2000::/3'])

/** True for an address that is routed on the public Internet; what is not known to be public is not. */
export function isPublicIp(address: IpAddress): boolean {
  const inAny = (ranges: readonly IpRange[]) => ranges.some((range) => isInside(address, range))
  if (V4 && isInside(address, V4)) return !inAny(SPECIAL_V4)
  return GLOBAL_V6 !== undefined && isInside(address, GLOBAL_V6) && !inAny(SPECIAL_V6)
}
