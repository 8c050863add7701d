import { join } from 'node:path'
import { LiveServer, pause } from '../../../e2e/live-server.ts'
import { findPostgres, startPostgres } from '../../../test/counterparts/postgres.ts'
import { type BenchLine, costLine, type Report, rateLine } from '../measure.ts'
import { type Bare, startBare } from '../server/bare.ts'
import { type Load, load, type Request } from '../server/client.ts'
import { openCrowd } from '../server/streams.ts'

export const name = 'server'

const CONNECTIONS = 64
const ROUNDS = 3
const SECONDS = 3
const CLIENTS = 1000
/** Orders made while all of them listen. */
const TOLD = 100
const MEGABYTE = 1024 * 1024

interface Pair {
  readonly home: string
  readonly ours: LiveServer
  readonly bare: Bare
  readonly wallet: unknown
}

const order = ({ wallet }: Pair): Request => ({
  method: 'POST',
  path: '/v1/orders',
  body: { wallet, amount_sat: 150_000, customer: 'ann', metadata: { colour: 'red' } },
})
const row = (): Request => ({
  method: 'POST',
  path: '/orders',
  body: { amount_sat: 150_000, customer: 'ann', metadata: { colour: 'red' } },
})

/** Both take turns, so that a busy machine slows both; the best round of each counts. */
async function turns(contenders: readonly [() => Promise<Load>, () => Promise<Load>]) {
  const best: (Load | undefined)[] = [undefined, undefined]
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, contender] of contenders.entries()) {
      const one = await contender()
      if (one.failed > 0) throw new TypeError(`${one.failed} requests were not answered with 2xx`)
      if (one.rate > (best[i]?.rate ?? 0)) best[i] = one
    }
  const [ours, bare] = best
  if (!ours || !bare) throw new TypeError('nothing was measured')
  return { ours, bare }
}

function* linesOf(
  what: string,
  connections: number,
  { ours, bare }: { readonly ours: Load; readonly bare: Load },
): Generator<BenchLine> {
  const label = `${what}, ${connections} connections`
  yield rateLine(label, 'requests/s', ours.rate, 'bare handler', bare.rate)
  yield costLine(`${label}: p50`, 'ms', ours.p50, 'bare handler', bare.p50)
  yield costLine(`${label}: p99`, 'ms', ours.p99, 'bare handler', bare.p99)
}

async function requests(pair: Pair, connections: number, to: Report): Promise<void> {
  const { ours, bare, home } = pair
  const usual = { connections, seconds: SECONDS }
  const own = { ...usual, url: ours.url, token: ours.token }
  let made = ''
  const posted = await turns([
    () =>
      load({
        ...own,
        request: () => order(pair),
        onAnswer: (body) => {
          made = body
        },
      }),
    () => load({ ...usual, url: bare.url, request: row }),
  ])
  for (const line of linesOf(`${home}: POST /v1/orders`, connections, posted)) to(line)
  const path = `/v1/orders/${(JSON.parse(made) as { readonly id: string }).id}`
  const got = await turns([
    () => load({ ...own, request: () => ({ method: 'GET', path }) }),
    () => load({ ...usual, url: bare.url, request: () => ({ method: 'GET', path: '/orders/1' }) }),
  ])
  for (const line of linesOf(`${home}: GET /v1/orders/{id}`, connections, got)) to(line)
}

/** A figure of our process as it tells it itself, in megabytes. */
async function memory(server: LiveServer, figure: string): Promise<number> {
  const { text } = await server.call('GET', '/metrics')
  return Number(new RegExp(`^${figure} (\\S+)$`, 'm').exec(text)?.[1]) / MEGABYTE
}
const RSS = 'process_resident_memory_bytes'
const HEAP = 'nodejs_heap_size_used_bytes'

