import { readFileSync } from 'node:fs'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import type { Browser } from 'playwright-core'
import decodeQR from 'qr/decode.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findChromium, startChromium } from '../counterparts/chromium.ts'
import { reasonToSkip } from '../counterparts/node.ts'
import { readPng } from './png.ts'
import { openShop, type Shop } from './shop.ts'
import { contrast, paintedTexts, type Visitor, visit } from './visitor.ts'

const found = findChromium()
const reason = reasonToSkip('Chromium', found)
let browser: Browser
let shop: Shop
beforeAll(async () => {
  if ('missing' in found) return
  browser = await startChromium(found.found)
  shop = await openShop({ theme: { name: 'Northwind Coffee' } })
})
afterAll(async () => {
  await browser?.close()
  await shop?.close()
})

let coins = 0
const pay = async (order: OrderRecord, amount: number) => {
  shop.till.pay(`coin ${++coins}`, [order, amount])
  await shop.till.look()
}
const coffee = (more: Parameters<Shop['till']['order']>[0] = {}) =>
  shop.till.order({ amount: 150_000, description: '2 × Yirgacheffe', ...more })
const PHONE = { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2 }

/** What a phone's camera reads off the screen. */
const scan = async ({ page }: Visitor): Promise<string> => {
  const picture = readPng(await page.locator('#copy-link').screenshot())
  return decodeQR(picture)
}

describe.skipIf(reason !== undefined)('a payment, watched', () => {
  test('goes through its levels by itself, without loading the page again', async () => {
    const order = await coffee()
    const visitor = await visit(browser, shop.url(order))
    await visitor.says('Waiting for your payment')
    expect(await scan(visitor)).toBe(`bitcoin:${order.address}?amount=0.0015`)
    await pay(order, 100_000)
    await visitor.says('0.0005 BTC still missing')
    await visitor.page.locator('#copy-link img[src*="due=50000"]').waitFor()
    expect(await scan(visitor)).toBe(`bitcoin:${order.address}?amount=0.0005`)
    expect(await visitor.page.locator('.facts').innerText()).toMatch(
      /0\.001\sBTC[\s\S]*0\.0005\sBTC/,
    )
    await pay(order, 50_000)
    await visitor.says('Payment detected')
    expect(await visitor.page.locator('#copy-link, #open-wallet, .address').count()).toBe(0)
    for (const depth of [1, 2]) {
      await shop.till.mine()
      await visitor.page.locator('.ring-middle', { hasText: `${depth}/3` }).waitFor()
    }
    await visitor.says('Payment is being confirmed')
    await shop.till.mine()
    await visitor.says('Paid')
    expect(await visitor.page.title()).toContain('Paid')
    expect(await visitor.page.locator('#live').innerText()).toContain('Your payment is complete')
    expect(visitor.loads()).toBe(1)
    await visitor.leave()
  })

  test('that is too much says by how much', async () => {
    const order = await coffee()
    const visitor = await visit(browser, shop.url(order))
    await pay(order, 180_000)
    await visitor.says('Payment detected')
    expect(await visitor.page.locator('[data-notice="overpaid"]').innerText()).toContain('0.0003')
    await visitor.leave()
  })

  test('that a block takes back goes back', async () => {
    const order = await coffee()
    const visitor = await visit(browser, shop.url(order))
    await pay(order, 150_000)
    await shop.till.mine()
    await visitor.says('Payment is being confirmed')
    shop.till.devnet.reorg(1, { blocks: [[], []] })
    await shop.till.look()
    await visitor.says('Payment detected')
    await visitor.leave()
  })

  test('that is replaced by one to somebody else is warned of', async () => {
    const order = await coffee()
    const visitor = await visit(browser, shop.url(order))
    const coin = `coin ${++coins}`
    shop.till.pay(coin, [order, 150_000])
    await shop.till.look()
    await visitor.says('Payment detected')
    const rival = shop.till.devnet.spend({
      from: coin,
      rbf: true,
      fee: 50_000,
      outs: [{ address: shop.till.devnet.strangerAddress, amount: 140_000 }],
    })
    shop.till.devnet.send(rival.raw)
    await shop.till.look()
    await visitor.says('Waiting for your payment')
    await visitor.page.locator('[data-notice="lost"]').waitFor()
    expect(await visitor.page.locator('#live').innerText()).toContain('no longer counts')
    await visitor.leave()
  })

  test('that comes when time is up is not asked for, and is late', async () => {
    const order = await coffee({ expiresInMs: 60_000 })
    const visitor = await visit(browser, shop.url(order))
    await visitor.says('Waiting for your payment')
    shop.till.now += 61_000
    await visitor.says('This payment request has expired')
    expect(await visitor.page.locator('#copy-link, #open-wallet, .address').count()).toBe(0)
    await shop.till.look()
    await pay(order, 150_000)
    await visitor.says('Your payment arrived too late')
    expect(await visitor.page.locator('#order').innerText()).toBe(order.id)
    await visitor.leave()
  })

  test('of an order that is cancelled is not asked for any more', async () => {
    const order = await coffee()
    const visitor = await visit(browser, shop.url(order))
    await shop.till.engine.orders.cancel(order.id, 'operator:test')
    await visitor.says('This order was cancelled')
    await visitor.leave()
  })

  test('of any amount: the code is of the address alone, and stays', async () => {
    const order = await shop.till.order({})
    const visitor = await visit(browser, shop.url(order))
    expect(await scan(visitor)).toBe(`BITCOIN:${order.address.toUpperCase()}`)
    await pay(order, 70_000)
    await shop.till.mine(3)
    await visitor.says('Deposit received')
    expect(await visitor.page.locator('#copy-link').count()).toBe(1)
    await visitor.leave()
  })
})

