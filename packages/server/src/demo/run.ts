import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, type Engine, runEngine } from '@kaccy/bitcoin'
import {
  createBitcoindBroadcaster,
  createBitcoindMempool,
  createBitcoindSource,
} from '@kaccy/bitcoin/adapters/bitcoind'
import type { SqlStore } from '@kaccy/bitcoin/adapters/sql'
import {
  systemClock,
  systemEntropy,
  systemSha256,
  systemTimers,
} from '@kaccy/bitcoin/adapters/system'
import type { ChainSource } from '@kaccy/bitcoin/chain'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { type Logger, sat, satPerKvB } from '@kaccy/bitcoin/kernel'
import type { WalletRecord } from '@kaccy/bitcoin/wallet'
import { START_HEIGHT } from '@kaccy/devnet'
import { loadConfig } from '../config/load.ts'
import { orThrow } from '../failure.ts'
import { keepNetwork, openDatabase } from '../host/database.ts'
import { requestOrigin } from '../http/request-context.ts'
import { pauseFor } from '../host/pause.ts'
import { readBooks } from '../host/snapshot.ts'
import type { Presenter } from '../view/presenter.ts'
import { type Session, startSession } from '../watch/session.ts'
import { demoDescriptor } from './keys.ts'
import { PAYDAY, remembering } from './payday.ts'
import { openDemoSigner } from './signer.ts'
import { ASKED, type Chapter, STORY } from './story.ts'
import type { TypedChain } from '../cli/console.ts'
import { type Served, serveDemo } from './serve.ts'
import { typedChain } from './typed.ts'
import { openWorld, type World } from './world.ts'

export interface DemoOptions {
  readonly seed: string
  /** How fast for a reader: 1 is the normal pace, 2 twice as fast; Infinity waits for nobody. */
  readonly speed: number
  /** Folder that is kept and continued; without one a temporary folder is used and removed. */
  readonly data?: string | undefined
  /** Keeps also the temporary folder. */
  readonly keep: boolean
  /** How the reader calls this program. */
  readonly command: string
  readonly presenter: Presenter
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly serve?: DemoServe | undefined
}
/** Serves the HTTP interface during the story, and on after it. */
export interface DemoServe {
  readonly listen: { readonly host: string; readonly port: number }
  /** Called as soon as it listens. */
  onServing(served: Served): void
  /** Called when the story is over; resolves when there is nothing more to do. */
  untilDone(chain: TypedChain, served: Served): Promise<void>
}
export interface DemoResult {
  readonly finished: boolean
  /** The folder that was kept. */
  readonly folder?: string
}

/** For the reader, in milliseconds at normal pace: to read what comes, and to see what came of it. */
const READ_MS = 1_600
const SEE_MS = 800
/** Somebody who types does not want to wait for the next look. */
const SERVE_POLL_MS = 500
const ACTOR = 'operator:demo'
const ORDER = 'demo-order-1'
const CHAPTERS = STORY.length + 1 + PAYDAY.length
const YEAR_MS = 365 * 24 * 60 * 60 * 1000

