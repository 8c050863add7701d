import { formatIp, type IpRange, isInside, parseIp } from '@kaccy/bitcoin/protocol/ip'

/**
 * The address of the client: the peer itself, or, when the peer is a trusted proxy, the rightmost address of
 * `X-Forwarded-For` that is no trusted proxy. A list that cannot be read is not believed at all: then it is the peer.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  trusted: readonly IpRange[],
): string {
  const isTrusted = (address: Uint8Array) => trusted.some((range) => isInside(address, range))
  const own = readPeer(peer)
  if (!own) return peer
  if (forwardedFor === undefined || !isTrusted(own.address)) return own.text
  for (const entry of forwardedFor.split(',').reverse()) {
    const address = readEntry(entry.trim())
    if (!address) break
    if (!isTrusted(address)) return formatIp(address)
  }
  return own.text
}

/** Peers that were read lately: most requests come on connections that are kept, or from the one proxy. */
const peers = new Map<string, { readonly address: Uint8Array; readonly text: string }>()
const MOST_PEERS = 1_000

function readPeer(peer: string) {
  const known = peers.get(peer)
  if (known) return known
  const address = parseIp(peer.replace(/%.*$/, ''))
  if (!address) return undefined
  const read = { address, text: formatIp(address) }
  if (peers.size >= MOST_PEERS) peers.clear()
  peers.set(peer, read)
  return read
}

/**
 * True when the address is only that of the last proxy: the request says that somebody else asked, and the configuration
 * does not name the proxy that says so. What is for neighbours alone must not believe such an address.
 */
export function isRelayed(
  peer: string,
  client: string,
  headers: Readonly<Record<string, unknown>>,
): boolean {
  const own = parseIp(peer.replace(/%.*$/, ''))
  if (own && formatIp(own) !== client) return false
  return RELAYED_BY.some((name) => headers[name] !== undefined)
}
const RELAYED_BY = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'] as const

/** An address as proxies write it: bare, in brackets, with a port. */
function readEntry(text: string): Uint8Array | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1]
  const withPort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1]
  return parseIp(bracketed ?? withPort ?? text)
}