describe.skipIf(reason !== undefined)('the connection', () => {
  test('without events the page looks by itself', async () => {
    const order = await coffee()
    const visitor = await visit(browser, 'about:blank')
    await visitor.page.route('**/events', (route) => route.fulfill({ status: 429 }))
    await visitor.page.goto(shop.url(order))
    await pay(order, 150_000)
    await visitor.says('Payment detected')
    await visitor.context.close()
  })

  test('a server that is away is said, and the page goes on when it is back', async () => {
    const own = await openShop()
    const order = await own.till.order({ amount: 150_000 })
    const visitor = await visit(browser, own.url(order))
    await visitor.says('Waiting for your payment')
    await own.close()
    await visitor.page.locator('#offline:not([hidden])').waitFor({ timeout: 40_000 })
    own.till.pay('meanwhile', [order, 150_000])
    await own.till.look()
    await own.reopen()
    await visitor.says('Payment detected')
    await visitor.page.locator('#offline').waitFor({ state: 'hidden' })
    expect(visitor.loads()).toBe(1)
    await visitor.context.close()
    await own.close()
  })

  test('without a script everything is there, and says that it stands still', async () => {
    const order = await coffee()
    const visitor = await visit(browser, shop.url(order), { javaScriptEnabled: false })
    const text = (await visitor.page.locator('body').innerText()).replace(/\s/g, '')
    for (const word of [order.address, '0.0015BTC', '150000sat', 'Payby', 'WithoutJavaScript'])
      expect(text).toContain(word)
    expect(await scan(visitor)).toContain(order.address)
    await visitor.leave()
  })

  test('the countdown follows the server, whatever the visitor’s clock says', async () => {
    const order = await coffee({ expiresInMs: 600_000 })
    const visitor = await visit(browser, shop.url(order))
    await visitor.page.addInitScript('Date.now = () => 0')
    await visitor.page.reload()
    const left = await visitor.page.locator('#deadline').innerText()
    expect(left).toMatch(/^Time left (10:00|0?9:5\d)$/)
    await visitor.leave()
  })
})

