import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { systemClock } from '@kaccy/bitcoin/adapters/system'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Context } from '../cli/context.ts'
import { runProgram } from '../program.ts'
import type { Shell } from '../shell.ts'
import { examineClock } from './clock.ts'
import { examineRoom } from './database.ts'
import { examine } from './examine.ts'
import type { Finding } from './finding.ts'
import { examineTime } from './tls.ts'

let folder: string
let devnet: Devnet
let node: Readonly<Record<string, string>>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-doctor-'))
  devnet = await createDevnet({ dir: folder })
  node = {
    network: 'regtest',
    node: devnet.rpcUrl,
    cookie: devnet.cookiePath,
    database: join(folder, 'kaccy.sqlite'),
  }
})
afterAll(async () => {
  await devnet.close()
  rmSync(folder, { recursive: true, force: true })
})

const shellOf = (environment: Readonly<Record<string, string>> = {}): Shell & { said: string } => {
  const shell = {
    said: '',
    stdout: { write: (text: string) => (shell.said += text) },
    stderr: { write: () => {} },
    stdin: Readable.from([]),
    environment,
    folder,
    signal: new AbortController().signal,
    debug: false,
    readText: async () => '',
    readBytes: async () => new Uint8Array(),
  }
  return shell
}
const look = (
  options: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
  now?: () => number,
): Promise<Finding[]> => examine(new Context(shellOf(environment), options), now)
const of = (findings: readonly Finding[], check: string): Finding | undefined =>
  findings.find((finding) => finding.check === check)
/** Every finding that is not fine tells somebody what to do. */
const advised = (findings: readonly Finding[]): void =>
  expect(findings.filter(({ state, todo }) => state !== 'ok' && todo === '')).toEqual([])

test('all is well with a node, and nothing was made by looking', async () => {
  const findings = await look(node)
  expect(findings.filter(({ state }) => state === 'failed')).toEqual([])
  expect(of(findings, 'clock')?.says).toMatch(/, as the node has it$/)
  expect(of(findings, 'database')).toMatchObject({ state: 'warning' })
  advised(findings)
})

test.each([
  [60 * 60 * 1000, 'failed', 'ahead of the node'],
  [-60 * 60 * 1000, 'failed', 'behind the node'],
  [-30 * 1000, 'warning', 'behind the node'],
])('a clock that is wrong by %i ms', async (wrong, state, says) => {
  const findings = await look(node, {}, () => systemClock.now() + wrong)
  expect(of(findings, 'clock')).toMatchObject({ state })
  expect(of(findings, 'clock')?.says).toContain(says)
  advised(findings)
})

test('without the time of the node the newest block is the evidence', () => {
  const now = Date.UTC(2026, 0, 1)
  const tipTime = now / 1000
  expect(examineClock('the node', now, { tipTime })).toMatchObject({ state: 'ok' })
  const ahead = examineClock('the node', now, { tipTime: tipTime + 4 * 3600 })
  expect(ahead).toMatchObject({ state: 'failed' })
})

test('a node that is not there, and one on another chain', async () => {
  const away = await look({ ...node, node: 'http://127.0.0.1:1' })
  expect(of(away, 'node')).toMatchObject({ state: 'failed', code: 'NODE_UNREACHABLE' })
  expect(of(away, 'node')?.todo).toContain('start the node')
  const other = await look({ ...node, network: 'signet' })
  expect(of(other, 'node')).toMatchObject({ state: 'failed', code: 'CHAIN_WRONG_NETWORK' })
})

test('a certificate in its time, near its end, and outside of it', () => {
  const times = { validFrom: 'Jan  1 00:00:00 2026 GMT', validTo: 'Dec 31 23:59:59 2026 GMT' }
  const at = (now: number) => examineTime(times, now).map(({ state, says }) => `${state} ${says}`)
  expect(at(Date.UTC(2026, 5))).toEqual(['ok good until 2026-12-31'])
  expect(at(Date.UTC(2026, 11, 20))).toEqual(['warning it runs out on 2026-12-31'])
  expect(at(Date.UTC(2027, 0))).toEqual(['failed it ran out on 2026-12-31'])
  expect(at(Date.UTC(2025, 11))).toEqual(['failed its time has not begun'])
})

test('the public address: reached, answered by somebody else, not reached', async () => {
  let status = 200
  const server = createServer((_request, response) => {
    response.writeHead(status)
    response.end()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async () => of(await look(node, { KACCY_HTTP_PUBLIC_URL: url }), 'public url')
  expect(await ask()).toMatchObject({ state: 'ok' })
  status = 404
  expect(await ask()).toMatchObject({ state: 'warning' })
  server.closeAllConnections()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  expect(await ask()).toMatchObject({ state: 'warning' })
})

test('room where the database lies', () => {
  expect(examineRoom(folder, 50 * 2 ** 30).state).toBe('ok')
  expect(examineRoom(folder, 2 ** 30).state).toBe('warning')
  expect(examineRoom(folder, 2 ** 20)).toMatchObject({ state: 'failed' })
})

test('a server that is not there, and settings that serve would refuse', async () => {
  const findings = await look({ api: 'http://127.0.0.1:1' })
  expect(of(findings, 'api')).toMatchObject({ state: 'failed', code: 'API_UNREACHABLE' })
  const bad = await look(node, { KACCY_HTTP_LISTEN: 'everywhere' })
  expect(of(bad, 'interface')).toMatchObject({ state: 'failed', code: 'CONFIG_VALUE_INVALID' })
})

test('the exit code says who has to act', async () => {
  const flags = (options: Readonly<Record<string, string>>) =>
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  const exit = (options: Readonly<Record<string, string>>) =>
    runProgram(['doctor', '--json', ...flags(options)], shellOf())
  expect(await exit(node)).toBe(0)
  expect(await exit({ ...node, node: 'http://127.0.0.1:1' })).toBe(3)
  expect(await exit({ api: 'http://127.0.0.1:1' })).toBe(5)
  expect(await exit({ ...node, network: 'nowhere' })).toBe(2)
})
