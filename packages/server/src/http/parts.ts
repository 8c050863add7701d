import type { Engine } from '@kaccy/bitcoin'
import type { Clock, Logger, Metrics, Network } from '@kaccy/bitcoin/kernel'
import type { IpRange } from '@kaccy/bitcoin/protocol/ip'
import type { Drain } from './drain.ts'
import type { PayOptions } from '../pay/index.ts'
import type { Principal } from './principal.ts'
import type { StreamSettings } from './stream/policy.ts'
import type { Resource, Route } from './route.ts'

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
  readonly requestsPerMinute: {
    readonly address: number
    readonly key: number
    /** Wrong keys of one address. Default 20. */
    readonly wrongKeys?: number
  }
  /** Bounds of event streams; what is not given has a default. */
  readonly streams?: Partial<StreamSettings>
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer }
  /** Against clients that send slowly or not at all. */
  readonly connections?: Connections
}
export interface Connections {
  /** At once; more are closed unheard. Default 10,000. */
  readonly most?: number
  /** Milliseconds within which the headers of a request are there. Default 10 s. */
  readonly headersMs?: number
  /** Milliseconds within which a whole request is there. Default 30 s. */
  readonly requestMs?: number
  /** Milliseconds between two looks for those that are late. Default 1 s. */
  readonly checkMs?: number
}

/** What the HTTP interface stands on. */
export interface AppParts {
  readonly engine: Engine
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics?: Metrics
  readonly settings: HttpSettings
  /** Calls `listener` after each commit of this process, until the answer is called; without it streams find out at their next look. */
  onCommit?(listener: () => void): () => void
  /**
   * Who every request is made by, without a key: for commands that ask their own process. Such an app never listens.
   */
  readonly principal?: Principal
  /** Given by whoever stops the process in steps; closing the app begins it in any case. */
  readonly drain?: Drain
  /** Routes of the embedder beside those of the API, under the same rules. */
  readonly more?: readonly Resource[]
  /** The checkout page; undefined: payers find nothing at `/pay`. */
  readonly pay?: Omit<PayOptions, 'engine' | 'clock' | 'logger' | 'admit' | 'publicUrl'>
  /**
   * Only these routes, and nothing beside them: no document, stream or page. A command of the process asks few of them, and
   * compiling the schemas of all takes longer than its work.
   */
  readonly only?: (route: Pick<Route, 'method' | 'url'>) => boolean
  /** Hears of everything that becomes a problem, with the reason that a stranger is not told. */
  readonly onFailure?: (error: unknown, requestId: string) => void
}