async function streams(pair: Pair, to: Report): Promise<void> {
  const { ours, bare, home } = pair
  const keys: string[] = []
  for (let i = 0; i < CLIENTS / 100; i++) {
    const key = await ours.done('POST', '/v1/keys', { name: `crowd ${i}`, scopes: ['admin'] })
    keys.push(String(key['token']))
  }
  const head = (await ours.done('GET', '/v1/events?limit=1'))['next']
  const before = await memory(ours, RSS)
  const measure = async (
    open: () => ReturnType<typeof openCrowd>,
    url: string,
    ask: () => Request,
  ) => {
    const crowd = await open()
    await pause(1000)
    const grown = (await memory(ours, RSS)) - before
    const from = crowd.got()
    const begun = performance.now()
    const token = url === ours.url ? { token: ours.token } : {}
    await load({ url, ...token, connections: 1, seconds: 60, count: TOLD, request: ask })
    let last = -1
    let at = begun
    while (crowd.got() !== last) {
      if (crowd.got() !== last) at = performance.now()
      last = crowd.got()
      await pause(300)
    }
    crowd.close()
    return { rate: ((last - from) / (at - begun)) * 1000, grown, told: (last - from) / CLIENTS }
  }
  const stream = `/v1/events/stream?after=${head}`
  const own = await measure(
    () => openCrowd(`${ours.url}${stream}`, CLIENTS, keys),
    ours.url,
    () => order(pair),
  )
  const plain = await measure(() => openCrowd(bare.url, CLIENTS), bare.url, row)
  to(
    rateLine(
      `${home}: events to ${CLIENTS} WebSockets`,
      'messages/s',
      own.rate,
      'bare broadcast',
      plain.rate,
    ),
  )
  to(
    costLine(
      `${home}: memory of a WebSocket client`,
      'KiB',
      (own.grown * 1024) / CLIENTS,
      'goal',
      100,
    ),
  )
  if (own.told !== TOLD) throw new TypeError(`only ${own.told} of ${TOLD} events came to everybody`)
}

/** Mixed requests for a while: memory at the end beside memory at half time. */
async function flatness(pair: Pair, minutes: number, to: Report): Promise<void> {
  const { ours, home } = pair
  const path = `/v1/orders/${(await ours.done('POST', '/v1/orders', { wallet: pair.wallet }))['id']}`
  const mix: readonly (() => Request)[] = [
    () => order(pair),
    () => ({ method: 'GET', path }),
    () => ({ method: 'GET', path: '/v1/orders?limit=20' }),
    () => ({ method: 'GET', path: '/v1/events?limit=20&after=100' }),
    () => ({ method: 'GET', path: `/v1/wallets/${pair.wallet}/balance` }),
  ]
  let n = 0
  const request = () => mix[n++ % mix.length]?.() ?? order(pair)
  const samples: { readonly minute: number; readonly rss: number; readonly heap: number }[] = []
  const begun = performance.now()
  const seconds = Math.max(1, (minutes * 60) / 40)
  for (let minute = 0; minute < minutes; ) {
    const { failed } = await load({
      url: ours.url,
      token: ours.token,
      connections: 16,
      seconds,
      request,
    })
    if (failed > 0) throw new TypeError(`${failed} requests were not answered with 2xx`)
    minute = (performance.now() - begun) / 60_000
    samples.push({ minute, rss: await memory(ours, RSS), heap: await memory(ours, HEAP) })
  }
  const half = samples.slice(Math.floor(samples.length / 2))
  for (const figure of ['rss', 'heap'] as const) {
    const label = `${home}: ${figure}, second half of ${minutes} min of ${n} mixed requests`
    const first = half[0]?.[figure] ?? 0
    to(costLine(label, 'MiB', half.at(-1)?.[figure] ?? 0, 'its beginning', first))
    const slope = slopeOf(half.map((sample) => [sample.minute, sample[figure]]))
    process.stderr.write(`${home}: ${figure} grows by ${slope.toFixed(2)} MiB a minute\n`)
  }
}

/** Least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  const under = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  return under === 0 ? 0 : over / under
}

const ENVIRONMENT = { KACCY_CHAIN_POLL_MS: '5000' }

async function withPair(
  home: string,
  databases: readonly [string | undefined, (folder: string) => string],
  work: (pair: Pair) => Promise<void>,
): Promise<void> {
  const [database, forBare] = databases
  const ours = await LiveServer.open({
    ...(database === undefined ? {} : { database }),
    environment: ENVIRONMENT,
  })
  const bare = await startBare(forBare(ours.folder))
  try {
    await ours.until('/health/ready', ({ status }) => status === 'ready')
    await work({ home, ours, bare, wallet: (await ours.wallet())['id'] })
  } finally {
    await bare.stop()
    await ours.close()
  }
}

/** `minutes` of the mixed load; the night takes ten. */
export async function run(to: Report, { minutes = 0.5 } = {}): Promise<void> {
  await withPair('SQLite', [undefined, (folder) => join(folder, 'bare.sqlite')], async (pair) => {
    await requests(pair, 1, to)
    await requests(pair, CONNECTIONS, to)
    await streams(pair, to)
    await flatness(pair, minutes, to)
  })
  const programs = await findPostgres()
  if ('missing' in programs) {
    process.stderr.write(`SKIPPED: PostgreSQL: ${programs.missing}\n`)
    return
  }
  const server = await startPostgres({ fsync: true })
  try {
    const [url, other] = [await server.createDatabase(), await server.createDatabase()]
    await withPair('PostgreSQL', [url, () => other], (pair) => requests(pair, CONNECTIONS, to))
  } finally {
    await server.stop()
  }
}
