import { createEngine } from '@kaccy/bitcoin'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { systemClock, systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { Secret, silentLogger } from '@kaccy/bitcoin/kernel'
import { createApp, type OpenApi } from '@kaccy/bitcoin-server/http'
import { exportMetrics, operationsResource } from '@kaccy/bitcoin-server/operations'

/** The document as `kaccy serve` gives it at /openapi.json. Nothing is asked of a node, and nothing listens. */
export async function readDocument(): Promise<OpenApi> {
  const source = createBitcoindSource({
    url: 'http://127.0.0.1:1',
    auth: { user: 'nobody', password: new Secret('nobody') },
  })
  const parts = { store: createMemoryStore(), source, clock: systemClock, entropy: systemEntropy }
  const engine = await createEngine({ network: 'regtest', ...parts })
  const app = await createApp({
    engine,
    network: 'regtest',
    clock: systemClock,
    logger: silentLogger,
    settings: {
      trustedProxies: [],
      allowedAddresses: [],
      origins: [],
      bodyLimit: 65_536,
      requestsPerMinute: { address: 1, key: 1 },
    },
    more: [
      operationsResource({
        readiness: async () => ({ ready: false, checks: [] }),
        exported: exportMetrics(silentLogger),
        metricsAddresses: undefined,
      }),
    ],
  })
  try {
    const { body } = await app.inject('/openapi.json')
    return JSON.parse(body) as OpenApi
  } finally {
    await app.close()
    await source.close()
  }
}