describe.skipIf(reason !== undefined)('everybody', () => {
  test('can use it with the keyboard alone, and is not thrown out of their place', async () => {
    const order = await coffee()
    const visitor = await visit(browser, shop.url(order), {
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    const { page } = visitor
    const focused = () => page.evaluate<string>('document.activeElement.id')
    const copied = () => page.evaluate<string>('navigator.clipboard.readText()')
    const stops: string[] = []
    for (let i = 0; i < 4; i++) {
      await page.keyboard.press('Tab')
      stops.push(await focused())
      const outline = await page.evaluate<string>(
        'getComputedStyle(document.activeElement).outlineStyle',
      )
      expect(outline, 'focus can be seen').toBe('solid')
    }
    expect(stops).toEqual(['copy-link', 'open-wallet', 'copy-amount', 'copy-address'])
    await page.keyboard.press('Enter')
    await page.locator('#live', { hasText: 'Copied' }).waitFor()
    expect(await copied()).toBe(order.address)
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Space')
    await page.locator('#copy-amount[data-done]').waitFor()
    expect(await copied()).toBe('0.0015')
    await pay(order, 100_000)
    await visitor.says('still missing')
    expect(await focused()).toBe('copy-amount')
    await pay(order, 50_000)
    await visitor.says('Payment detected')
    expect(await focused(), 'its button is gone').toBe('status-title')
    await visitor.leave()
  })

  test('clicks the code and has the link', async () => {
    const order = await coffee()
    const visitor = await visit(browser, shop.url(order), {
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    await visitor.page.click('#copy-link')
    await visitor.page.locator('[data-hint]', { hasText: 'Copied' }).waitFor()
    const copied = await visitor.page.evaluate<string>('navigator.clipboard.readText()')
    expect(copied).toBe(`bitcoin:${order.address}?amount=0.0015`)
    expect(await visitor.page.locator('#open-wallet').getAttribute('href')).toBe(copied)
    await visitor.leave()
  })

  test('hears what is to be seen', async () => {
    const order = await coffee()
    const visitor = await visit(browser, shop.url(order))
    const tree = (await visitor.page.locator('body').ariaSnapshot()).replace(/\u00a0/g, ' ')
    for (const part of [
      'main:',
      'region "Pay Northwind Coffee":',
      'heading "Pay Northwind Coffee" [level=1]',
      'region "Waiting for your payment":',
      'heading "Waiting for your payment" [level=2]',
      `button "QR code: pay 0.0015 BTC to ${order.address}"`,
      'link "Open in wallet":',
      'button "Copy amount"',
      'button "Copy address"',
      'list "Progress":',
      'timer: Time left',
      'status',
    ])
      expect(tree).toContain(part)
    await visitor.leave()
  })

  const expectReadable = async ({ page }: Visitor, url: string, at: string) => {
    await page.goto(url)
    for (const summary of await page.locator('summary').all()) await summary.click()
    const texts = await paintedTexts(page)
    expect(texts.length, at).toBeGreaterThan(5)
    for (const painted of texts)
      expect(contrast(painted), `${at}: ${painted.text}`).toBeGreaterThanOrEqual(
        painted.isLarge ? 3 : 4.5,
      )
    expect(await page.evaluate('document.documentElement.scrollWidth'), at).toBe(320)
    const small = await page.evaluate<number>(
      `[...document.querySelectorAll('button, a.button')].filter((element) => Math.min(element.offsetWidth, element.offsetHeight) < 44).length`,
    )
    expect(small, `${at}: large enough for a finger`).toBe(0)
    const moving = await page.evaluate<number>('document.getAnimations().length')
    expect(moving, `${at}: nothing moves`).toBe(0)
  }
  /** Each state once, for everything that must hold in all of them. */
  const states = async () => {
    const [waiting, underpaid, seen, paid, over, late] = [
      await coffee({ expiresInMs: 8_000_000 }),
      await coffee({ expiresInMs: 8_000_000 }),
      await coffee({ expiresInMs: 8_000_000 }),
      await coffee({ expiresInMs: 8_000_000 }),
      await coffee({ expiresInMs: 60_000 }),
      await coffee({ expiresInMs: 60_000 }),
    ] as const
    await pay(paid, 199_000)
    await shop.till.mine(3)
    await pay(underpaid, 1_000)
    await pay(seen, 150_000)
    shop.till.now += 70_000
    await shop.till.look()
    await pay(late, 150_000)
    return [
      ['waiting', waiting],
      ['underpaid', underpaid],
      ['seen', seen],
      ['paid', paid],
      ['over', over],
      ['late', late],
    ] as const
  }
  test('can read every state, in light and dark, on a phone, in both languages', async () => {
    const all = await states()
    for (const colorScheme of ['light', 'dark'] as const) {
      const visitor = await visit(browser, shop.url(all[0][1]), {
        colorScheme,
        reducedMotion: 'reduce',
        ...PHONE,
      })
      for (const [name, order] of all)
        for (const lang of ['en', 'de'])
          await expectReadable(
            visitor,
            shop.url(order, `lang=${lang}`),
            `${name} ${colorScheme} ${lang}`,
          )
      await visitor.leave()
    }
  })

  test('gets light or dark as asked for, else as their system has it', async () => {
    const order = await coffee()
    const ground = async (query: string, colorScheme: 'light' | 'dark') => {
      const visitor = await visit(browser, shop.url(order, query), { colorScheme })
      const colour = await visitor.page.evaluate<string>(
        'getComputedStyle(document.documentElement).backgroundColor',
      )
      await visitor.leave()
      return colour
    }
    const [light, dark] = [await ground('', 'light'), await ground('', 'dark')]
    expect(light).not.toBe(dark)
    expect(await ground('theme=dark', 'light')).toBe(dark)
    expect(await ground('theme=light', 'dark')).toBe(light)
  })
})

describe.skipIf(reason !== undefined)('texts of strangers', () => {
  const vectors = process.env['KACCY_SHARED'] ?? '../shared'
  const hostile: readonly string[] = JSON.parse(
    readFileSync(`${vectors}/vectors/hostile/labels.json`, 'utf8'),
  ).cases.map((one: { readonly text: string }) => one.text)

  test('are shown as they are, and do nothing', async () => {
    const order = await coffee()
    const { orders } = shop.till.engine
    const explain = orders.explain.bind(orders)
    let text = ''
    // The engine refuses control characters; the page does not rely on it.
    orders.explain = async (id) => {
      const found = await explain(id)
      return found && { ...found, order: { ...found.order, description: text } }
    }
    const visitor = await visit(browser, shop.url(order))
    for (text of hostile) {
      await visitor.page.reload()
      const shown = await visitor.page.locator('.description').evaluate((node) => node.textContent)
      expect(shown).toBe(text.replace(/\r\n/g, '\n').replace(/(?![\t\n])\p{Cc}/gu, '\ufffd'))
      const isolated = await visitor.page.evaluate(
        `getComputedStyle(document.querySelector('.description bdi')).unicodeBidi`,
      )
      expect(isolated).toBe('isolate')
      expect(await visitor.page.locator('script, iframe, a:not(#open-wallet)').count()).toBe(1)
    }
    orders.explain = explain
    await visitor.leave()
  })
})
