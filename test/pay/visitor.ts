import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'

/** Somebody with a browser of their own, and everything that went wrong in it. */
export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** Errors on the console, violated policies, requests to another place. */
  readonly troubles: string[]
  /** Requests for the document itself. */
  loads(): number
  title(): Promise<string>
  /** Waits until the page says this as its status, by itself. */
  says(title: string): Promise<void>
  /** Ends the visit; nothing may have gone wrong. */
  leave(): Promise<void>
}

/** Opens the page for somebody new. Violations of the policy and calls elsewhere are noted from the first byte on. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  const page = await context.newPage()
  const troubles: string[] = []
  const origin = new URL(url).origin
  let loads = 0
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text())
  })
  page.on('pageerror', (error) => troubles.push(String(error)))
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) troubles.push(`elsewhere: ${request.url()}`)
    if (request.isNavigationRequest()) loads += 1
  })
  await page.goto(url)
  const title = () => page.locator('#status-title').innerText()
  return {
    context,
    page,
    troubles,
    loads: () => loads,
    title,
    says: (text) =>
      page.locator('#status-title').filter({ hasText: text }).waitFor({ timeout: 15_000 }),
    async leave() {
      await context.close()
      expect(troubles).toEqual([])
    },
  }
}

/** A piece of text as it is painted. Colours as `r,g,b`. */
export interface Painted {
  readonly text: string
  readonly ink: readonly [number, number, number]
  readonly ground: readonly [number, number, number]
  readonly isLarge: boolean
}

/** Runs in the page: every visible text with its colour and the ground behind it. */
const PAINTED = `(() => {
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number)
    return [r, g, b, a]
  }
  const over = (top, bottom) =>
    [0, 1, 2].map((i) => Math.round(top[i] * top[3] + bottom[i] * (1 - top[3])))
  const groundOf = (element) => {
    const layers = []
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor))
    return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255])
  }
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement
    const text = node.textContent.trim()
    if (text === '' || !element.checkVisibility() || element.closest('.unseen, noscript')) continue
    const style = getComputedStyle(element)
    const ground = groundOf(element)
    const size = parseFloat(style.fontSize)
    found.push({
      text,
      ink: over(parse(style.color), ground),
      ground,
      isLarge: size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700),
    })
  }
  return found
})()`

/** Every text that can be seen, as it is painted. */
export const paintedTexts = (page: Page): Promise<readonly Painted[]> => page.evaluate(PAINTED)

/** Contrast ratio. Source: WCAG 2.2; written again here, so that the page's own sum is not its judge. */
export function contrast({ ink, ground }: Painted): number {
  const light = (colour: Painted['ink']): number => {
    const [r, g, b] = colour.map((value) => {
      const share = value / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    }) as [number, number, number]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [a, b] = [light(ink), light(ground)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}
