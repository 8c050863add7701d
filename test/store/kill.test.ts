import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { verifyBooks } from '@kaccy/bitcoin/ledger'
import type { Store } from '@kaccy/bitcoin/testing'
import { afterAll, expect, test } from 'vitest'
import type { Meeting } from '../races/store.ts'
import { postgresForTests, postgresHome, sqliteHome } from './homes.ts'

/** 100 kills in all; a fifth where `npm run night` has not asked for everything. */
const KILLS = Number(process.env['KACCY_SCALE'] ?? '0.1') >= 1 ? 100 : 20
const COMMITTER = fileURLToPath(new URL('./committer.ts', import.meta.url))

const server = await postgresForTests()
afterAll(() => server?.stop())

/** Lets a committing process live for `commits` acknowledgements and some moments more, then kills it. */
async function live(meeting: Meeting, life: number, commits: number, more: number) {
  const child = spawn(
    process.execPath,
    ['--conditions=@kaccy/source', COMMITTER, JSON.stringify(meeting), `life${life}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let output = ''
  let dying = false
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('latin1')
    if (dying || output.split('\n').length <= commits) return
    dying = true
    setTimeout(() => child.kill('SIGKILL'), more)
  })
  const code = await new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)))
  expect(code).toBe('SIGKILL')
  // A last line without its end was cut off while it was written.
  return output.slice(0, output.lastIndexOf('\n')).split('\n')
}

/** Everything that the database has of each commit. */
async function inventory(store: Store) {
  const events = await store.read((tx) => tx.events.list({ after: 0, limit: 1_000_000 }))
  const entries = await store.read((tx) => tx.ledger.entries({ limit: 1_000_000 }))
  const alerts = await store.read((tx) => tx.alerts.list({ limit: 1_000_000 }))
  return {
    seqs: events.map(({ seq }) => seq),
    events: events.map(({ subject }) => subject),
    entries: entries.map(({ key }) => key),
    alerts: alerts.map(({ key }) => key),
  }
}

async function killAndLook(meeting: Meeting, open: () => Promise<Store>, kills: number) {
  const acknowledged = new Set<string>()
  for (let life = 0; life < kills; life++) {
    const commits = 1 + ((life * 37) % 60)
    for (const name of await live(meeting, life, commits, (life * 7) % 13)) acknowledged.add(name)
    const store = await open()
    const { seqs, events, entries, alerts } = await inventory(store)
    const kept = new Set(entries)
    expect([...acknowledged].filter((name) => !kept.has(name))).toEqual([])
    expect(seqs).toEqual(seqs.map((_, i) => i + 1))
    const names = [...entries].sort()
    expect([...alerts].sort()).toEqual(names)
    expect([...events].sort()).toEqual(names.flatMap((name) => [name, name]))
    expect((await verifyBooks(store)).differences).toEqual([])
    await store.close()
  }
  expect(acknowledged.size).toBeGreaterThan(kills)
}

test(`SQLite: after ${KILLS} kills every acknowledged commit is there and nothing half`, async () => {
  const home = await sqliteHome()
  await killAndLook(
    { kind: 'sqlite', file: home.path },
    home.reopen ?? (async () => home.store),
    KILLS,
  )
  await home.store.close()
  await home.dispose?.()
})

test.skipIf(!server)(
  'PostgreSQL: the same with a process that dies beside its server',
  async () => {
    if (!server) return
    const home = await postgresHome(server)
    const meeting = { kind: 'postgres', url: home.url, schema: 'kaccy' } as const
    await killAndLook(meeting, home.reopen ?? (async () => home.store), Math.ceil(KILLS / 4))
    await home.dispose?.()
  },
)
