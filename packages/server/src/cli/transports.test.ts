import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { systemClock } from '@kaccy/bitcoin/adapters/system'
import { assert, silentLogger } from '@kaccy/bitcoin/kernel'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../config/load.ts'
import { type Host, openHost } from '../host/host.ts'
import { createApp } from '../http/index.ts'
import { runProgram } from '../program.ts'

const XPUB =
  '[73c5da0a/84h/1h/0h]tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M'

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
async function kaccy(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Said> {
  let stdout = ''
  let stderr = ''
  const code = await runProgram(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: Readable.from([]),
    environment,
    folder,
    signal: new AbortController().signal,
    debug: false,
    readText: (path) => readFile(path, 'utf8'),
    readBytes: (path) => readFile(path),
  })
  return { code, stdout, stderr }
}

let folder: string
let devnet: Devnet
let host: Host
let app: FastifyInstance
/** How each of the two ways is asked. */
let here: readonly string[]
let node: readonly string[]
let there: readonly string[]
let environment: Record<string, string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-transports-'))
  devnet = await createDevnet({ dir: folder })
  here = ['--network', 'regtest', '--database', join(folder, 'kaccy.sqlite')]
  node = ['--node', devnet.rpcUrl, '--cookie', devnet.cookiePath]
  const done = async (...args: string[]) => {
    const said = await kaccy(args)
    expect(said, args.join(' ')).toMatchObject({ code: 0, stderr: '' })
    return said.stdout
  }
  const key = ['--xpub', XPUB, '--script-type', 'p2wpkh', '--lookahead', '40']
  await done('wallet', 'register', '--name', 'shop', ...key, ...here, ...node)
  const made = await done(
    'order',
    'create',
    '--amount',
    '150000',
    '--external-id',
    'paid',
    '--json',
    ...here,
  )
  devnet.pay(JSON.parse(made).address, 150_000n)
  devnet.mine(3)
  await done('order', 'create', '--amount', '9000', '--external-id', 'open', ...here)
  await done('reconcile', ...here, ...node)
  await serve(await done('key', 'create', '--name', 'both', '--scopes', 'admin', '--json', ...here))
}, 60_000)
afterAll(async () => {
  await app?.close()
  await host?.close()
  await devnet?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function serve(created: string): Promise<void> {
  const flags = {
    network: 'regtest',
    'database.url': join(folder, 'kaccy.sqlite'),
    'node.url': devnet.rpcUrl,
    'node.cookie_file': devnet.cookiePath,
  }
  const loaded = loadConfig({ environment: {}, flags, folder })
  assert(loaded.ok, 'the configuration can be read')
  const { config } = loaded.value
  host = await openHost({ config, logger: silentLogger, needsNode: true, mayCreate: false })
  app = await createApp({
    engine: host.engine,
    network: 'regtest',
    clock: systemClock,
    logger: silentLogger,
    settings: {
      trustedProxies: [],
      allowedAddresses: [],
      origins: [],
      bodyLimit: 65_536,
      requestsPerMinute: { address: 1_000_000, key: 1_000_000 },
    },
  })
  there = ['--api', await app.listen({ host: '127.0.0.1', port: 0 })]
  const file = join(folder, 'key')
  writeFileSync(file, `${JSON.parse(created).token}\n`)
  environment = { KACCY_API_KEY_FILE: file }
}

const both = async (
  args: readonly string[],
  more: readonly string[] = [],
): Promise<[Said, Said]> => [
  await kaccy([...args, ...here, ...more]),
  await kaccy([...args, ...there], environment),
]

describe('a question has one answer, in the process and over HTTP', () => {
  test.each([
    ['wallet list'],
    ['wallet show'],
    ['wallet show shop'],
    ['wallet addresses shop --limit 5'],
    ['wallet addresses --state free'],
    ['wallet coins'],
    ['wallet transactions'],
    ['wallet export-recovery'],
    ['wallet labels export'],
    ['order list'],
    ['order list --status pending --limit 1'],
    ['order show paid'],
    ['order explain paid'],
    ['order qr open'],
    ['payments'],
    ['payments --order paid --unspent'],
    ['events'],
    ['events --after 2 --limit 3'],
    ['events --types order.*'],
    ['books'],
    ['statistics --from 2020-01-01 --until 2100-01-01'],
    ['audit list --limit 5'],
    ['audit head'],
    ['audit verify'],
    ['audit export --format csv --action wallet.'],
    ['audit export'],
    ['alerts'],
    ['alerts list --all'],
    ['key list'],
    ['webhook list'],
  ])('%s', async (line) => {
    for (const form of [[], ['--json']]) {
      const [local, remote] = await both([...line.split(' '), ...form])
      expect(local).toMatchObject({ code: 0, stderr: '' })
      if (form.length === 0 && line !== 'wallet labels export') expect(local.stdout).not.toBe('')
      expect(remote).toEqual(local)
    }
  })
  test.each([
    // A young chain has no estimate, and none is invented.
    ['fees', 1],
    ['reconcile', 0],
    ['reconcile shop', 0],
  ])('%s, with a node', async (line, code) => {
    const [local, remote] = await both(line.split(' '), node)
    expect(remote.stdout).toBe(local.stdout)
    expect([local.code, remote.code]).toEqual([code, code])
  })
})

describe('a refusal is the same refusal', () => {
  test.each([
    ['order show nothing', 1, 'ORDER_NOT_FOUND'],
    ['order show ord_00000000000000000000000000000000', 1, 'ORDER_NOT_FOUND'],
    ['order cancel paid', 1, 'ORDER_HAS_PAYMENTS'],
    ['order create --amount 1', 1, 'ORDER_AMOUNT_DUST'],
    ['order create --amount 5000 --wallet nobody', 1, 'WALLET_NOT_FOUND'],
    ['order create --amount 7 --external-id paid', 1, 'ORDER_'],
    ['order create --amount 5eur', 2, 'USAGE_INVALID'],
    ['order list --limit 0', 2, 'USAGE_INVALID'],
    ['wallet register --name x --xpub nonsense --birthday 0', 1, 'KEY_'],
    ['wallet rescan shop --from 4000000 --no-wait', 1, 'WALLET_BIRTHDAY_ABOVE_TIP'],
    ['key create --scopes everything', 1, 'FIELD_INVALID'],
    ['key show key_00000000000000000000000000000000', 1, 'NOT_FOUND'],
    ['key revoke key_x', 2, 'USAGE_INVALID'],
    ['webhook show whk_00000000000000000000000000000000', 1, 'WEBHOOK_NOT_FOUND'],
    ['webhook create http://10.0.0.1/x', 1, 'WEBHOOK_URL_REFUSED'],
    ['alerts ack alr_999', 1, 'NOT_FOUND'],
    ['order pay-url paid', 2, 'CONFIG_VALUE_MISSING'],
  ])('%s', async (line, code, says) => {
    for (const form of [[], ['--json']]) {
      const [local, remote] = await both([...line.split(' '), ...form])
      expect(local.code).toBe(code)
      expect(local.stderr).toContain(says)
      expect(remote).toEqual(local)
    }
  })
})

/** What differs from one deed to the next and not from one way to the other. */
const bare = (text: string): string =>
  text
    .replace(/\b(wal|ord|key|whk)_[0-9a-f]{32}\b/g, '$1')
    .replace(/bcrt1[0-9a-z]+/g, 'address')
    .replace(/\b\d{4}-\d\d-\d\d(T[\d:.]+Z)?/g, 'time')
    .replace(/kc_dev_[\w…-]+|whsec_[\w+/=-]+/g, 'secret')
    .replace(/"hint":"[^"]*"/g, 'hint')
    .replace(/order ord_\w+…\w+ ─+/g, 'order')
    .replace(/operator:cli|api:key/g, 'actor')
    .replace(/"by":"(cli|actor)"/g, 'actor')
    .replace(/"cursor":\d+/g, 'cursor')

test('a deed does the same', async () => {
  const deeds = [
    [
      'order create --amount 5000 --customer ann --tolerance 0.5% --confirmations 1,2,3 --metadata a=b',
      '',
    ],
    ['order create --amount 0.00005btc --external-id WAY --expires-in 15m --json', ''],
    ['order create --amount 0.00005btc --external-id WAY --expires-in 15m', ''],
    ['order cancel WAY --json', ''],
    ['order create --amount 6000 --external-id by-hand-WAY --json', ''],
    ['order settle by-hand-WAY --reason cash --json', ''],
    [
      'key create --name WAY --scopes orders:read,orders:write --wallet shop --address 192.0.2.0/24 --expires-in 90d --json',
      'key',
    ],
    ['key show KEY', ''],
    ['key revoke KEY --yes', ''],
    [
      'webhook create https://example.com/hook --types order.*,payment.credited --metadata a=b --json',
      'hook',
    ],
    ['webhook update HOOK --description x', ''],
    ['webhook pause HOOK', ''],
    ['webhook resume HOOK', ''],
    ['webhook replay HOOK --from 1 --json', ''],
    ['webhook rotate HOOK --overlap 2h --json', ''],
    ['webhook deliveries HOOK', ''],
    ['webhook remove HOOK --yes --json', ''],
  ]
  const told = async (
    way: string,
    flags: readonly string[],
    environment: Record<string, string>,
  ) => {
    const ids: Record<string, string> = {}
    const lines: string[] = []
    for (const [line = '', id = ''] of deeds) {
      const args = line
        .replaceAll('WAY', way)
        .replace('KEY', ids['key'] ?? '')
        .replace('HOOK', ids['hook'] ?? '')
        .split(' ')
      const said = await kaccy([...args, ...flags], environment)
      expect(said, args.join(' ')).toMatchObject({ code: 0, stderr: '' })
      if (id !== '') ids[id] = JSON.parse(said.stdout).id
      lines.push(bare(said.stdout.replaceAll(way, 'WAY')))
    }
    return lines
  }
  const local = await told('first-way', here, {})
  expect(await told('other-way', there, environment)).toEqual(local)
  // The demand for a recovery file, a rescan that waits for its server, and a file of labels.
  const labels = join(folder, 'labels.jsonl')
  writeFileSync(labels, '{"type":"addr","ref":"nowhere","label":"x"}\n')
  const [first, second] = await both(['wallet', 'labels', 'import', labels])
  expect(second).toEqual(first)
  const file = join(folder, 'recovery')
  expect(
    await kaccy(['wallet', 'export-recovery', '--output', file, ...there], environment),
  ).toMatchObject({ code: 0 })
  const [restored, again] = await both(['wallet', 'restore', file])
  expect(restored).toMatchObject({ code: 0, stderr: '' })
  expect(again).toEqual(restored)
  expect(readFileSync(file, 'utf8')).not.toContain('prv')
})

test('a rescan over HTTP is followed until the server is done', async () => {
  const asked = kaccy(['wallet', 'rescan', 'shop', '--from', '0', '--json', ...there], environment)
  const work = setInterval(() => void host.engine.sync(), 50)
  const said = await asked
  clearInterval(work)
  expect(said.code).toBe(0)
  expect(JSON.parse(said.stdout)).toMatchObject({ from: 0, done: true })
  const left = await kaccy(
    ['wallet', 'rescan', 'shop', '--from', '0', '--no-wait', ...there],
    environment,
  )
  expect(left.stdout).toContain('requested')
})

test('who may not, and who cannot be reached', async () => {
  const wrong = { KACCY_API_KEY: `kc_dev_${'x'.repeat(43)}` }
  expect(await kaccy(['order', 'list', ...there], wrong)).toMatchObject({ code: 5 })
  expect((await kaccy(['order', 'list', ...there], {})).stderr).toMatch(/^TOKEN_MISSING/)
  const away = await kaccy(['order', 'list', '--api', 'http://127.0.0.1:1'], environment)
  expect(away).toMatchObject({ code: 5, stdout: '' })
  expect(away.stderr).toMatch(/^API_UNREACHABLE/)
  const file = join(folder, 'reader')
  const made = await kaccy(['key', 'create', '--scopes', 'orders:read', '--token-only', ...here])
  writeFileSync(file, made.stdout)
  const reader = { KACCY_API_KEY_FILE: file }
  expect(await kaccy(['order', 'list', ...there], reader)).toMatchObject({ code: 0 })
  const refused = await kaccy(['order', 'create', '--amount', '5000', ...there], reader)
  expect([refused.code, refused.stderr.split(':')[0]]).toEqual([5, 'SCOPE_MISSING'])
  // A till that makes orders for one wallet needs to read none.
  const till = ['--scopes', 'orders:write', '--wallet', 'shop', '--token-only']
  writeFileSync(file, (await kaccy(['key', 'create', ...till, ...here])).stdout)
  const sold = await kaccy(['order', 'create', '--amount', '5000', ...there], reader)
  expect(sold).toMatchObject({ code: 0, stderr: '' })
})

test('the stronger source decides whom a command asks', async () => {
  const [url = ''] = there.slice(1)
  const api = { ...environment, KACCY_API_URL: url }
  // The flag of the database is stronger than an API of the environment: a database that is not there says so.
  const other = ['--network', 'regtest', '--database', join(folder, 'none.sqlite')]
  expect((await kaccy(['order', 'list', ...other], api)).code).toBe(4)
  expect((await kaccy(['order', 'list'], api)).code).toBe(0)
  expect((await kaccy(['order', 'list', ...here, ...there], environment)).stderr).toMatch(
    /^CONFIG_CONFLICT/,
  )
  const database = { ...api, KACCY_DATABASE_URL: join(folder, 'none.sqlite') }
  expect((await kaccy(['order', 'list'], database)).code).toBe(0)
})

test('the last key that may do everything goes only by force, and only beside the database', async () => {
  const [key] = JSON.parse(
    `[${(await kaccy(['key', 'list', '--json', ...here])).stdout.trim().split('\n').join(',')}]`,
  ).filter(({ name }: { name: string }) => name === 'both')
  const revoke = ['key', 'revoke', key.id, '--yes']
  expect((await kaccy([...revoke, ...there], environment)).stderr).toMatch(/^KEY_LAST_ADMIN/)
  expect((await kaccy([...revoke, '--force', ...there], environment)).code).toBe(2)
  expect(await kaccy([...revoke, '--force', ...here])).toMatchObject({ code: 0 })
  expect((await kaccy(['order', 'list', ...there], environment)).stderr).toMatch(/^KEY_REVOKED/)
})
