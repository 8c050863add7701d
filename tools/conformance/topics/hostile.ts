import type { Details } from '@kaccy/bitcoin/kernel'
import { type CaseRecord, readVectors, type Verdict, type VectorFile } from '../cases.ts'
import { lineOf, seenFrom } from '../hostile-frame.ts'
import { HostileWorld } from '../hostile-world.ts'

export const topic = 'hostile'

type Check = () => Promise<Verdict>
type Checks = Iterable<readonly [name: string, check: Check]>
interface Cases<T> {
  readonly cases: readonly T[]
}
const casesOf = <T>({ data }: VectorFile): readonly T[] => (data as Cases<T>).cases

/** Files whose other side is no client of the HTTP interface, and the test that runs them against ours. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'redirects_and_rebinding.json': 'test/webhooks/sender.test.ts',
  'websocket.json': 'test/server/stream-hostile.test.ts',
}

/** Their routes and fields are ours by these names: an invoice or payment is an order, `amount` is `amount_sat`. */
const READERS: Readonly<Record<string, (world: HostileWorld, file: VectorFile) => Checks>> = {
  'json_bodies.json': bodies,
  'paths.json': paths,
  'labels.json': labels,
  'idempotency.json': idempotency,
  'webhook_urls.json': targets,
  'forwarded_for.json': addresses,
  'secrets_in_logs.json': secrets,
}

export async function* run(dir: string): AsyncGenerator<CaseRecord> {
  const world = await HostileWorld.open()
  try {
    for (const file of await readVectors(dir)) {
      const reader = READERS[file.name]
      if (reader) {
        for (const [name, check] of reader(world, file))
          yield await judge(`${file.name} ${name}`, check)
        continue
      }
      const where = ELSEWHERE[file.name]
      for (const [i] of casesOf<unknown>(file).entries())
        yield where === undefined
          ? { case: `${file.name} ${i}`, outcome: 'failed', reason: 'this file is not known' }
          : { case: `${file.name} ${i}`, outcome: 'skipped', reason: `run by ${where}` }
    }
  } finally {
    await world.close()
  }
}

async function judge(name: string, check: Check): Promise<CaseRecord> {
  try {
    const verdict = await check()
    if (verdict === undefined) return { case: name, outcome: 'passed' }
    if (typeof verdict === 'string') return { case: name, outcome: 'failed', reason: verdict }
    return { case: name, outcome: 'skipped', reason: verdict.skip }
  } catch (error) {
    return { case: name, outcome: 'failed', reason: `threw ${String(error)}` }
  }
}

const isProblem = (text: string): boolean => typeof JSON.parse(text).code === 'string'

function* bodies(world: HostileWorld, file: VectorFile): Checks {
  const rows = casesOf<{ body: string; expect: string; why: string }>(file)
  for (const [i, { body, expect, why }] of rows.entries())
    yield [
      `${i} ${why}`,
      async () => {
        const address = /"address":"(\w+)"/.exec(body)?.[1]
        // No body of ours holds an address; the list of orders is asked for by one.
        const { status, text } =
          address === undefined
            ? await world.post('/v1/orders', asOrder(world, body))
            : await world.ask({ path: `/v1/orders?address=${address}` })
        if (expect === 'ok') return status === 201 ? undefined : `${status} ${text}`
        return status === 400 && isProblem(text) ? undefined : `was answered with ${status} ${text}`
      },
    ]
}

const asOrder = ({ wallet }: HostileWorld, body: string): string =>
  body
    .replace('"amount":', `"wallet":"${wallet}","amount_sat":`)
    .replace('"label":', `"wallet":"${wallet}","description":`)

function* paths(world: HostileWorld, file: VectorFile): Checks {
  for (const [i, { path, expect }] of casesOf<{ path: string; expect: string }>(file).entries())
    yield [
      `${i}`,
      async () => {
        const { status, text } = await world.ask({ path })
        return expect.split(' or ').includes(String(status)) && isProblem(text)
          ? undefined
          : `was answered with ${status}`
      },
    ]
}

/** Stored as it is or refused by a rule; shown as text; no formula in a spreadsheet. */
function* labels(world: HostileWorld, file: VectorFile): Checks {
  for (const [i, { text }] of casesOf<{ text: string }>(file).entries())
    yield [
      `${i}`,
      async () => {
        const { wallet } = world
        const body = { wallet, amount_sat: 10_000, description: text, metadata: { note: text } }
        const made = await world.post('/v1/orders', JSON.stringify(body))
        if (made.status === 400)
          return isProblem(made.text) ? undefined : 'refused without a reason'
        if (made.status !== 201) return `was answered with ${made.status}`
        const { id } = JSON.parse(made.text)
        const found = await world.ask({ path: `/v1/orders/${id}` })
        const { description, metadata } = JSON.parse(found.text)
        if (description !== text || metadata.note !== text) return 'came back as something else'
        if (found.headers['x-content-type-options'] !== 'nosniff') return 'may be taken for a page'
        await world.post(`/v1/orders/${id}/settle`, JSON.stringify({ reason: text }))
        const csv = await world.ask({ path: '/v1/audit/export?format=csv' })
        return csv.status === 200
          ? formulaIn(csv.text)
          : `the export is answered with ${csv.status}`
      },
    ]
}

