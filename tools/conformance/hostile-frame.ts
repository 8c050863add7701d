import { createEngine } from '@kaccy/bitcoin'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { systemClock, systemEntropy } from '@kaccy/bitcoin/adapters/system'
import type { Details } from '@kaccy/bitcoin/kernel'
import { parseIpRange } from '@kaccy/bitcoin/protocol/ip'
import { createApp } from '@kaccy/bitcoin-server/http'
import { createLogger } from '@kaccy/bitcoin-server/operations'
import { createDevnetInProcess } from '@kaccy/devnet'
import { devnetSource } from '../regtest/devnet-source.ts'

/** The client's address as a server that trusts these proxies sees and logs it. */
export async function seenFrom(
  peer: string,
  forwardedFor: string | null,
  proxies: readonly string[],
): Promise<string | undefined> {
  let client: string | undefined
  const devnet = createDevnetInProcess({ seed: 'hostile', clock: () => systemClock.now() })
  const app = await createApp({
    engine: await createEngine({
      network: 'regtest',
      store: createMemoryStore(),
      source: devnetSource(devnet),
      clock: systemClock,
      entropy: systemEntropy,
    }),
    network: 'regtest',
    clock: systemClock,
    logger: {
      log: (_level, message, details = {}) => {
        if (message === 'request') client = String(details['client'])
      },
    },
    settings: {
      trustedProxies: proxies.flatMap((text) => parseIpRange(text) ?? []),
      allowedAddresses: [],
      origins: [],
      bodyLimit: 65_536,
      requestsPerMinute: { address: 1_000, key: 1_000 },
    },
  })
  await app.inject({
    url: '/v1/chain',
    remoteAddress: peer,
    headers: { host: 'x', ...(forwardedFor === null ? {} : { 'x-forwarded-for': forwardedFor }) },
  })
  await app.close()
  return client
}

/** One line of the server's log about these facts. */
export function lineOf(form: 'text' | 'json', details: Details): string {
  let line = ''
  const output = {
    write: (text: string) => {
      line += text
    },
  }
  createLogger({ output, least: 'debug', form, now: systemClock.now }).log('info', 'case', details)
  return line
}
