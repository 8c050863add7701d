import { createEngine, type Engine } from '@kaccy/bitcoin'
import type { SqlStore } from '@kaccy/bitcoin/adapters/sql'
import { systemClock, systemEntropy, systemSha256 } from '@kaccy/bitcoin/adapters/system'
import type { ChainSource } from '@kaccy/bitcoin/chain'
import { EngineError, type Logger, type Network, sat } from '@kaccy/bitcoin/kernel'
import type { Config } from '../config/settings.ts'
import { requestOrigin } from '../http/index.ts'
import { databaseExists, holdNetwork, type OpenDatabase, openDatabase } from './database.ts'
import { wakingStore } from '@kaccy/bitcoin/events'
import { type Commits, createCommits } from '../http/index.ts'
import { nodeOf, nodeOrNone } from './node.ts'

/** An engine with everything it stands on, opened from one configuration and closed as one. */
export interface Host {
  readonly engine: Engine
  readonly store: SqlStore
  /** What the engine commits in this process. */
  readonly commits: Commits
  readonly source: ChainSource
  readonly network: Network
  readonly database: string
  readonly actor: string
  close(): Promise<void>
}
export interface HostOptions {
  readonly config: Config
  readonly logger: Logger
  /** Whether the command asks the node; otherwise none has to be configured. */
  readonly needsNode: boolean
  /** Whether a database file that is not there may be made; a question about one is a slip of the tongue. */
  readonly mayCreate: boolean
}

/** @throws EngineError CONFIG_VALUE_MISSING, SERVER_DATABASE_NETWORK, and what opening the database or the node throws */
export async function openHost(options: HostOptions): Promise<Host> {
  const { config, logger, needsNode } = options
  const network = networkOf(config)
  if (!options.mayCreate && !databaseExists(config))
    throw new EngineError(
      'SERVER_DATABASE_UNUSABLE',
      `${config['database.url']} is not there: kaccy watch, serve or wallet register makes it`,
    )
  const source = needsNode ? nodeOf(config, logger) : nodeOrNone(config, logger)
  let database: OpenDatabase | undefined
  try {
    database = await openDatabase(config, 'check')
    await holdNetwork(database.store, network)
    const commits = createCommits()
    const store = wakingStore(database.store, commits.raise)
    const engine = await engineOn({ config, logger, network, store, source })
    return {
      engine,
      store: database.store,
      commits,
      source,
      network,
      database: database.name,
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

const engineOn = (parts: {
  readonly config: Config
  readonly logger: Logger
  readonly network: Network
  readonly store: SqlStore
  readonly source: ChainSource
}): Promise<Engine> => {
  const large = parts.config['alerts.large_deposit_sat']
  return createEngine({
    network: parts.network,
    store: parts.store,
    source: parts.source,
    clock: systemClock,
    entropy: systemEntropy,
    sha256: systemSha256,
    logger: parts.logger,
    origin: requestOrigin,
    blocksPerCommit: parts.config['chain.blocks_per_commit'],
    ...(large === undefined ? {} : { largeDeposit: sat(BigInt(large)) }),
  })
}