/** Source: OWASP, CSV injection. */
function formulaIn(csv: string): string | undefined {
  const cells = [...csv.matchAll(/"((?:[^"]|"")*)"|([^",\r\n]+)/g)].map(
    (cell) => cell[1] ?? cell[2] ?? '',
  )
  const formula = cells.find((cell) => /^[=+\-@\t\r]/.test(cell))
  return formula === undefined ? undefined : `a cell is a formula: ${formula}`
}

/** What a webhook may lead to; the sender looks at the resolved addresses again, at each connection. */
function* targets(world: HostileWorld, file: VectorFile): Checks {
  for (const [i, { url, expect }] of casesOf<{ url: string; expect: string }>(file).entries())
    yield [
      `${i}`,
      async () => {
        const body = JSON.stringify({ url, event_types: ['*'] })
        const { status, text } = await world.post('/v1/webhooks', body)
        const isRefused = status === 400 && JSON.parse(text).param === 'url'
        const isRight = expect === 'allow' ? status === 201 : isRefused
        return isRight ? undefined : `was answered with ${status} ${text}`
      },
    ]
}

interface Forwarded {
  readonly peer: string
  readonly x_forwarded_for: string | null
  readonly trusted_proxies: readonly string[]
  readonly client: string
}
/** The address that the log of requests names, and that limits count. */
function* addresses(_world: HostileWorld, file: VectorFile): Checks {
  for (const [i, row] of casesOf<Forwarded>(file).entries())
    yield [
      `${i}`,
      async () => {
        const seen = await seenFrom(row.peer, row.x_forwarded_for, row.trusted_proxies)
        return seen === row.client ? undefined : `was taken for ${seen}`
      },
    ]
}

interface Logged {
  readonly kind: string
  readonly log_input: Details
  readonly must_not_appear: readonly string[]
}
function* secrets(_world: HostileWorld, file: VectorFile): Checks {
  for (const { kind, log_input: input, must_not_appear: hidden } of casesOf<Logged>(file))
    yield [
      kind,
      async () => {
        const lines = (['text', 'json'] as const).map((form) => lineOf(form, input))
        const shown = hidden.find((secret) => lines.some((line) => line.includes(secret)))
        if (shown !== undefined) return 'a secret stands in the line'
        const { txid } = input
        const isKept = txid === undefined || lines.every((line) => line.includes(String(txid)))
        return isKept ? undefined : 'what people search for is gone'
      },
    ]
}

interface Sent {
  readonly key: string | null
  readonly body: { readonly amount: number }
  readonly expect: string
  readonly parallel?: number
  readonly instances?: number
  readonly route?: string
  readonly kill9?: boolean
}

function* idempotency(world: HostileWorld, file: VectorFile): Checks {
  for (const { name, requests } of casesOf<{ name: string; requests: readonly Sent[] }>(file))
    yield [
      name,
      async () => {
        if (requests.some(({ kill9 }) => kill9 === true))
          return {
            skip: 'needs a served process that is killed in the middle, which is not built yet',
          }
        const ids = new Set<string>()
        for (const sent of requests) {
          const fault = await send(world, sent, ids)
          if (fault !== undefined) return fault
        }
        return undefined
      },
    ]
}

async function send(
  world: HostileWorld,
  sent: Sent,
  ids: Set<string>,
): Promise<string | undefined> {
  const { key, body, expect, parallel = 1, instances = 1, route } = sent
  const isOther = route === '/invoices'
  // What may be ordered at all is larger than 1 satoshi.
  const order = {
    wallet: world.wallet,
    amount_sat: body.amount < 0 ? body.amount : body.amount * 10_000,
  }
  const hook = { url: 'https://receiver.example/hooks', event_types: ['*'] }
  const path = key === null ? '/v1/test/moves' : isOther ? '/v1/webhooks' : '/v1/orders'
  const text = JSON.stringify(isOther ? hook : order)
  const answers = await Promise.all(
    Array.from({ length: parallel }, (_, i) => attempt(world, path, text, key, i % instances)),
  )
  for (const { status, text: got } of answers) {
    if (status === 201) ids.add(JSON.parse(got).id)
    const isExpected = expect.includes(String(status)) || (isOther && status === 201)
    if (!isExpected) return `${expect} was answered with ${status} ${got}`
  }
  const made = answers.filter(({ status }) => status === 201)
  if (expect.startsWith('201') && made.length === 0) return 'nothing was made'
  const most = isOther ? 2 : 1
  return ids.size <= most ? undefined : `${ids.size} things were made of one request`
}

async function attempt(
  world: HostileWorld,
  path: string,
  body: string,
  key: string | null,
  instance: number,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    return await world.post(path, body, { key, instance })
  } catch (error) {
    // The client itself does not let control characters into a header.
    if (error instanceof TypeError) return { status: 400, text: String(error) }
    throw error
  }
}
