import { createEngine } from '@kaccy/bitcoin'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { systemClock, systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { Secret, silentLogger } from '@kaccy/bitcoin/kernel'
import { createApp } from '@kaccy/bitcoin-server/http'
import { exportMetrics, operationsResource } from '@kaccy/bitcoin-server/operations'

/** The parts of an OpenAPI 3.1 document that the page shows. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
}
export interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
}
type Content = Readonly<Record<string, { readonly schema?: Schema }>>
export interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly security?: readonly object[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

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
