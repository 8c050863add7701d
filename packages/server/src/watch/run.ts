import { systemClock } from '@kaccy/bitcoin/adapters/system'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { EngineError, type Logger, type Sat } from '@kaccy/bitcoin/kernel'
import type { WalletInput, WalletRecord } from '@kaccy/bitcoin/wallet'
import type { Config } from '../config/settings.ts'
import { orThrow } from '../failure.ts'
import { keepNetwork } from '../host/database.ts'
import type { Host } from '../host/host.ts'
import { inspectNode } from '../host/node.ts'
import type { Presenter } from '../view/presenter.ts'
import { waitForNode } from './node-wait.ts'
import { progressTo, startSession } from './session.ts'

export interface WatchOptions {
  readonly host: Host
  readonly config: Config
  readonly presenter: Presenter
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Waits for a node that is away or downloading instead of giving up. */
  readonly wait: boolean
  /** Registers these keys; asking again gives the same wallet. */
  readonly wallet?: WalletInput
  /** Makes this order; asking again gives the same one. */
  readonly order?: { readonly amount: Sat | undefined; readonly externalId: string }
}

/** Follows a node until it is asked to stop. Everything is in the database, so the next run goes on where this one was. */
export async function runWatch(options: WatchOptions): Promise<void> {
  const { host, config, presenter, signal } = options
  const nodeUrl = config['node.url'] ?? ''
  const trouble = (error: EngineError) =>
    presenter.node({ url: nodeUrl, trouble: `${error.code}: ${error.message}; waiting` })
  if (options.wait) {
    if (!(await waitForNode(host.source, host.network, signal, trouble))) return
  } else await inspectNode(host.source, host.network, systemClock.now())
  presenter.node({ url: nodeUrl })
  await keepNetwork(host.store, host.network)
  const after = await host.store.read((tx) => tx.events.head())
  const focus = await prepare(options)
  const session = await startSession({
    engine: host.engine,
    store: host.store,
    source: host.source,
    presenter,
    logger: options.logger,
    nodeUrl,
    pollMs: config['chain.poll_ms'],
    stallMs: config['chain.stall_ms'],
    signal,
    after,
    ...(focus === undefined ? {} : { focus: focus.id }),
  })
  const asked = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await Promise.race([asked, session.ended])
  await session.stop()
}

async function prepare(options: WatchOptions): Promise<OrderRecord | undefined> {
  const { host, wallet: input, order } = options
  const { engine, actor } = host
  // Keys without a birthday are young as of the tip, so the tip has to be known first.
  if (input) await engine.sync(progressTo(options.presenter, options.config['node.url'] ?? ''))
  const wallet = input
    ? orThrow(await engine.wallets.register(input, actor)).wallet
    : await newest(host)
  if (!order || !wallet) return undefined
  const { amount, externalId } = order
  const request = { wallet: wallet.id, externalId, ...(amount === undefined ? {} : { amount }) }
  return orThrow(await engine.orders.create(request, actor)).order
}

/** The wallet that was registered last and still hands out addresses. @throws EngineError USAGE_INVALID without any wallet */
async function newest({ engine }: Host): Promise<WalletRecord | undefined> {
  const wallets = await engine.wallets.wallets()
  if (wallets.length === 0)
    throw new EngineError(
      'USAGE_INVALID',
      'no wallet is registered yet: give --xpub or --descriptor, and --name',
    )
  return wallets.findLast(({ status }) => status === 'active')
}
