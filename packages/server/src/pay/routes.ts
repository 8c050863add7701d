import type { PassThrough } from 'node:stream'
import { type Clock, type Logger, refuse, silentLogger, type Timers } from '@kaccy/bitcoin/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { PROBLEM_TYPE, problemOf, RefusedError } from '../http/problem.ts'
import { type Asset, loadAssets, type PayAssets } from './assets.ts'
import { PAY_DOCUMENT } from './document.ts'
import { checkFrames, type Frames, parentOf } from './frames.ts'
import { assetHeaders, dataHeaders, embedHeaders, pageHeaders } from './headers.ts'
import { type PageOptions, renderMissing, renderPay } from './page.ts'
import { qrSvg } from './qr.ts'
import { openPayStream, type PayStreamOptions } from './stream.ts'
import { type CheckedTheme, checkTheme, type PayTheme } from './theme.ts'
import { type PayEngine, type PayView, parseOrderId, payJson, readPay } from './view.ts'
import { PayWatch } from './watch.ts'
import { languageOf } from './words.ts'

export interface PayOptions {
  readonly engine: PayEngine
  /** The newest sequence number of the events; 0 when there is none. */
  readonly head: () => Promise<number>
  readonly clock: Clock
  readonly timers: Timers
  readonly logger?: Logger
  readonly theme?: PayTheme
  /** Who may frame the page. Default: nobody but pages of our own origin. */
  readonly frames?: Frames
  /**
   * Looks at every request first: limits by address, addresses that may not call. A RefusedError that it throws is answered
   * as the problem it is.
   */
  readonly admit?: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  /** Hears of everything that becomes a problem, with the reason that a stranger is not told. */
  readonly onFailure?: (error: unknown, requestId: string) => void
  /** Address that payers know, behind a proxy: `https://pay.example.com`. Default: what the request says. */
  readonly publicUrl?: string
  /** Pause between two looks for what changed, milliseconds. Default 1000. */
  readonly pollMs?: number
  readonly heartbeatMs?: number
  readonly streamLifetimeMs?: number
  /** Open event streams at once. Default 2000, and 20 for one order. */
  readonly streams?: number
  readonly streamsOfOrder?: number
}

const LIFETIME_MS = 15 * 60_000
const HEARTBEAT_MS = 15_000
const BUSY_SECONDS = '10'

type Ask = FastifyRequest<{ Params: { order: string }; Querystring: Record<string, unknown> }>

/** What the routes share. */
interface Page {
  readonly options: PayOptions
  readonly theme: CheckedTheme
  readonly frames: Frames
  readonly assets: PayAssets
}

/**
 * The checkout page and what belongs to it, below `/pay`. No key is asked for: the id of an order has 74 random bits, and
 * whoever has the link may see this much of the order and nothing else.
 * @throws EngineError CONFIG_VALUE_INVALID for a theme or an origin that cannot be used
 */
export async function payRoutes(app: FastifyInstance, options: PayOptions): Promise<void> {
  const theme = checkTheme(options.theme)
  const frames = checkFrames(options.frames ?? [])
  const page: Page = { options, theme, frames, assets: loadAssets(theme) }
  const watch = new PayWatch({
    ...options,
    logger: options.logger ?? silentLogger,
    pollMs: options.pollMs ?? 1_000,
    most: options.streams ?? 2_000,
    mostOfOrder: options.streamsOfOrder ?? 20,
  })
  const streams = new Set<PassThrough>()
  const { admit } = options
  if (admit) app.addHook('onRequest', admit)
  addFailures(app, options)
  app.addHook('preClose', async () => {
    watch.close()
    for (const stream of streams) stream.end()
  })
  const as = (schema: FastifySchema) => ({ schema })
  const { page: ofPage, status, code, events, asset } = PAY_DOCUMENT
  app.get('/pay/:order', as(ofPage), (request: Ask, reply) => sendPage(page, request, reply))
  app.get('/pay/:order/status', as(status), (request: Ask, reply) =>
    sendStatus(page, request, reply),
  )
  app.get('/pay/:order/qr.svg', as(code), (request: Ask, reply) => sendCode(page, request, reply))
  // A question for the headers alone must not leave a stream open.
  app.get('/pay/:order/events', { exposeHeadRoute: false, ...as(events) }, (request: Ask, reply) =>
    sendEvents(
      {
        watch,
        clock: options.clock,
        timers: options.timers,
        heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
        lifetimeMs: options.streamLifetimeMs ?? LIFETIME_MS,
      },
      streams,
      request,
      reply,
    ),
  )
  type AskFile = FastifyRequest<{ Params: { name: string } }>
  app.get('/pay/assets/:name', as(asset), (request: AskFile, reply) => {
    const file = page.assets.files.get(request.params.name)
    if (!file) throw new RefusedError(refuse('ROUTE_NOT_FOUND', 'there is no such file').error)
    return sendFile(file, assetHeaders, request, reply)
  })
  app.get('/pay/embed.js', as(asset), (request, reply) =>
    sendFile(page.assets.embed, embedHeaders, request, reply),
  )
}

