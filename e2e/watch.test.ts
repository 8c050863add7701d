import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callKaccy, objectsOf, type Said, startKaccy } from './kaccy.ts'

/** The account of the BIP 39 test words: public keys that everybody knows. */
const XPUB =
  '[73c5da0a/84h/1h/0h]tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M'

let folder: string
let devnet: Devnet
let where: readonly string[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-watch-test-'))
  devnet = await createDevnet({ dir: folder })
  const node = ['--node', devnet.rpcUrl, '--cookie', devnet.cookiePath]
  const database = ['--network', 'regtest', '--database', join(folder, 'kaccy.sqlite')]
  where = [...node, ...database, '--poll', '200', '--json']
})
afterAll(async () => {
  await devnet.close()
  rmSync(folder, { recursive: true, force: true })
})

const order = (said: Said): Said => (said['order'] ?? {}) as Said
const orderIs = (status: string) => (said: Said) =>
  said['type'] === 'state' && order(said)['status'] === status
const keys = ['--xpub', XPUB, '--script-type', 'p2wpkh', '--name', 'shop', '--lookahead', '40']

test('watch follows a node, stops cleanly, and takes up what came while it was away', async () => {
  const first = startKaccy(['watch', ...where, ...keys, '--order', '150000'])
  const address = String(order(await first.said(orderIs('pending')))['address'])
  devnet.pay(address, 100_000n)
  const seen = await first.said(orderIs('unconfirmed'))
  expect(order(seen)).toMatchObject({ amount_verdict: 'underpaid', missing_sat: 50_000 })
  first.process.kill('SIGINT')
  expect(await first.ended).toMatchObject({ code: 130, stderr: '' })

  devnet.pay(address, 50_000n)
  devnet.mine(3)

  const second = startKaccy(['watch', ...where, ...keys, '--order', '0.0015btc'])
  const credited = await second.said(orderIs('full_confirmed'))
  expect(order(credited)).toMatchObject({ address, credited_sat: 150_000, amount_verdict: 'exact' })
  devnet.reorg(3)
  const undone = await second.said(
    (said) => orderIs('unconfirmed')(said) && order(said)['credited_sat'] === 0,
  )
  expect(undone['open_alerts']).toBe(2)
  second.process.kill('SIGTERM')
  expect((await second.ended).code).toBe(130)
})

test('serve does the same without a view, and can be asked', async () => {
  const serve = startKaccy(['serve', ...where, '--listen', '127.0.0.1:0', '--log-level', 'error'])
  const url = String((await serve.said(({ type }) => type === 'listening'))['url'])
  const key = join(folder, 'key')
  const made = ['key', 'create', '--scopes', 'events:read,admin', '--token-only']
  writeFileSync(key, (await callKaccy([...made, ...where.slice(4, 8)])).stdout)
  const follow = startKaccy(['events', '--follow', '--json', '--api', url, '--api-key-file', key])
  devnet.mine(3)
  await follow.said(({ type }) => type === 'payment.credited')
  follow.process.kill('SIGTERM')
  expect(await follow.ended).toMatchObject({ code: 130, stderr: '' })
  serve.process.kill('SIGTERM')
  expect(await serve.ended).toMatchObject({ code: 0, stderr: '' })
})

test('serve waits for a node that is away; a person who waits no longer stops it', async () => {
  const away = ['--node', 'http://127.0.0.1:1', ...where.slice(2), '--listen', '127.0.0.1:0']
  const serve = startKaccy(['serve', ...away])
  await new Promise<void>((resolve) => {
    let text = ''
    serve.process.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      if (text.includes('NODE_UNREACHABLE')) resolve()
    })
  })
  serve.process.kill('SIGTERM')
  expect((await serve.ended).code).toBe(0)
})

