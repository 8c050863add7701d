import { createEngine, type Engine, type EngineOptions } from '@kaccy/bitcoin'
import type { SqlStore } from '@kaccy/bitcoin/adapters/sql'
import { systemClock, systemEntropy, systemSha256 } from '@kaccy/bitcoin/adapters/system'
import type { ChainSource } from '@kaccy/bitcoin/chain'
import { fixedRates, type RateSource } from '@kaccy/bitcoin/deposits'
import { wakingStore } from '@kaccy/bitcoin/events'
import { EngineError, type Network, sat } from '@kaccy/bitcoin/kernel'
import type { TargetRules } from '@kaccy/bitcoin/webhooks'
import type { Config } from '../config/settings.ts'
import { requestOrigin } from '../http/request-context.ts'
import {
  type Connections,
  databaseExists,
  holdNetwork,
  type OpenDatabase,
  openDatabase,
} from './database.ts'
import { nodeOf, nodeOrNone, type Observers } from './node.ts'
import { payoutsOf } from './payouts.ts'

/** An engine with everything it stands on, opened from one configuration and closed as one. */
export interface Host {
  readonly engine: Engine
  readonly store: SqlStore
  readonly source: ChainSource
  readonly network: Network
  readonly database: string
  readonly connections?: () => Connections
  readonly actor: string
  /** Calls `listener` after each commit of this process. The answer ends it. */
  onCommit(listener: () => void): () => void
  close(): Promise<void>
}
export interface HostOptions extends Observers {
  readonly config: Config
  /** Whether the command asks the node; otherwise none has to be configured. */
  readonly needsNode: boolean
  /** Whether a database file that is not there may be made; a question about one is a slip of the tongue. */
  readonly mayCreate: boolean
}

/** @throws EngineError CONFIG_VALUE_MISSING, SERVER_DATABASE_NETWORK, and what opening the database or the node throws */
export async function openHost(options: HostOptions): Promise<Host> {
  const { config, needsNode } = options
  const network = networkOf(config)
  if (!options.mayCreate && !databaseExists(config))
    throw new EngineError(
      'SERVER_DATABASE_UNUSABLE',
      `${config['database.url']} is not there: kaccy watch, serve or wallet register makes it`,
    )
  const { logger, metrics, tracer } = options
  const observers = { logger, ...(metrics ? { metrics } : {}), ...(tracer ? { tracer } : {}) }
  const hasNode = needsNode || config['node.url'] !== undefined
  const node = hasNode ? nodeOf(config, observers) : undefined
  const source = node ?? nodeOrNone()
  const listeners = new Set<() => void>()
  let database: OpenDatabase | undefined
  try {
    database = await openDatabase(config, 'check')
    await holdNetwork(database.store, network)
    const store = wakingStore(database.store, () => {
      for (const listener of listeners) listener()
    })
    const payouts = node ? payoutsOf(config, node) : undefined
    const engine = await engineOn(options, {
      network,
      store,
      source,
      ...(payouts ? { payouts } : {}),
    })
    return {
      engine,
      store,
      source,
      network,
      database: database.name,
      ...(database.connections ? { connections: database.connections } : {}),
      onCommit(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      actor: `operator:${config.operator}`,
      close: () => closeAll(source, database),
    }
  } catch (error) {
    await closeAll(source, database)
    throw error
  }
}

async function closeAll(source: ChainSource, database: OpenDatabase | undefined): Promise<void> {
  await source.close?.()
  await database?.close()
}

/** The network is never guessed: money on another chain is worth nothing here, and mainnet is real money. */
export function networkOf(config: Config): Network {
  if (config.network !== undefined) return config.network
  throw new EngineError(
    'CONFIG_VALUE_MISSING',
    'no network is configured: give --network, KACCY_NETWORK or network (mainnet is `main`)',
    { details: { param: 'network' } },
  )
}

const engineOn = (
  { config, logger, metrics, tracer }: HostOptions,
  parts: Pick<EngineOptions, 'network' | 'payouts' | 'source'> & { readonly store: SqlStore },
): Promise<Engine> => {
  const large = config['alerts.large_deposit_sat']
  const rates = ratesOf(config)
  return createEngine({
    ...parts,
    clock: systemClock,
    entropy: systemEntropy,
    sha256: systemSha256,
    logger,
    ...(metrics ? { metrics } : {}),
    ...(tracer ? { tracer } : {}),
    ...(rates ? { rates } : {}),
    origin: requestOrigin,
    webhookTargets: targetRules(config),
    blocksPerCommit: config['chain.blocks_per_commit'],
    ...(large === undefined ? {} : { largeDeposit: sat(BigInt(large)) }),
  })
}

/** Where webhooks may lead: the engine refuses the rest at registration, the sender at each connection. */
export const targetRules = (config: Config): TargetRules => ({
  allowPrivate: config['webhooks.allow_private'],
  ...(config['webhooks.allow'] ? { allow: config['webhooks.allow'] } : {}),
})

/** `EUR=57000.00`: what one bitcoin costs. @throws EngineError CONFIG_VALUE_INVALID */
function ratesOf(config: Config): RateSource | undefined {
  const entries = config['rates.fixed']
  if (entries === undefined) return undefined
  const rates = entries.map((entry) => {
    const [, currency = '', rate = ''] =
      /^([A-Z]{3,5})=(\d{1,12}(?:\.\d{1,12})?)$/.exec(entry) ?? []
    if (currency !== '' && /[1-9]/.test(rate)) return [currency, rate] as const
    throw new EngineError('CONFIG_VALUE_INVALID', `${entry} is not of the form EUR=57000.00`, {
      details: { param: 'rates.fixed' },
    })
  })
  return fixedRates(Object.fromEntries(rates))
}
