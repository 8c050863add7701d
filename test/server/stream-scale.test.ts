import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStreamed, type Streamed } from './streamed.ts'

/** 1,000 clients and 5,000 connections where `npm run night` asks for everything; a fifth otherwise. */
const isAll = Number(process.env['KACCY_SCALE'] ?? '0.1') >= 1
const CLIENTS = isAll ? 1_000 : 200
const EVENTS = isAll ? 1_000 : 500
const ROUNDS = isAll ? 5_000 : 1_000
const CROWD = fileURLToPath(new URL('./stream-crowd.ts', import.meta.url))
const MB = 1_048_576

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
/** What is in use after everything unused is gone, megabytes. */
async function memory() {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    collect()
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { used: (heapUsed + external) / MB, rss: rss / MB }
}

let streamed: Streamed
beforeAll(async () => {
  streamed = await openStreamed({
    streams: { perKey: 100_000, perAddress: 100_000, heartbeatMs: 600_000 },
  })
})
afterAll(() => streamed.served.close())

async function crowd(count: number) {
  const child = spawn(
    process.execPath,
    ['--conditions=@kaccy/source', CROWD, streamed.url, streamed.served.admin, String(count)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value as string)
  expect(await next()).toEqual({ type: 'connected' })
  return {
    next,
    say: (line: string) => child.stdin.write(`${line}\n`),
    async end() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill()
      await gone
    },
  }
}

test(`${CLIENTS} clients get ${EVENTS} events each, and the server does not grow`, async () => {
  // Once, so that what is made on first use is there.
  const first = await crowd(10)
  first.say('want 10')
  await streamed.many(10)
  await first.next()
  await first.end()
  const idle = await memory()
  const all = await crowd(CLIENTS)
  const connected = await memory()
  all.say(`want ${EVENTS}`)
  const begun = performance.now()
  for (let sent = 0; sent < EVENTS; sent += 10) {
    await streamed.many(10, { note: 'x'.repeat(100) })
    await new Promise(setImmediate)
  }
  const { sum } = await all.next()
  const ms = performance.now() - begun
  expect(sum).toBe(CLIENTS * EVENTS)
  const after = await memory()
  await all.end()
  const perClient = ((connected.used - idle.used) / CLIENTS) * 1024
  process.stdout.write(
    `${CLIENTS} clients x ${EVENTS} events: ${Math.round(ms)} ms, ${Math.round(sum / (ms / 1000))} events/s, ` +
      `${perClient.toFixed(1)} KiB a client, in use ${idle.used.toFixed(1)} MB idle, ` +
      `${connected.used.toFixed(1)} MB connected, ${after.used.toFixed(1)} MB after; rss ${after.rss.toFixed(0)} MB\n`,
  )
  // The events themselves lie in the memory store and in what the hub keeps.
  expect(after.used - connected.used).toBeLessThan(16)
  expect(perClient).toBeLessThan(64)
}, 120_000)

test(`${ROUNDS} clients that come and go leave nothing behind`, async () => {
  const come = async (rounds: number) => {
    const some = await crowd(0)
    some.say(`rounds ${rounds}`)
    await some.next()
    await some.end()
    return memory()
  }
  const before = await come(ROUNDS / 5)
  const after = await come(ROUNDS)
  process.stdout.write(
    `${ROUNDS} connections: ${before.used.toFixed(1)} MB before, ${after.used.toFixed(1)} MB after\n`,
  )
  expect(after.used - before.used).toBeLessThan(4)
}, 120_000)
