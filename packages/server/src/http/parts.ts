import type { Engine } from '@kaccy/bitcoin'
import type { Clock, Logger, Metrics, Network } from '@kaccy/bitcoin/kernel'
import type { IpRange } from '@kaccy/bitcoin/protocol/ip'
import type { Commits } from './commits.ts'
import type { Principal } from './principal.ts'
import type { StreamSettings } from './stream/policy.ts'

/** How the outside is set up; every value has been read and judged by the configuration. */
export interface HttpSettings {
  /** Address that clients know, for links: `https://pay.example.com`. */
  readonly publicUrl?: string
  readonly trustedProxies: readonly IpRange[]
  /** Only these may call at all; empty: everybody. */
  readonly allowedAddresses: readonly IpRange[]
  /** Origins whose pages may call from a browser; empty: none. */
  readonly origins: readonly string[]
  /** Largest request body, bytes. */
  readonly bodyLimit: number
  /** Requests a minute, by address (before the key is known) and by key. */
  readonly requestsPerMinute: { readonly address: number; readonly key: number }
  /** Bounds of event streams; what is not given has a default. */
  readonly streams?: Partial<StreamSettings>
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer }
}

/** What the HTTP interface stands on. */
export interface AppParts {
  readonly engine: Engine
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: HttpSettings
  readonly metrics?: Metrics
  /** Says when this process committed something; without it streams find it at their next look. */
  readonly commits?: Commits
  /**
   * Who every request is made by, without a key: for commands that ask their own process. Such an app never listens.
   */
  readonly principal?: Principal
}
