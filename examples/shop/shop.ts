/**
 * A small shop: a product, a purchase, the checkout page of the server inside the shop's own page, and a webhook that marks the
 * purchase as paid exactly once. Start it with the settings that README.md names.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { createWebhookReceiver } from '@kaccy/bitcoin/webhooks'
import { Kaccy } from './kaccy.ts'
import { PRODUCT, productPage, purchasePage, SHOP_CSS, SHOP_JS } from './pages.ts'
import { type Purchase, Purchases } from './purchases.ts'

function setting(name: string, fallback?: string): string {
  const value = process.env[name] ?? fallback
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}
const api = setting('KACCY_API_URL', 'http://127.0.0.1:8080')
const kaccy = new Kaccy(api, setting('KACCY_API_KEY'), setting('KACCY_WALLET'))
const purchases = new Purchases(setting('SHOP_DATABASE', 'shop-purchases.sqlite'))
const port = Number(setting('SHOP_PORT', '3000'))
/** The address of the server as the customer's browser reaches it. */
const server = setting('KACCY_PUBLIC_URL', api)

const receiver = createWebhookReceiver({
  secrets: [setting('WEBHOOK_SECRET')],
  eventTypes: ['order.*'],
  now: Date.now,
  fetchEvents: (after, limit) => kaccy.events(after, limit),
  inbox: purchases.inbox,
})

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response
    .writeHead(status, {
      'content-type': `${type}; charset=utf-8`,
      'content-security-policy': `default-src 'self'; script-src 'self' ${server}; frame-src ${server}`,
    })
    .end(text)
}

/** The purchase is on our disk before the server is asked: whatever dies now, the order is asked for again. */
async function buy(response: ServerResponse): Promise<void> {
  const id = randomUUID()
  purchases.add(id, PRODUCT.name, PRODUCT.amountSat)
  await orderOf(id)
  response.writeHead(303, { location: `/purchases/${id}` }).end()
}

/** The purchase, with its order where that can be had now. */
async function orderOf(id: string): Promise<Purchase | undefined> {
  const purchase = purchases.find(id)
  if (!purchase || purchase.orderId !== null) return purchase
  try {
    purchases.noteOrder(id, await kaccy.orderFor(purchase))
  } catch (error) {
    console.error(String(error)) // the page says it, and the next look tries again
  }
  return purchases.find(id)
}

async function hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const receipt = await receiver.receive(request.headers, await buffer(request))
  if (receipt.ok) response.writeHead(204).end()
  else response.writeHead(receipt.error.code === 'WEBHOOK_HOLE_OPEN' ? 503 : 400).end()
}

async function show(id: string, isStatus: boolean, response: ServerResponse): Promise<void> {
  const purchase = await orderOf(id)
  if (!purchase) return send(response, 404, 'text/plain', 'There is no such purchase')
  if (!isStatus) return send(response, 200, 'text/html', purchasePage(purchase, server))
  const body = { status: purchase.status, parcels: purchases.parcels(id) }
  send(response, 200, 'application/json', JSON.stringify(body))
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '' } = request
  const { pathname } = new URL(url, 'http://shop')
  const [, id = '', status] = /^\/purchases\/([\w-]+)(\/status)?$/.exec(pathname) ?? []
  if (method === 'POST' && pathname === '/hooks') return hear(request, response)
  if (method === 'POST' && pathname === '/buy') return buy(response)
  if (method !== 'GET') return send(response, 405, 'text/plain', 'Not that way')
  if (pathname === '/') return send(response, 200, 'text/html', productPage())
  if (pathname === '/shop.css') return send(response, 200, 'text/css', SHOP_CSS)
  if (pathname === '/shop.js') return send(response, 200, 'text/javascript', SHOP_JS)
  if (pathname === '/favicon.ico') return void response.writeHead(204).end()
  if (id !== '') return show(id, status !== undefined, response)
  send(response, 404, 'text/plain', 'There is nothing here')
}

const web = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(String(error))
    if (!response.headersSent) response.writeHead(500)
    response.end()
  })
})
/** What came while nobody was here, and what somebody on the way swallowed. */
const catchUp = () =>
  receiver.catchUp().catch((error: unknown) => console.error(`catching up: ${String(error)}`))
const timer = setInterval(catchUp, 60_000)

web.listen(port, '127.0.0.1', () => {
  console.log(`the shop is open: http://127.0.0.1:${port}/`)
  void catchUp()
})
process.once('SIGTERM', () => {
  clearInterval(timer)
  web.close(() => purchases.close())
  web.closeAllConnections()
})