/** Takes a payment from end to end on a chain in this process. Stopped at any moment, it goes on where it was. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { data } = options
  const folder = data ?? mkdtempSync(join(tmpdir(), 'kaccy-demo-'))
  mkdirSync(folder, { recursive: true })
  try {
    const world = await openWorld(folder, options.seed, systemClock.now)
    try {
      return await inWorld(options, world, folder)
    } finally {
      await world.close()
    }
  } finally {
    if (data === undefined && !options.keep) rmSync(folder, { recursive: true, force: true })
  }
}

async function inWorld(options: DemoOptions, world: World, folder: string): Promise<DemoResult> {
  const { config } = orThrow(
    loadConfig({
      environment: {},
      flags: { network: 'regtest', 'database.url': join(folder, 'demo.sqlite') },
      folder,
      file: undefined,
    }),
  )
  const database = await openDatabase(config, 'migrate')
  const source = createBitcoindSource({
    url: world.devnet.rpcUrl,
    auth: { cookieFile: world.devnet.cookiePath },
  })
  const signer = openDemoSigner(folder)
  try {
    const { store } = database
    const network = 'regtest'
    await keepNetwork(store, network)
    const parts = {
      network,
      store,
      source,
      clock: systemClock,
      entropy: systemEntropy,
      sha256: systemSha256,
    } as const
    const payouts = {
      broadcaster: remembering(createBitcoindBroadcaster(source), world),
      mempool: createBitcoindMempool(source),
      receiptKey: signer.receiptKey,
      signersOf: ({ descriptor }: WalletRecord) => [signer.signerFor(descriptor)],
      // A fresh chain has nothing to estimate from.
      fixedFeeRate: satPerKvB(2_000n),
      rhythm: { batchWaitMs: 0 },
    }
    const engine = await createEngine({
      ...parts,
      payouts,
      logger: options.logger,
      origin: requestOrigin,
    })
    const after = await store.read((tx) => tx.events.head())
    const order = await openOrder(engine)
    const stage = { world, engine, store, source, order, folder }
    return await serving(options, stage, async (served) => {
      const session = await startSession({
        engine,
        store,
        source,
        presenter: options.presenter,
        logger: options.logger,
        nodeUrl: world.devnet.rpcUrl,
        pollMs: 1_000,
        focus: order.id,
        after,
        signal: options.signal,
      })
      return tellAndClose(options, { ...stage, session, served })
    })
  } finally {
    signer.close()
    await source.close()
    await database.close()
  }
}

/** The same wallet and the same order however often it is asked for: both are idempotent. */
async function openOrder(engine: Engine): Promise<OrderRecord> {
  await engine.sync()
  const registered = await engine.wallets.register(
    { name: 'demo shop', descriptor: demoDescriptor(), lookahead: 40, birthday: START_HEIGHT },
    ACTOR,
  )
  const { wallet } = orThrow(registered)
  const created = await engine.orders.create(
    {
      wallet: wallet.id,
      amount: sat(BigInt(ASKED)),
      externalId: ORDER,
      description: 'One bag of coffee',
      expiresInMs: YEAR_MS,
    },
    ACTOR,
  )
  return orThrow(created).order
}

interface Scenery {
  readonly world: World
  readonly engine: Engine
  readonly store: SqlStore
  readonly source: ChainSource
  readonly order: OrderRecord
  readonly folder: string
}
interface Stage extends Scenery {
  readonly session: Session
  readonly served: Served | undefined
}

/** Listens before the story begins, tells it, follows the chain on for whoever calls, and closes. */
async function serving(
  { serve, logger, signal }: DemoOptions,
  { world, engine, store, source, order, folder }: Scenery,
  tell: (served: Served | undefined) => Promise<DemoResult>,
): Promise<DemoResult> {
  if (!serve) return tell(undefined)
  const { listen } = serve
  const served = await serveDemo({ engine, store, order: order.id, folder, listen, logger })
  try {
    serve.onServing(served)
    const told = await tell(served)
    if (!told.finished || signal.aborted) return told
    const clocks = { clock: systemClock, timers: systemTimers }
    const running = runEngine({ engine, source, ...clocks, logger, pollMs: SERVE_POLL_MS })
    try {
      await Promise.race([serve.untilDone(typedChain(world), served), running.ended])
    } finally {
      await running.stop()
    }
    return told
  } finally {
    await served.close()
  }
}

async function tellAndClose(options: DemoOptions, stage: Stage): Promise<DemoResult> {
  const { presenter, signal } = options
  const kept = options.data !== undefined || options.keep
  const folder = kept ? { folder: stage.folder } : {}
  try {
    await tell(options, stage)
    await tellPayday(options, stage)
  } finally {
    await stage.session.stop()
  }
  if (signal.aborted) {
    presenter.end(stoppedWords(options), { finished: false, data: options.data ?? null })
    return { finished: false, ...folder }
  }
  presenter.books(await readBooks(stage.engine, 'everything'))
  presenter.end(lastWords(options, stage), { finished: true, data: kept ? stage.folder : null })
  return { finished: true, ...folder }
}

