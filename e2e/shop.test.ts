import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findChromium, startChromium } from '../test/counterparts/chromium.ts'
import { reasonToSkip } from '../test/counterparts/node.ts'
import { callKaccy, objectsOf } from './kaccy.ts'
import { ROOT } from './pages/blocks.ts'
import { freePort } from './pages/reader.ts'
import { type Running, Terminal } from './pages/terminal.ts'

const XPUB =
  '[73c5da0a/84h/1h/0h]tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M'
const home = mkdtempSync(join(tmpdir(), 'kaccy-shop-'))
const terminal = new Terminal(home, join(home, 'notes'))
const chromium = findChromium()
const reason = reasonToSkip('Chromium', chromium)
let devnet: Devnet
let server: Running
let shop: Running
let url = ''
let api = ''

const kaccy = async (...args: string[]) => {
  const ended = await callKaccy([...args, '--json'], { folder: home })
  expect(ended, args.join(' ')).toMatchObject({ code: 0, stderr: '' })
  return objectsOf(ended)[0] ?? {}
}
const startShop = () => terminal.start(`node ${ROOT}examples/shop/shop.ts`)

beforeAll(async () => {
  terminal.offerTree()
  const [http, web] = [await freePort(), await freePort()]
  api = `http://127.0.0.1:${http}`
  url = `http://127.0.0.1:${web}`
  devnet = await createDevnet({ dir: home })
  const config = {
    network: 'regtest',
    node: { url: devnet.rpcUrl, cookie_file: devnet.cookiePath },
    database: { url: 'kaccy.sqlite' },
    chain: { poll_ms: 200 },
    http: { listen: `127.0.0.1:${http}` },
    checkout: { frame_ancestors: [url] },
    webhooks: { allow: ['127.0.0.1/32'] },
  }
  writeFileSync(join(home, 'kaccy.json'), JSON.stringify(config))
  const wallet = await kaccy(
    'wallet',
    'register',
    '--name',
    'shop',
    '--xpub',
    XPUB,
    '--script-type',
    'p2wpkh',
  )
  const key = await kaccy(
    'key',
    'create',
    '--scopes',
    'orders:read,orders:write,events:read',
    '--wallet',
    'shop',
  )
  const hook = await kaccy('webhook', 'create', `${url}/hooks`, '--types', 'order.*')
  terminal.environment = {
    ...terminal.environment,
    KACCY_API_URL: api,
    KACCY_API_KEY: String(key['token']),
    KACCY_WALLET: String(wallet['id']),
    WEBHOOK_SECRET: String(hook['secret']),
    SHOP_PORT: String(web),
  }
  shop = await startShop()
  server = await terminal.start(`env -u KACCY_API_URL -u KACCY_API_KEY -u KACCY_WALLET kaccy serve`)
})
afterAll(async () => {
  terminal.close()
  await devnet?.close()
  rmSync(home, { recursive: true, force: true })
})

/** Asks until it is so. */
async function until<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const seen = await look()
    if (isSo(seen)) return seen
    if (tries === 300) throw new Error(`still ${JSON.stringify(seen)}`)
    await pause(100)
  }
}

interface Purchase {
  readonly path: string
  readonly order: string
  readonly address: string
}
async function buy(): Promise<Purchase> {
  const bought = await fetch(`${url}/buy`, { method: 'POST', redirect: 'manual' })
  expect(bought.status).toBe(303)
  const path = bought.headers.get('location') ?? ''
  return { path, ...(await orderOn(path)) }
}
async function orderOn(path: string): Promise<{ order: string; address: string }> {
  const html = await (await fetch(`${url}${path}`)).text()
  const order = /data-kaccy-order="(ord_\w+)"/.exec(html)?.[1] ?? ''
  const status = await (await fetch(`${api}/pay/${order}/status`)).json()
  return { order, address: (status as { address: string }).address }
}
const statusOf = async (path: string) =>
  (await fetch(`${url}${path}/status`)).json() as Promise<{ status: string; parcels: number }>
const isPaid = ({ status }: { status: string }) => status === 'paid'

test('a purchase is paid by its webhook, held when the chain takes it back, and packed once', async () => {
  const { path, address } = await buy()
  expect(await statusOf(path)).toEqual({ status: 'waiting', parcels: 0 })
  const { txid } = devnet.pay(address, 150_000n)
  devnet.mine(3)
  expect(await until(() => statusOf(path), isPaid)).toEqual({ status: 'paid', parcels: 1 })
  devnet.reorg(3, { drop: [txid] })
  await until(
    () => statusOf(path),
    ({ status }) => status === 'held',
  )
  devnet.pay(address, 150_000n)
  devnet.mine(4)
  expect(await until(() => statusOf(path), isPaid)).toEqual({ status: 'paid', parcels: 1 })
})

test('what happens while the shop is away counts when it is back, once', async () => {
  const { path, address } = await buy()
  await shop.stop()
  devnet.pay(address, 150_000n)
  devnet.mine(3)
  const done = async () =>
    (await callKaccy(['order', 'list', '--limit', '1', '--json'], { folder: home })).stdout
  await until(done, (text) => text.includes('full_confirmed'))
  shop = await startShop()
  expect(await until(() => statusOf(path), isPaid)).toEqual({ status: 'paid', parcels: 1 })
})

test('a purchase that was begun while the server was away gets its order later', async () => {
  expect(await server.stop()).toBe(0)
  const bought = await fetch(`${url}/buy`, { method: 'POST', redirect: 'manual' })
  const path = bought.headers.get('location') ?? ''
  expect(await (await fetch(`${url}${path}`)).text()).toContain('nothing is lost')
  server = await terminal.start(server.line)
  const first = await orderOn(path)
  expect(await orderOn(path)).toEqual(first)
  devnet.pay(first.address, 150_000n)
  devnet.mine(3)
  expect(await until(() => statusOf(path), isPaid)).toEqual({ status: 'paid', parcels: 1 })
})

test('nobody but the server marks a purchase as paid', async () => {
  const body = '{"seq":1,"id":"evt_1","type":"order.full_confirmed","data":{}}'
  const headers = { 'webhook-id': 'evt_1', 'webhook-timestamp': `${Math.floor(Date.now() / 1000)}` }
  const forged = await fetch(`${url}/hooks`, { method: 'POST', body, headers })
  expect(forged.status).toBe(400)
})

test.skipIf(reason)('a customer buys and pays in a browser', async () => {
  if (!('found' in chromium)) return
  const browser = await startChromium(chromium.found)
  try {
    const page = await browser.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (said) => said.type() === 'error' && faults.push(said.text()))
    await pay(page)
    expect(faults).toEqual([])
  } finally {
    await browser.close()
  }
})

async function pay(page: Page): Promise<void> {
  await page.goto(url)
  await page.getByRole('button', { name: 'Buy with Bitcoin' }).click()
  const frame = page.frameLocator('iframe')
  await frame
    .getByText(/bcrt1q/)
    .first()
    .waitFor()
  const { address } = await orderOn(new URL(page.url()).pathname)
  devnet.pay(address, 150_000n)
  devnet.mine(3)
  await page.getByText('Paid. Your coffee is on its way.').waitFor({ timeout: 30_000 })
}
