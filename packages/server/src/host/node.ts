import { readFileSync } from 'node:fs'
import {
  type BitcoindAuth,
  type BitcoindOptions,
  type BitcoindSource,
  createBitcoindSource,
} from '@kaccy/bitcoin/adapters/bitcoind'
import type { ChainSource } from '@kaccy/bitcoin/chain'
import { type Degradation, degradationOf, GENESIS, type NodeInfo } from '@kaccy/bitcoin/chain'
import {
  EngineError,
  type Logger,
  type Metrics,
  type Network,
  Secret,
  type Tracer,
} from '@kaccy/bitcoin/kernel'
import type { Config } from '../config/settings.ts'

/** Who is told what the process does. */
export interface Observers {
  readonly logger: Logger
  readonly metrics?: Metrics
  readonly tracer?: Tracer
}

/** The node that the configuration names. @throws EngineError CONFIG_VALUE_MISSING, CONFIG_FILE_UNREADABLE, NODE_OPTIONS_INVALID */
export function nodeOf(config: Config, observers: Observers): BitcoindSource {
  const url = config['node.url']
  if (url === undefined)
    throw new EngineError(
      'CONFIG_VALUE_MISSING',
      'no node is configured: give --node URL, KACCY_NODE_URL or node.url',
      { details: { param: 'node.url' } },
    )
  const tls = tlsOf(config)
  return createBitcoindSource({
    url,
    auth: authOf(config),
    allowPlainHttp: config['node.allow_plain_http'],
    ...observers,
    ...(tls === undefined ? {} : { tls }),
  })
}

/** A source for commands that never ask the node; one that does learns what is missing. */
export function nodeOrNone(): ChainSource {
  const none = async () => {
    throw new EngineError('CONFIG_VALUE_MISSING', 'this needs a node: give --node URL', {
      details: { param: 'node.url' },
    })
  }
  return {
    info: none,
    hashAt: none,
    header: none,
    block: none,
    mempool: none,
    mempoolTransactions: none,
    transaction: none,
    coins: none,
  }
}

function authOf(config: Config): BitcoindAuth {
  const user = config['node.user']
  const cookieFile = config['node.cookie_file']
  if (user !== undefined) return { user, password: config['node.password'] ?? new Secret('') }
  if (cookieFile !== undefined) return { cookieFile }
  throw new EngineError(
    'CONFIG_VALUE_MISSING',
    'the node needs credentials: give --cookie FILE, or --user with --password-file FILE',
    { details: { param: 'node.cookie_file' } },
  )
}

function tlsOf(config: Config): BitcoindOptions['tls'] {
  const ca = config['node.ca_file']
  const pins = config['node.pins']
  const serverName = config['node.server_name']
  if (ca === undefined && pins === undefined && serverName === undefined) return undefined
  return {
    ...(ca === undefined ? {} : { ca: readPem(ca) }),
    ...(pins === undefined ? {} : { pins }),
    ...(serverName === undefined ? {} : { serverName }),
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new EngineError('CONFIG_FILE_UNREADABLE', `${path} cannot be read`, {
      details: { path, param: 'node.ca_file' },
      cause: error,
    })
  }
}

export interface Inspection {
  readonly info: NodeInfo
  readonly degraded: Degradation | undefined
}

/**
 * Asks the node who it is before anything is built on it.
 * @throws EngineError CHAIN_WRONG_NETWORK, SERVER_NODE_DOWNLOADING, and what the node's client throws
 */
export async function inspectNode(
  source: ChainSource,
  network: Network,
  now: number,
): Promise<Inspection> {
  const info = await source.info()
  if (info.genesis !== GENESIS[network])
    throw new EngineError(
      'CHAIN_WRONG_NETWORK',
      `the node is on ${info.network}, the configuration says ${network}`,
      { details: { node: info.network, configuration: network } },
    )
  const degraded = degradationOf(info, now)
  if (degraded === 'initial_block_download')
    throw new EngineError(
      'SERVER_NODE_DOWNLOADING',
      `the node has block ${info.tip.height} of ${info.headers}: it is still downloading the chain`,
      { details: { height: info.tip.height, headers: info.headers } },
    )
  return { info, degraded }
}