async function tell(options: DemoOptions, { world, session, order, served }: Stage): Promise<void> {
  const { presenter, signal, speed } = options
  const total = CHAPTERS
  const pause = (milliseconds: number) => pauseFor(milliseconds / speed, signal)
  const beats = STORY.flatMap(({ id, beats: own }) => own.map((_, at) => `${id}.${at + 1}`))
  // What was done before this process began is not told again; the last deed is, until the engine has seen it.
  const lastDone = world.done.findLast((id) => beats.includes(id))
  // What somebody typed after the end may have undone it; the story does not wait for it to come true again.
  if (lastDone === beats.at(-1) && lastDone !== world.done.at(-1)) return
  const from = lastDone === undefined ? 0 : beats.indexOf(lastDone)
  if (lastDone === undefined) {
    presenter.step({ number: 1, total, ...openingOf(served) })
    await session.until((snapshot) => snapshot.order?.status === 'pending')
    await pause(READ_MS + SEE_MS)
  }
  for (const [at, chapter] of STORY.entries()) {
    const left = chapter.beats.filter((_, i) => beats.indexOf(`${chapter.id}.${i + 1}`) >= from)
    if (left.length === 0) continue
    presenter.step({ number: at + 2, total, ...headOf(chapter) })
    await pause(READ_MS)
    for (const beat of left) {
      if (signal.aborted) return
      const id = `${chapter.id}.${chapter.beats.indexOf(beat) + 1}`
      if (!world.done.includes(id)) world.perform(id, beat.deed(order.address))
      if (!(await session.until(beat.reached))) return
      await pause(SEE_MS)
    }
  }
}

/** What goes out of the shop again; parts that are done already are passed over in silence. */
async function tellPayday(options: DemoOptions, stage: Stage): Promise<void> {
  const { presenter, signal, speed } = options
  const { world, engine, session, order } = stage
  if (world.done.includes('payday.told')) return
  for (const [at, part] of PAYDAY.entries()) {
    if (signal.aborted) return
    const { id, title, text } = part
    presenter.step({ number: STORY.length + 2 + at, total: CHAPTERS, id, title, text })
    await pauseFor(READ_MS / speed, signal)
    await part.play({ world, engine, session, order, signal })
    await pauseFor(SEE_MS / speed, signal)
  }
  if (!signal.aborted) world.perform('payday.told', { do: 'mine', blocks: 0 })
}

const headOf = ({ id, title, text }: Chapter) => ({ id, title, text })
const OPENING = {
  id: 'order',
  title: 'A shop makes an order',
  text: [
    'It registered an xpub: public keys only. Each order gets an address of its own.',
    'The chain it follows runs in this process and speaks as Bitcoin Core does.',
  ],
}

const openingOf = (served: Served | undefined) =>
  served ? { ...OPENING, text: [...OPENING.text, `Its checkout page: ${served.payUrl}`] } : OPENING

const stoppedWords = ({ data, command }: DemoOptions): string[] =>
  data === undefined
    ? ['Stopped. With --data DIR the next run goes on where this one was.']
    : [`Stopped. The same command goes on from here: ${command} demo --data ${data}`]

function lastWords({ data, keep, command }: DemoOptions, { folder }: Stage): string[] {
  const where = `--network regtest --database ${join(folder, 'demo.sqlite')}`
  const look =
    data === undefined && !keep
      ? [[`${command} demo --data demo`, 'keep what you saw, then look into it']]
      : [
          [`${command} order explain ${ORDER} ${where}`, ''],
          [`${command} books ${where}`, ''],
          [`${command} events ${where}`, ''],
        ]
  const more = [
    [`${command} watch --help`, 'the same view on a node of yours'],
    [`${command} devnet`, 'a node to try on'],
    ['docs/quick-start.md', 'your first payment'],
  ]
  const all = [...look, ...more]
  const width = Math.max(...all.map(([line = '', why]) => (why === '' ? 0 : line.length)))
  const lines = all.map(([line = '', why = '']) => `  ${line.padEnd(width)}  ${why}`)
  return ['What to try next', ...lines.map((line) => line.trimEnd())]
}