const viewOf = async ({ options }: Page, text: string): Promise<PayView | undefined> => {
  const id = parseOrderId(text)
  return id === undefined ? undefined : readPay(options.engine, id, options.clock.now())
}
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

async function sendPage(page: Page, request: Ask, reply: FastifyReply): Promise<FastifyReply> {
  const { frames, theme, assets } = page
  const { query, headers, protocol, host } = request
  const scheme = textOf(query['theme'])
  const parent = parentOf(
    frames,
    textOf(query['origin']),
    page.options.publicUrl === undefined
      ? `${protocol}://${host}`
      : new URL(page.options.publicUrl).origin,
  )
  const options: PageOptions = {
    language: languageOf(textOf(query['lang']), headers['accept-language']),
    ...(scheme === 'light' || scheme === 'dark' ? { scheme } : {}),
    embedded: textOf(query['embed']) === '1',
    ...(parent === undefined ? {} : { parent }),
    ...(theme.name === undefined ? {} : { merchant: theme.name }),
    assets: assets.page,
  }
  const view = await viewOf(page, request.params.order)
  // Whoever may frame it stands in our own policy; the older header cannot name origins and would forbid them all.
  reply.removeHeader('x-frame-options').raw.removeHeader('x-frame-options')
  return reply
    .code(view ? 200 : 404)
    .headers(pageHeaders(frames))
    .type('text/html; charset=utf-8')
    .send(view ? renderPay(view, options) : renderMissing(options))
}

async function sendStatus(page: Page, request: Ask, reply: FastifyReply): Promise<FastifyReply> {
  const view = await viewOf(page, request.params.order)
  if (!view) throw unknownOrder()
  return reply.headers(dataHeaders).type('application/json; charset=utf-8').send(payJson(view))
}

async function sendCode(page: Page, request: Ask, reply: FastifyReply): Promise<FastifyReply> {
  const view = await viewOf(page, request.params.order)
  // Whoever kept the address of the code must not find one that should not be paid.
  if (!view?.payable) throw unknownOrder()
  return reply.headers(dataHeaders).type('image/svg+xml').send(qrSvg(view.uri))
}

async function sendEvents(
  options: PayStreamOptions,
  streams: Set<PassThrough>,
  request: Ask,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const id = parseOrderId(request.params.order)
  const opened = id && (await openPayStream(options, id))
  if (!opened) throw unknownOrder()
  if ('refused' in opened) {
    if (opened.refused === 'unknown order') throw unknownOrder()
    // The page looks by itself from time to time instead.
    const { error } = refuse('RATE_LIMITED', 'too many pages are open at once')
    throw new RefusedError(error, { 'retry-after': BUSY_SECONDS })
  }
  const { stream } = opened
  streams.add(stream)
  stream.once('close', () => streams.delete(stream))
  // Proxies that collect answers before they pass them on would hold the events back.
  return reply
    .headers(dataHeaders)
    .header('x-accel-buffering', 'no')
    .type('text/event-stream; charset=utf-8')
    .send(stream)
}

async function sendFile(
  file: Asset,
  headers: Readonly<Record<string, string>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.headers(headers).header('etag', file.etag)
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send()
  return reply.type(file.type).send(file.body)
}

/** The same for an id that cannot be and one that never was: nobody learns which are in use. */
const unknownOrder = (): RefusedError =>
  new RefusedError(refuse('ORDER_NOT_FOUND', 'there is no such order', { param: 'order' }).error)

/** Problems as everywhere else on the server, with the headers of this place. */
function addFailures(app: FastifyInstance, { onFailure }: PayOptions): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    onFailure?.(error, request.id)
    const problem = problemOf(error, request.id)
    if (error instanceof RefusedError) reply.headers(error.headers)
    return reply
      .code(problem.status)
      .headers(dataHeaders)
      .type(PROBLEM_TYPE)
      .serializer((body: unknown) => JSON.stringify(body))
      .send(problem)
  })
}
