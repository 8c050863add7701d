import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { assert } from '@kaccy/bitcoin/kernel'
import { afterAll, expect, test } from 'vitest'
import { postgresForTests } from '../store/homes.ts'
import { Listener, openStreamed, upTo } from './streamed.ts'

/** Each takes some seconds to begin. */
const LIVES = Number(process.env['KACCY_SCALE'] ?? '0.1') >= 1 ? 10 : 2
const VICTIM = fileURLToPath(new URL('./stream-victim.ts', import.meta.url))

async function start(file: string, port: number) {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=@kaccy/source', VICTIM, file, String(port)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [line] = (await once(
    createInterface({ input: child.stdout as NodeJS.ReadableStream }),
    'line',
  )) as [string]
  const { url, token } = JSON.parse(line) as { url: string; token: string }
  return {
    url,
    token,
    port: Number(new URL(url).port),
    async kill() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

test('a server that is killed again and again: who resumes gets every event, once and in order', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-stream-'))
  const file = join(folder, 'events.sqlite')
  let server = await start(file, 0)
  const { port } = server
  const got: number[] = []
  for (let life = 0; life < LIVES; life++) {
    const listener = new Listener(server.url, {
      token: server.token,
      query: `?after=${got.at(-1) ?? 0}`,
    })
    await listener.until((got.at(-1) ?? 0) + 100 * (life + 1))
    await server.kill()
    // Cut without a word.
    expect((await listener.ended).code).toBe(1006)
    got.push(...listener.seqs)
    server = await start(file, port)
  }
  const last = new Listener(server.url, { token: server.token, query: `?after=${got.at(-1)}` })
  await last.until((got.at(-1) ?? 0) + 100)
  got.push(...last.seqs)
  last.close()
  await server.kill()
  expect(got).toEqual(upTo(got.at(-1) ?? 0))
  await rm(folder, { recursive: true })
}, 120_000)

const postgres = await postgresForTests()
afterAll(() => postgres?.stop())

test.skipIf(!postgres)(
  'two servers on one PostgreSQL: who listens to either hears what both commit',
  async () => {
    const server = postgres
    assert(server, 'it is there')
    const url = await server.createDatabase()
    const open = async () =>
      openStreamed({
        store: await openStore({ dialect: 'postgres', database: server.pool(url), migrate: true }),
        registers: false,
        streams: { pollMs: 30 },
      })
    const pair = [await open(), await open()] as const
    const token = pair[0].served.admin
    const listeners = pair.map((one) => new Listener(one.url, { token, query: '?after=0' }))
    await Promise.all(listeners.map(({ opened }) => opened))
    for (let turn = 0; turn < 20; turn++)
      await Promise.all(pair.map((one, i) => one.many(1 + ((turn * (3 + i)) % 17))))
    const head = await pair[0].head()
    await Promise.all(listeners.map((one) => one.until(head)))
    for (const { seqs } of listeners) expect(seqs).toEqual(upTo(head))
    // A key that is revoked through one server is cut by the other.
    const list = await pair[0].served.till.engine.access.list({ limit: 10 })
    const own = list.find(({ hint }) => hint === token.slice(-4))
    await pair[0].served.till.engine.access.revoke(own?.id ?? '', 'operator:test')
    const ends = await Promise.all(listeners.map(({ ended }) => ended))
    expect(ends.map(({ code }) => code)).toEqual([4001, 4001])
    await Promise.all(pair.map(({ served }) => served.close()))
  },
  40_000,
)
