import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { afterAll, expect, test } from 'vitest'
import { callKaccy, type Ended, startKaccy } from './kaccy.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const PAGES = [
  'docs/quick-start.md',
  ...readdirSync(`${ROOT}docs/guides`).map((name) => `docs/guides/${name}`),
  'packages/devnet/README.md',
  'packages/server/README.md',
]
/** The address that pages write for a server. */
const SERVER = 'http://127.0.0.1:8080'
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

interface Block {
  readonly kind: string
  readonly text: string
}
const blocksOf = (page: string): Block[] =>
  [...readFileSync(`${ROOT}${page}`, 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
    ([, kind = '', text = '']) => ({ kind, text }),
  )

/** Words of a shell line: single quotes hold together, nothing else means anything. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

/** One page, followed to the letter by somebody with an empty folder and a devnet. */
class Reader {
  readonly folder = mkdtempSync(join(tmpdir(), 'kaccy-docs-'))
  readonly ran: string[] = []
  #devnet: Devnet | undefined
  /** Where the server of the page listens. */
  #api = SERVER
  #token = 'kc_dev_...'
  readonly #watching: ReturnType<typeof startKaccy>[] = []

  /** What the page has exported. */
  readonly #environment: Record<string, string> = {}

  async begin(page: string): Promise<void> {
    folders.push(this.folder)
    mkdirSync(join(this.folder, 'devnet'))
    this.#devnet = await createDevnet({ dir: join(this.folder, 'devnet') })
    const text = readFileSync(`${ROOT}${page}`, 'utf8')
    if (text.includes(SERVER) && !/^kaccy serve/m.test(text)) await this.#haveServer()
  }
  /** The server that a page takes for granted, with a key. */
  async #haveServer(): Promise<void> {
    const { rpcUrl = '', cookiePath = '' } = this.#devnet ?? {}
    const node = ['--network', 'regtest', '--node', rpcUrl, '--cookie', cookiePath]
    const where = [...node, '--database', join(this.folder, 'served.sqlite')]
    await this.#serve(where)
    const key = ['key', 'create', '--scopes', 'admin', '--token-only']
    const made = await callKaccy([...key, ...where.filter((_, at) => at < 2 || at > 5)])
    this.#token = made.stdout
  }
  async #serve(args: readonly string[]): Promise<void> {
    const quietly = ['--json', '--listen', '127.0.0.1:0', '--log-level', 'error']
    const serve = startKaccy(['serve', ...args, ...quietly], {}, this.folder)
    this.#watching.push(serve)
    this.#api = String((await serve.said(({ type }) => type === 'listening'))['url'])
  }
  async end(): Promise<void> {
    for (const watch of this.#watching) {
      watch.process.kill('SIGTERM')
      expect(await watch.ended).toMatchObject({ code: 130, stderr: '' })
    }
    await this.#devnet?.close()
  }
  async read({ kind, text }: Block): Promise<void> {
    const here = text.replaceAll('http://127.0.0.1:18443', this.#devnet?.rpcUrl ?? '')
    if (kind === 'json') writeFileSync(join(this.folder, 'kaccy.json'), here)
    if (kind === 'toml') {
      writeFileSync(join(this.folder, 'page.toml'), here)
      await this.#type('kaccy config --config page.toml')
    }
    const lines = here.split('\n').filter((line) => line !== '')
    if (kind === 'sh') for (const line of lines) await this.#type(line)
    if (kind === 'devnet') for (const line of lines) await this.#order(line)
  }
  async #type(text: string): Promise<void> {
    const line = text.replaceAll(SERVER, this.#api).replaceAll('kc_dev_...', this.#token)
    const [program, ...words] = wordsOf(line)
    const to = words.indexOf('>')
    const args = to < 0 ? words : words.slice(0, to)
    this.ran.push(text)
    if (program === 'export') for (const word of words) this.#export(word)
    if (program === 'curl') this.#curl(line)
    // The demo and installing have tests of their own; the devnet runs already.
    if (program !== 'kaccy' || args[0] === 'devnet' || args[0] === 'demo') return
    if (args[0] === 'serve') return this.#serve(args.slice(1))
    if (args[0] === 'listen' && !args.includes('--print-secret')) {
      const listen = startKaccy([...args, '--json'], this.#environment, this.folder)
      this.#watching.push(listen)
      await listen.said(({ type }) => type === 'listening')
      return
    }
    if (args[0] === 'watch') {
      const watch = startKaccy([...args, '--json'], {}, this.folder)
      this.#watching.push(watch)
      await watch.said(({ type }) => type === 'state')
      return
    }
    const ended: Ended = await callKaccy(args, {
      folder: this.folder,
      environment: this.#environment,
    })
    expect(ended, line).toMatchObject({ code: 0, stderr: '' })
    if (to >= 0) writeFileSync(join(this.folder, words[to + 1] ?? ''), `${ended.stdout}\n`)
  }
  #export(assignment: string): void {
    const at = assignment.indexOf('=')
    this.#environment[assignment.slice(0, at)] = assignment.slice(at + 1)
  }
  /** As the page has it; a stream is given two seconds. */
  #curl(line: string): void {
    const env = { ...process.env, KACCY_API_KEY: this.#token, ...this.#environment }
    const ended = spawnSync('bash', ['-c', `${line} --silent --fail --max-time 2`], { env })
    // 28: a stream goes on until it is cut.
    expect([0, 28], `${line}: ${ended.stderr}`).toContain(ended.status)
  }
  /** Types a line into the devnet, and waits until the view has changed because of it. */
  async #order(line: string): Promise<void> {
    const [word, first = '', second = ''] = wordsOf(line)
    const watch = this.#watching.at(-1)
    const before = watch?.objects.filter(({ type }) => type === 'state').length ?? 0
    if (word === 'pay') this.#devnet?.pay(first, BigInt(second))
    if (word === 'mine') this.#devnet?.mine(Number(first))
    if (word === 'reorg') this.#devnet?.reorg(Number(first))
    await watch?.said(
      ({ type }) =>
        type === 'state' &&
        watch.objects.filter((object) => object['type'] === 'state').length > before,
    )
    this.ran.push(line)
  }
}

test.each(PAGES)('%s: every command on it works, in its order', async (page) => {
  const reader = new Reader()
  await reader.begin(page)
  try {
    for (const block of blocksOf(page)) await reader.read(block)
  } finally {
    await reader.end()
  }
  expect(reader.ran.length).toBeGreaterThan(1)
})

test('every program on these pages runs', () => {
  const programs = PAGES.flatMap(blocksOf).filter(({ kind }) => kind === 'ts')
  expect(programs.length).toBeGreaterThan(0)
  for (const [at, { text }] of programs.entries()) {
    const file = join(ROOT, `e2e/.page-${process.pid}-${at}.ts`)
    writeFileSync(file, text)
    try {
      run(file)
    } finally {
      rmSync(file)
    }
  }
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
  const names = readdirSync(`${ROOT}examples`).filter((name) => name.endsWith('.ts'))
  const pages = PAGES.map((page) => readFileSync(`${ROOT}${page}`, 'utf8')).join('\n')
  expect(names.sort()).toEqual([
    'accept-payment.ts',
    'consume-events.ts',
    'devnet-first-test.ts',
    'platform-orders.ts',
  ])
  expect(names.filter((name) => !pages.includes(`examples/${name}`))).toEqual([])
})
