/**
 * What the server is measured against: the same framework, driver and durability, one insert for a request, and nothing of what
 * makes an order. Its streams send each row to everybody.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import Fastify from 'fastify'
import pg from 'pg'
import { WebSocketServer } from 'ws'

interface Row {
  readonly id: number
  readonly at: number
  readonly data: string
}
interface Rows {
  insert(data: string): Promise<Row>
  find(id: number): Promise<Row | undefined>
}
const TABLE = (key: string) =>
  `create table bare (id ${key}, at bigint not null, data text not null)`

function sqliteRows(file: string): Rows {
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec(TABLE('integer primary key'))
  const insert = database.prepare('insert into bare (at, data) values (?, ?)')
  const find = database.prepare('select * from bare where id = ?')
  return {
    async insert(data) {
      const at = Date.now()
      return { id: Number(insert.run(at, data).lastInsertRowid), at, data }
    },
    find: async (id) => find.get(id) as Row | undefined,
  }
}

async function postgresRows(url: string): Promise<Rows> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(TABLE('bigint generated always as identity primary key'))
  const insert = 'insert into bare (at, data) values ($1, $2) returning *'
  return {
    insert: async (data) =>
      (await pool.query({ name: 'insert', text: insert, values: [Date.now(), data] })).rows[0],
    find: async (id) =>
      (await pool.query({ name: 'find', text: 'select * from bare where id = $1', values: [id] }))
        .rows[0],
  }
}

/** Serves in this process. */
async function serve(database: string): Promise<string> {
  const rows = database.startsWith('postgres:')
    ? await postgresRows(database)
    : sqliteRows(database)
  const app = Fastify()
  const streams = new WebSocketServer({ server: app.server })
  app.post('/orders', async (request, reply) => {
    const row = await rows.insert(JSON.stringify(request.body))
    const text = JSON.stringify(row)
    for (const client of streams.clients) client.send(text)
    return reply.code(201).send(row)
  })
  app.get<{ Params: { id: string } }>('/orders/:id', (request) =>
    rows.find(Number(request.params.id)),
  )
  return app.listen({ host: '127.0.0.1', port: 0 })
}

export interface Bare {
  readonly url: string
  stop(): Promise<void>
}
/** Serves in a process of its own. */
export async function startBare(database: string): Promise<Bare> {
  const script = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, [script, database], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const first = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { value } = await first.next()
  if (value === undefined) throw new TypeError('the bare handler did not start')
  return {
    url: String(value),
    async stop() {
      child.kill()
      await ended
    },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(`${await serve(process.argv[2] ?? '')}\n`)