test('events are followed as they come', async () => {
  const tail = where.slice(4).filter((word) => !/poll|200/.test(word))
  const follow = startKaccy(['events', '--follow', ...tail])
  const isOf = (id: string) => (said: Said) => JSON.stringify(said).includes(id)
  await follow.said(({ seq }) => seq === 1)
  await callKaccy(['order', 'create', '--amount', '3000', '--external-id', 'followed', ...tail])
  expect(await follow.said(isOf('followed'))).toMatchObject({ type: 'order.created' })
  await callKaccy(['order', 'cancel', 'followed', ...tail])
  follow.process.kill('SIGINT')
  expect(await follow.ended).toMatchObject({ code: 130, stderr: '' })
})

test('what is in the database can be asked for', async () => {
  const ask = async (...args: string[]) => {
    const ended = await callKaccy([...args, ...where.slice(4).filter((w) => !/poll|200/.test(w))])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    return objectsOf(ended)
  }
  const [wallet] = await ask('wallet', 'list')
  expect(wallet).toMatchObject({ name: 'shop', status: 'active' })
  const [made] = await ask('order', 'create', '--amount', '2000', '--external-id', 'a-1')
  expect(made).toMatchObject({ amount_sat: 2000, status: 'pending', created: true })
  expect(await ask('order', 'create', '--amount', '2000', '--external-id', 'a-1')).toMatchObject([
    { id: made?.['id'], created: false },
  ])
  expect(await ask('order', 'cancel', 'a-1')).toMatchObject([{ status: 'failed' }])
  expect((await ask('order', 'list')).map(({ external_id }) => external_id)).toEqual([
    'a-1',
    'followed',
    'watch-150000',
  ])
  const [explained] = await ask('order', 'explain', 'watch-150000')
  expect(explained?.['because']).toContain('150000 of 150000 sat came: exact')
  expect(await ask('payments', '--unspent')).toHaveLength(2)
  const waited = await ask('statistics')
  expect(waited.map(({ time_to }) => time_to)).toContain('full_confirmed')
  const [first] = await ask('events', '--limit', '1')
  expect(first).toMatchObject({ seq: 1, type: 'wallet.registered' })
  const alerts = await ask('alerts')
  expect(alerts).toHaveLength(2)
  await ask('alerts', 'ack', String(alerts[0]?.['id']), '--note', 'a test')
  expect(await ask('alerts')).toHaveLength(1)
  expect(await ask('audit', 'export', '--action', 'alert.')).toHaveLength(1)
  expect(await ask('migrate', '--dry-run')).toMatchObject([{ steps: [] }])
  expect(await ask('wallet', 'addresses')).toHaveLength(3)
})

test('recovery file and labels go out and come in again', async () => {
  const tail = where.slice(4).filter((word) => !/poll|200/.test(word))
  const file = join(folder, 'recovery.json')
  const out = await callKaccy(['wallet', 'export-recovery', '--output', file, ...tail])
  expect(out).toMatchObject({ code: 0, stderr: '' })
  const other = ['--network', 'regtest', '--database', join(folder, 'other.sqlite'), '--json']
  const restored = await callKaccy(['wallet', 'restore', file, ...other])
  expect(objectsOf(restored)).toMatchObject([{ name: 'shop', created: true }])
  const node = where.slice(0, 4)
  const rescanned = await callKaccy(['wallet', 'rescan', '--from', '0', ...node, ...other])
  expect(rescanned.code).toBe(0)
  const coins = objectsOf(await callKaccy(['payments', ...other]))
  expect(coins.map(({ amount_sat }) => amount_sat).sort()).toEqual([100_000, 50_000])
  const drift = await callKaccy(['reconcile', ...node, ...other])
  expect(drift).toMatchObject({ code: 0 })
  expect(objectsOf(drift)).toMatchObject([{ ours_sat: 150_000, node_sat: 150_000, drifts: [] }])
})

test('a question makes no database', async () => {
  const path = join(folder, 'nowhere', 'kaccy.sqlite')
  const database = ['--network', 'regtest', '--database', path]
  for (const question of [
    ['order', 'list'],
    ['books'],
    ['events'],
    ['doctor'],
    ['migrate', '--dry-run'],
  ])
    await callKaccy([...question, ...database])
  const asked = await callKaccy(['order', 'list', ...database])
  expect(asked.code).toBe(4)
  expect(asked.stderr).toMatch(/^SERVER_DATABASE_UNUSABLE: .* is not there/)
  expect(existsSync(join(folder, 'nowhere'))).toBe(false)
})

