import { readFileSync } from 'node:fs'
import { routeTable } from '@kaccy/bitcoin-server/http'
import { REGISTRY } from '@kaccy/bitcoin/kernel'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { findChromium, startChromium } from '../counterparts/chromium.ts'
import { partsOf, Served } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await Served.open()
})
afterAll(() => served.close())

const CODES = Object.keys(REGISTRY)
const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const STRICT =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

describe('pages of errors', () => {
  it('has one for every code, and it says what docs/errors.md says', async () => {
    for (const code of CODES) {
      const answer = await served.call('GET', `/docs/errors/${code}`, { token: '' })
      expect([code, answer.status]).toEqual([code, 200])
      expect(answer.headers.get('content-security-policy')).toBe(STRICT)
      const said = page.split(`## ${code}\n`)[1]?.replace(/^Remedy: \w+\. */, '') ?? ''
      const words =
        said
          .split(/[`*\n]/)[0]
          ?.trim()
          .slice(0, 40) ?? ''
      const text = answer.text.replaceAll('&#39;', "'").replaceAll('&quot;', '"')
      expect(text).toContain(words)
      expect(text).toContain(`<code>${code}</code>`)
    }
  })
  it('is where a problem links to', async () => {
    const { json } = await served.call('GET', '/v1/nothing')
    expect((await served.call('GET', json.type, { token: '' })).status).toBe(200)
  })
  it.each(['NOTHING', 'constructor', '__proto__', '<script>', '%3Cscript%3E'])(
    'not for %s',
    async (code) => {
      const answer = await served.call('GET', `/docs/errors/${encodeURIComponent(code)}`)
      expect([answer.status, answer.json.code]).toEqual([404, 'ROUTE_NOT_FOUND'])
    },
  )
  it('lists them all', async () => {
    const { text } = await served.call('GET', '/docs/errors', { token: '' })
    for (const code of CODES) expect(text).toContain(`href="/docs/errors/${code}"`)
  })
})

describe('the OpenAPI document', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a document is looked into everywhere
  let document: any
  beforeAll(async () => {
    document = (await served.call('GET', '/openapi.json', { token: '' })).json
  })
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const operations = (): any[] =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods as object).map(([method, operation]) => ({
        path,
        method,
        ...operation,
      })),
    )

  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(document))
    expect(result.errors ?? []).toEqual([])
    expect([result.valid, document.openapi]).toEqual([true, '3.1.0'])
  })
  it('names every operation once, and holds every route of the table', () => {
    const ids = operations().map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const routes = routeTable(partsOf(served.till)).flatMap(({ routes: own }) => own)
    expect(routes.filter(({ id }) => !ids.includes(id)).map(({ id }) => id)).toEqual([])
    for (const one of operations()) {
      expect(one.operationId).toMatch(/^[a-z][A-Za-z]+$/)
      expect(one.summary).toBeTruthy()
      expect(one.tags).toHaveLength(1)
    }
  })
  it('tells which problems there are, and which refusals a route knows', () => {
    for (const one of operations()) {
      const statuses = Object.keys(one.responses)
      const always = one.security.length > 0 ? ['400', '401', '403', '429'] : ['400', '429']
      for (const status of [...always, '500', '503']) expect(statuses).toContain(status)
      for (const status of statuses.filter((text) => Number(text) >= 400))
        expect(one.responses[status].content['application/problem+json'].schema.$ref).toBe(
          '#/components/schemas/Problem',
        )
    }
    const routes = routeTable(partsOf(served.till)).flatMap(({ routes: own }) => own)
    for (const { id, refuses = [] } of routes) {
      const operation = operations().find(({ operationId }) => operationId === id)
      for (const code of refuses) {
        expect([id, CODES.includes(code)]).toEqual([id, true])
        expect(page).toContain(`## ${code}\n`)
        expect(operation.description).toContain(code)
      }
    }
  })
  it('has an example for every body and answer, and each is one', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false, logger: false })
    ajv.addSchema({ $id: 'doc', ...document }, 'doc')
    for (const one of operations()) {
      const contents = [one.requestBody, ...Object.values(one.responses)].filter(
        (holder) => holder?.content,
      )
      for (const { content } of contents)
        for (const { schema, example } of Object.values(content) as {
          schema: object
          example: unknown
        }[]) {
          expect(example).toBeDefined()
          const own = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/'))
          const check = ajv.compile(own)
          expect([one.operationId, check(example), check.errors ?? []]).toEqual([
            one.operationId,
            true,
            [],
          ])
        }
    }
  })
  it('is not sent again to who has it', async () => {
    for (const path of ['/openapi.json', '/docs', '/docs/style.css']) {
      const first = await served.call('GET', path, { token: '' })
      const etag = first.headers.get('etag') ?? ''
      const second = await served.call('GET', path, { headers: { 'if-none-match': etag } })
      expect([first.status, second.status, second.text]).toEqual([200, 304, ''])
    }
  })
})

const chromium = findChromium()
if ('missing' in chromium) process.stderr.write(`SKIPPED: ${chromium.missing}\n`)

const isMissing = 'missing' in chromium

describe.skipIf(isMissing)('in a browser (SKIPPED without Chromium)', () => {
  test.each(['/docs', '/docs/errors', '/docs/errors/RATE_LIMITED'])(
    '%s asks no other origin, breaks no rule of its policy, and can be read',
    async (path) => {
      const browser = await startChromium('found' in chromium ? chromium.found : '')
      try {
        const context = await browser.newContext({ viewport: { width: 360, height: 740 } })
        const tab = await context.newPage()
        const asked: string[] = []
        const told: string[] = []
        tab.on('request', (request) => asked.push(request.url()))
        tab.on('console', (message) => told.push(message.text()))
        tab.on('pageerror', (error) => told.push(error.message))
        const answer = await tab.goto(`${served.url}${path}`, { waitUntil: 'networkidle' })
        expect(answer?.status()).toBe(200)
        expect(answer?.headers()['content-security-policy']).toBe(STRICT)
        expect(asked.length).toBeGreaterThan(1)
        // Chromium looks for a picture of the site by itself.
        const others = asked.filter((url) => !url.startsWith(`${served.url}/`))
        expect([others, told.filter((line) => !line.includes('404'))]).toEqual([[], []])
        expect(await tab.locator('h1').count()).toBe(1)
        const wide = await tab.evaluate('document.documentElement.scrollWidth')
        expect(wide).toBeLessThanOrEqual(360)
        const styled = await tab.evaluate('getComputedStyle(document.body).margin')
        expect(styled).toBe('0px')
      } finally {
        await browser.close()
      }
    },
    60_000,
  )
})
