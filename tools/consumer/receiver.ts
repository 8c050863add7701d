/**
 * A shop of its own process: it takes webhooks with the consumer kit, keeps cursor and totals in its own SQLite file, and
 * drops, doubles and delays what comes as its seed says. It may be killed at any moment.
 */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import {
  createWebhookReceiver,
  type ReceivedEvent,
  type WebhookInbox,
} from '@kaccy/bitcoin/webhooks'
import Database from 'better-sqlite3'
import { Random } from '../simulate/random.ts'

const [file = '', port = '', secret = '', api = '', token = '', seed = ''] = process.argv.slice(2)
/** While this file is there, everything arrives well. */
const CALM = `${file}.calm`

const database = new Database(file)
database.pragma('journal_mode = WAL')
database.exec(`create table if not exists inbox (seq integer not null) strict;
  create table if not exists events (place integer primary key, seq integer not null, type text not null) strict;
  create table if not exists credited (subject text primary key, sat integer not null) strict;
  insert into inbox select 0 where not exists (select 1 from inbox)`)
const cursor = () => database.prepare('select seq from inbox').pluck().get() as number

function book({ seq, type, subject, data }: ReceivedEvent): void {
  database.prepare('insert into events (seq, type) values (?, ?)').run(seq, type)
  const credited = data['credited_sat']
  if (typeof credited !== 'number') return
  database
    .prepare('insert into credited values (?, ?) on conflict do update set sat = excluded.sat')
    .run(subject, credited)
}
const inbox: WebhookInbox = {
  cursor: async () => cursor(),
  apply: async (events, after, upTo) =>
    database
      .transaction(() => {
        if (cursor() !== after) return false
        for (const event of events) book(event)
        database.prepare('update inbox set seq = ?').run(upTo)
        return true
      })
      .immediate(),
}
const receiver = createWebhookReceiver({
  secrets: [secret],
  inbox,
  now: Date.now,
  eventTypes: ['order.*'],
  async fetchEvents(after, limit) {
    const answer = await fetch(`${api}/v1/events?after=${after}&limit=${limit}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    if (!answer.ok) throw new TypeError(`the server answered ${answer.status}`)
    return ((await answer.json()) as { readonly data: readonly ReceivedEvent[] }).data
  },
})
const random = new Random(Number(seed))
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

interface Delivery {
  readonly headers: Record<string, string>
  readonly body: Buffer
}
/** The status to answer with; undefined: none at all. */
async function take({ headers, body }: Delivery): Promise<number> {
  try {
    const receipt = await receiver.receive(headers, body)
    if (receipt.ok) return 204
    return receipt.error.code === 'WEBHOOK_HOLE_OPEN' ? 503 : 400
  } catch {
    return 500
  }
}
/** What a delivery meets on its way: 30 of a hundred something. */
const MEETS = { well: 70, dropped: 4, unheard: 3, failed: 3, doubled: 10, late: 10 } as const

async function deliver(delivery: Delivery, answer: (status?: number) => void): Promise<void> {
  const meets = existsSync(CALM) ? 'well' : random.weighted(MEETS)
  if (meets === 'dropped') return answer()
  if (meets === 'failed') return answer(503)
  if (meets === 'late') {
    // Somebody on the way says that it arrived, and it does later, behind others.
    answer(204)
    await pause(random.between(0, 300))
    await take(delivery)
    return
  }
  const status = await take(delivery)
  if (meets === 'doubled') await take(delivery)
  if (meets === 'unheard') answer()
  else answer(status)
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const headers = request.headers as Record<string, string>
    void deliver({ headers, body: Buffer.concat(chunks) }, (status) => {
      if (status === undefined) response.destroy()
      else response.writeHead(status).end()
    })
  })
})
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'))
