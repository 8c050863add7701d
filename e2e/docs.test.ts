import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { blocksOf, ROOT } from './pages/blocks.ts'
import { PAGES } from './pages/pages.ts'
import { Reader } from './pages/reader.ts'

const work = join(ROOT, `e2e/.pages-${process.pid}`)
afterAll(() => rmSync(work, { recursive: true, force: true }))

test.each(PAGES)('%s: every command on it works, in its order', async (page) => {
  const reader = new Reader()
  try {
    await reader.begin(page)
    await reader.readPage(page)
    expect(await reader.end()).toEqual([])
  } finally {
    reader.close()
  }
  expect(reader.ran.length).toBeGreaterThan(0)
})

test('what cannot run here says why', () => {
  const excused = PAGES.flatMap((page) => blocksOf(page)).filter(({ noRun }) => noRun !== undefined)
  for (const { page, noRun, text } of excused)
    console.log(`not run: ${page}: ${text.split('\n')[0]} (${noRun})`)
  const reasons = [...new Set(excused.map(({ noRun }) => noRun))].sort()
  expect(reasons).toEqual([
    'needs a device',
    'needs docker',
    'needs root and systemd',
    'needs ten small coins',
    'what it pays may be mined already',
  ])
})

/** Programs of pages: those with a name are started by the page, the others run by themselves and end. */
const programs = PAGES.flatMap((page) => blocksOf(page))
  .filter(({ kind }) => kind === 'ts')
  .map(({ page, text }, at) => ({
    name: `${page.replaceAll(/\W+/g, '-')}-${at}.ts`,
    text,
    hasName: /^\/\/ [\w.-]+\.ts\n/.test(text),
  }))

test('every program on these pages has right types, and those that stand for themselves run', () => {
  expect(programs.length).toBeGreaterThan(0)
  mkdirSync(work)
  const config = { extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] }
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config))
  for (const { name, text } of programs) writeFileSync(join(work, name), text)
  const tsc = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', work, '--pretty', 'false'], {
    encoding: 'utf8',
  })
  expect(tsc.stdout).toBe('')
  for (const { name, hasName } of programs) if (!hasName) run(join(work, name))
})

const run = (file: string): string =>
  execFileSync(process.execPath, ['--conditions=@kaccy/source', file], {
    cwd: ROOT,
    encoding: 'utf8',
  })

test.each([
  ['accept-payment', /full_confirmed, exact, 150000 sat credited\nthe books verify: true/],
  ['devnet-first-test', /pass 4\n.*fail 0\n/],
  ['consume-events', /^\d+ ship ord_\w+\n\d+ stop the shipment: 150000 sat are gone\n$/],
  ['platform-orders', /unconfirmed, exact, 1 transaction\n.*\nalice is credited 150000 sat/],
])('examples/%s.ts runs and says what it should', (name, says) => {
  expect(run(`${ROOT}examples/${name}.ts`)).toMatch(says)
})

test('every example has a test, and a page that leads to it', () => {
  const names = readdirSync(`${ROOT}examples`).sort()
  const pages = PAGES.map((page) => readFileSync(`${ROOT}${page}`, 'utf8')).join('\n')
  expect(names).toEqual([
    'accept-payment.ts',
    'consume-events.ts',
    'devnet-first-test.ts',
    'platform-orders.ts',
    'shop', // e2e/shop.test.ts
  ])
  expect(names.filter((name) => !pages.includes(`examples/${name}`))).toEqual([])
})
