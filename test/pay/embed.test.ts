import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findChromium, startChromium } from '../counterparts/chromium.ts'
import { reasonToSkip } from '../counterparts/node.ts'
import { openShop, type Shop } from './shop.ts'

const found = findChromium()
const reason = reasonToSkip('Chromium', found)

/** A page of a merchant, on an origin of its own, with a policy as strict as docs/guides/checkout.md asks for. */
const servePage = async (
  body: () => string,
  script: () => string,
  pay: () => string,
): Promise<[Server, string]> => {
  const server = createServer((request, response) => {
    if (request.url === '/shop.js') {
      response.setHeader('content-type', 'text/javascript')
      response.end(script())
      return
    }
    if (request.url === '/favicon.ico') {
      response.writeHead(204).end()
      return
    }
    response.setHeader('content-type', 'text/html')
    response.setHeader(
      'content-security-policy',
      `default-src 'none'; script-src 'self' ${pay()}; frame-src ${pay()}; connect-src 'self'; img-src 'self'`,
    )
    response.end(
      `<!doctype html><html lang="en"><title>Shop</title><body><button>Buy</button>${body()}${body().includes('embed.js') ? '' : `<script src="${pay()}/pay/embed.js"></script>`}</body></html>`,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`]
}

describe.skipIf(reason !== undefined)('the page in a page of a shop', () => {
  let browser: Browser
  let shop: Shop
  const servers: Server[] = []
  let [body, script] = ['', '']
  let [merchant, stranger] = ['', '']
  beforeAll(async () => {
    if ('missing' in found) return
    browser = await startChromium(found.found)
    const pay = () => shop.origin
    const mine = await servePage(
      () => body,
      () => script,
      pay,
    )
    const other = await servePage(
      () => body,
      () => script,
      pay,
    )
    servers.push(mine[0], other[0])
    ;[merchant, stranger] = [mine[1], other[1]]
    shop = await openShop({ frames: [merchant] })
  })
  afterAll(async () => {
    await browser?.close()
    await shop?.close()
    for (const server of servers) server.close()
  })

  const open = async (url: string) => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const troubles: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') troubles.push(message.text())
    })
    page.on('pageerror', (error) => troubles.push(String(error)))
    await page.goto(url)
    return { page, troubles, close: () => context.close() }
  }
  const order = () => shop.till.order({ amount: 150_000 })
  const frameOf = (page: Page) => page.frameLocator('iframe')
  const told = (page: Page) => page.evaluate<string[]>('globalThis.told ?? []')
  /** By asking: the shop's policy lets nobody evaluate texts inside its page. */
  const hears = async (page: Page, word: string) => {
    for (let i = 0; i < 250 && !(await told(page)).includes(word); i++)
      await page.waitForTimeout(20)
    expect(await told(page)).toContain(word)
  }

  test('stands in an element, fits its height and tells the shop every state', async () => {
    const one = await order()
    body = `<div data-kaccy-order="${one.id}" data-kaccy-theme="dark" data-kaccy-lang="de"></div>`
    const { page, troubles, close } = await open(merchant)
    await page.evaluate(
      `globalThis.told = []; addEventListener('kaccy:status', (event) => told.push(event.detail.phase))`,
    )
    await frameOf(page).locator('h2', { hasText: 'Warten auf Ihre Zahlung' }).waitFor()
    shop.till.pay('in the frame', [one, 150_000])
    await shop.till.look()
    await frameOf(page).locator('h2', { hasText: 'Zahlung erkannt' }).waitFor()
    await hears(page, 'seen')
    const content = page.frames()[1]
    expect(await content?.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe(
      'dark',
    )
    const outer = () => page.evaluate<number>(`document.querySelector('iframe').offsetHeight`)
    const inner = await content?.evaluate<number>('document.body.scrollHeight')
    for (let i = 0; i < 100 && (await outer()) !== inner; i++) await page.waitForTimeout(20)
    expect(await outer()).toBe(inner)
    expect(troubles).toEqual([])
    await close()
  })

  test('opens above the shop, takes the keyboard, closes with Escape and says so', async () => {
    body = ''
    const one = await order()
    const { page, troubles, close } = await open(merchant)
    await page.focus('button')
    await page.evaluate(
      `globalThis.told = []; Kaccy.open('${one.id}', { onStatus: (status) => told.push(status.phase), onClose: () => told.push('closed') })`,
    )
    await frameOf(page).locator('h2', { hasText: 'Waiting for your payment' }).waitFor()
    await hears(page, 'waiting')
    expect(await page.evaluate(`document.querySelector('dialog').matches(':modal')`)).toBe(true)
    await page.keyboard.press('Escape')
    await hears(page, 'closed')
    expect(await page.locator('dialog, iframe').count()).toBe(0)
    expect(await page.evaluate('document.activeElement.textContent'), 'back where they were').toBe(
      'Buy',
    )
    expect(troubles).toEqual([])
    await close()
  })

  test('is not shown on a page of somebody else, who hears nothing', async () => {
    const one = await order()
    body = `<div data-kaccy-order="${one.id}"></div>`
    const { page, troubles, close } = await open(stranger)
    await page.evaluate(
      `globalThis.told = []; addEventListener('message', (event) => told.push(event.data))`,
    )
    for (let i = 0; i < 100 && troubles.length === 0; i++) await page.waitForTimeout(50)
    expect(troubles.join()).toContain('frame-ancestors')
    expect(await told(page)).toEqual([])
    await close()
  })

  test('believes no message but those of its own frame', async () => {
    const one = await order()
    body = `<div data-kaccy-order="${one.id}"></div>`
    const { page, close } = await open(merchant)
    await page.evaluate(
      `globalThis.told = []; addEventListener('kaccy:status', (event) => told.push(event.detail.phase))`,
    )
    await frameOf(page).locator('h2', { hasText: 'Waiting for your payment' }).waitFor()
    await page.evaluate(
      `postMessage({ type: 'kaccy:status', order: '${one.id}', status: { phase: 'paid' } }, '*')`,
    )
    shop.till.pay('the real one', [one, 150_000])
    await shop.till.look()
    await hears(page, 'seen')
    expect(await told(page)).not.toContain('paid')
    await close()
  })

  test('works as its guide says, but for the address and the order', async () => {
    const one = await order()
    const guide = readFileSync(new URL('../../docs/guides/checkout.md', import.meta.url), 'utf8')
    const block = (kind: string) =>
      (new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(guide)?.[1] ?? '')
        .replaceAll('https://pay.example', shop.origin)
        .replaceAll(/ord_[0-9a-f]{32}/g, one.id)
    body = block('html')
    script = block('js')
    const { page, troubles, close } = await open(merchant)
    await frameOf(page).locator('h2', { hasText: 'Waiting for your payment' }).waitFor()
    await page.click('#pay')
    const above = page.frameLocator('dialog iframe')
    await above.locator('h2', { hasText: 'Warten auf Ihre Zahlung' }).waitFor()
    await page.click('dialog button')
    await page.locator('dialog').waitFor({ state: 'detached' })
    shop.till.pay('for the guide', [one, 150_000])
    await shop.till.look()
    await shop.till.mine(3)
    await page.waitForURL('**/thanks')
    expect(troubles).toEqual([])
    await close()
  })

  test('takes no order that is none', async () => {
    body = ''
    const { page, close } = await open(merchant)
    for (const bad of ['../v1/orders', 'javascript:alert(1)', '', 'ord_x'])
      expect(
        await page.evaluate(
          `(() => { try { Kaccy.open('${bad}') } catch (error) { return error.name } })()`,
        ),
      ).toBe('TypeError')
    expect(await page.locator('dialog, iframe').count()).toBe(0)
    await close()
  })
})
