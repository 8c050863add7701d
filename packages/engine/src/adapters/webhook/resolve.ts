import { Resolver } from 'node:dns/promises'

/** All addresses of a name, as text. Rejects when it has none. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** Names that stand for this machine without any server: RFC 6761 6.3. */
const LOOPBACK = ['127.0.0.1', '::1']
const isLoopback = (host: string) => host === 'localhost' || host.endsWith('.localhost')

/**
 * Asks the system's name servers, IPv4 first. Not `dns.lookup`: that takes one of the few threads of the process for as long as
 * the server of a foreign name likes to take, and a hostile one takes them all.
 */
export const systemResolve: Resolve = async (host) => {
  if (isLoopback(host)) return LOOPBACK
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const found = [v4, v6].flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  if (found.length === 0 && v4.status === 'rejected') throw v4.reason
  return found
}