test('a private key is refused by name, and never repeated', async () => {
  const database = ['--network', 'regtest', '--database', join(folder, 'private.sqlite')]
  const key =
    'tprv8ZgxMBicQKsPe5YMU9gHen4Ez3ApihUfykaqUorj9t6FDqy3nP6eoXiAo2ssvpAjoLroQxHqr3R5nE3a5dU3DHTjTgJDd7zrbniJr6nrCzd'
  const ended = await callKaccy([
    ...['wallet', 'register', '--xpub', key, '--birthday', '0', '--debug'],
    ...database,
  ])
  expect(ended.code).toBe(1)
  expect(ended.stderr).toMatch(/^KEY_PRIVATE: /)
  expect(ended.stdout + ended.stderr).not.toContain(key.slice(0, 12))
})

test('a wallet is renamed, retired, and still watched', async () => {
  const database = ['--network', 'regtest', '--database', join(folder, 'other.sqlite'), '--json']
  const renamed = await callKaccy(['wallet', 'rename', 'shop', 'old shop', ...database])
  expect(objectsOf(renamed)).toMatchObject([{ name: 'old shop', status: 'active' }])
  const retired = await callKaccy(['wallet', 'retire', 'old shop', ...database])
  expect(objectsOf(retired)).toMatchObject([{ name: 'old shop', status: 'retired' }])
  const refused = await callKaccy(['order', 'create', '--amount', '5000', ...database])
  expect([refused.code, (JSON.parse(refused.stderr) as Said)['code']]).toEqual([
    1,
    'WALLET_RETIRED',
  ])
})

test.each([
  ['another network', ['--network', 'signet'], 3, 'CHAIN_WRONG_NETWORK'],
  ['no node there', ['--node', 'http://127.0.0.1:1'], 3, 'NODE_UNREACHABLE'],
  ['no credentials', ['--cookie', ''], 2, 'CONFIG_VALUE_INVALID'],
  ['an unknown flag', ['--nodes'], 2, 'USAGE_INVALID'],
  ['a path that is no database', ['--database', '/dev/null/x'], 4, 'SERVER_DATABASE_UNUSABLE'],
])('%s: a code, a reason, a remedy', async (_name, args, code, says) => {
  const database = ['--database', join(folder, 'fresh.sqlite')]
  const node = ['--node', devnet.rpcUrl, '--cookie', devnet.cookiePath, '--network', 'regtest']
  const ended = await callKaccy(['watch', ...node, ...database, ...keys, ...args])
  expect(ended.code).toBe(code)
  expect(ended.stderr).toMatch(new RegExp(`^${says}: .+\n(.*\n)* {2}remedy {3}\\w+: .+\n {2}more`))
  const asJson = await callKaccy(['watch', '--json', ...node, ...database, ...keys, ...args])
  expect(JSON.parse(asJson.stderr)).toMatchObject({ type: 'error', code: says })
})

test('a node in its first download is refused by name', async () => {
  devnet.posture.initialBlockDownload = true
  const node = ['--node', devnet.rpcUrl, '--cookie', devnet.cookiePath, '--network', 'regtest']
  const ended = await callKaccy(['doctor', ...node, '--database', join(folder, 'kaccy.sqlite')])
  devnet.posture.initialBlockDownload = false
  // On regtest the flag says nothing: a private chain stands still between tests.
  expect(ended.code).toBe(0)
  const doctor = await callKaccy(['doctor', '--json', '--network', 'regtest'])
  expect(objectsOf(doctor)).toContainEqual(
    expect.objectContaining({ check: 'node', state: 'failed', code: 'CONFIG_VALUE_MISSING' }),
  )
  expect(doctor.code).toBe(2)
})
