import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { callKaccy } from '../kaccy.ts'
import { type Block, blocksOf, commandsOf, isPlain, missingIn, ROOT, wordsOf } from './blocks.ts'
import { type Running, Terminal } from './terminal.ts'

/** Commands of pages that are not run here, and why: each is tried somewhere else. */
export const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^npm (install|test|run demo)/, 'tools/packages installs, e2e/demo.test.ts runs the demo'],
  [/^kaccy demo/, 'e2e/demo.test.ts'],
  [/^git clone|^cd kaccy-bitcoin$/, 'e2e/transcript.test.ts'],
  [/^(kaccy|node)\(\)/, 'e2e/transcript.test.ts; here both are programs'],
  [/^kaccy devnet/, 'e2e/transcript.test.ts; here it runs in the process of the test'],
  [/^node examples\/[\w-]+\.ts$/, 'e2e/docs.test.ts runs every example'],
]

/** Programs that go on while the reader reads on. */
const STAYS =
  /^(\w+=('[^']*'|\S+) )*(kaccy-devnet\b|kaccy-signer serve\b|curl -N |kaccy (serve|watch|listen)\b(?!.*--(print-secret|limit|help))|node [\w/.-]+\.[tj]s$)/
/** Commands that may be repeated until they say what the page promises: they only look. */
const LOOKS =
  /^(kaccy (order (show|explain|list)|withdrawal (show|explain|list)|psbt (show|list)|events|payments|reconcile|books|wallet (show|list)|alerts|webhook (show|deliveries)|config)\b|curl (?!.*( -d | -X )))/
const TRIES = 40
const PAUSE_MS = 500

/** Ports as the pages write them. Several readers read at once, so each gets others. */
const PORTS = ['18443', '8080', '7655', '3000'] as const

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })

/** One page, followed to the letter by somebody with an empty folder and a devnet. */
export class Reader {
  readonly home = mkdtempSync(join(tmpdir(), 'kaccy-page-'))
  readonly folder = join(this.home, 'work')
  readonly ran: string[] = []
  readonly terminal: Terminal
  readonly #ports = new Map<string, number>()
  readonly #running: Running[] = []
  #devnet: Devnet | undefined
  /** The shell block that the next promise is about. */
  #last: { readonly commands: readonly string[]; output: string } = { commands: [], output: '' }

  constructor() {
    mkdirSync(join(this.folder, 'devnet'), { recursive: true })
    this.terminal = new Terminal(this.folder, join(this.home, 'notes'))
    this.terminal.offerTree()
    for (const name of ['node_modules', 'examples'])
      symlinkSync(join(ROOT, name), join(this.folder, name))
    writeFileSync(join(this.folder, 'package.json'), '{"type":"module"}')
  }
  async begin(page: string): Promise<void> {
    for (const port of PORTS) this.#ports.set(port, await freePort())
    this.#set('KACCY_HTTP_LISTEN', `127.0.0.1:${this.#ports.get('8080')}`)
    this.#set('SHOP_PORT', `${this.#ports.get('3000')}`)
    // A page that starts the node itself wants its port.
    const isStarted = blocksOf(page).some(({ text }) => text.includes('kaccy-devnet --port 18443'))
    if (isStarted) return
    const port = this.#ports.get('18443') ?? 0
    this.#devnet = await createDevnet({ dir: join(this.folder, 'devnet'), port })
  }
  /** Ends everything, and answers what did not end as it should. */
  async end(): Promise<string[]> {
    const faults: string[] = []
    for (const running of this.#running) {
      const code = await running.stop()
      // A server ends well when it is told to; whoever looked was interrupted.
      const well = /^kaccy serve\b/.test(running.line) ? 0 : 130
      if (/^kaccy /.test(running.line) && code !== well) faults.push(`${running.line}: ${code}`)
    }
    await this.#devnet?.close()
    this.close()
    return faults
  }
  close(): void {
    this.terminal.close()
    rmSync(this.home, { recursive: true, force: true })
  }

  /** Reads a whole page. One that speaks of a server and starts none comes after the quick start. */
  async readPage(page: string): Promise<void> {
    const blocks = blocksOf(page)
    const commands = blocks.flatMap(({ kind, text }) => (kind === 'sh' ? commandsOf(text) : []))
    const asks = commands.some((command) => command.includes('127.0.0.1:8080'))
    if (asks && !commands.some((command) => /\bkaccy serve\b/.test(command)))
      await this.#comeFromQuickStart()
    for (const block of blocks) await this.read(block)
  }
  async #comeFromQuickStart(): Promise<void> {
    for (const block of blocksOf('docs/quick-start.md')) {
      await this.read(block)
      if (block.text.includes('kaccy serve')) return
    }
  }
  /** @throws Error with what the page says and what came instead */
  async read({ kind, text, noRun }: Block): Promise<void> {
    if (noRun !== undefined) return
    const here = this.#here(text)
    const file = /^(?:\/\/|#) ([\w.-]+\.(?:ts|js|mjs|json|toml))\n/.exec(here)?.[1]
    if (file !== undefined) writeFileSync(join(this.folder, file), here)
    else if (kind === 'json' || kind === 'toml') await this.#settle(kind, here)
    if (kind === 'sh') await this.#type(here)
    if (kind === 'devnet') for (const line of here.split('\n')) this.#order(line)
    if (kind === 'text') await this.#expect(here)
  }
  #here(text: string): string {
    let here = text
    for (const [written, real] of this.#ports)
      here = here.replaceAll(
        new RegExp(`(127\\.0\\.0\\.1:|listen\\(|--port )${written}\\b`, 'g'),
        `$1${real}`,
      )
    return here
  }
  #set(name: string, value: string): void {
    this.terminal.environment = { ...this.terminal.environment, [name]: value }
  }
  /** A configuration is loaded as a user's; any other JSON is an example that has to be JSON. */
  async #settle(kind: 'json' | 'toml', text: string): Promise<void> {
    if (kind === 'json' && !('network' in (JSON.parse(text) as object))) return
    // What a page says in TOML it has said in JSON before.
    const file = kind === 'json' ? 'kaccy.json' : 'page.toml'
    writeFileSync(join(this.folder, file), text)
    const before = this.terminal.environment
    // A password is no setting of a file, and this one is asked for by nobody.
    if (text.includes('"user"')) this.#set('KACCY_NODE_PASSWORD', 'page')
    await this.#run(`kaccy config --config ${file}`)
    this.terminal.environment = before
  }
  async #type(text: string): Promise<void> {
    const commands = commandsOf(text)
    this.#last = { commands, output: '' }
    for (const command of commands) this.#last.output += await this.#run(command)
  }
  async #run(command: string): Promise<string> {
    this.ran.push(command)
    if (ELSEWHERE.some(([pattern]) => pattern.test(command))) return ''
    if (STAYS.test(command)) {
      const running = await this.terminal.start(command)
      this.#running.push(running)
      return running.output
    }
    // Most commands are plain: they need no process of their own.
    if (command.startsWith('kaccy ') && isPlain(command)) {
      const [, ...args] = wordsOf(command)
      const { folder, environment } = this.terminal
      const ended = await callKaccy(args, { folder, environment })
      if (ended.code === 0 && ended.stderr === '') return `${ended.stdout}\n`
      throw new Error(`${command}: ${ended.code}\n${ended.stderr}${ended.stdout}`)
    }
    const { code, output, errors } = await this.terminal.run(command)
    if (code !== 0) throw new Error(`${command}: ${code}\n${errors}${output}`)
    return output
  }
  /** Types a line into the devnet. */
  #order(line: string): void {
    const [word, first = '', second = ''] = wordsOf(line)
    if (word === undefined) return
    this.ran.push(line)
    if (word === 'pay') this.#devnet?.pay(first, BigInt(second))
    else if (word === 'mine') this.#devnet?.mine(Number(first))
    else if (word === 'reorg') this.#devnet?.reorg(Number(first))
    else throw new Error(`the devnet has no word ${word}`)
  }
  /** The page promises what the commands before it print; what needs a moment is looked at again. */
  async #expect(promised: string): Promise<void> {
    const { commands } = this.#last
    const saidBy = () => this.#last.output + this.#running.map(({ output }) => output).join('\n')
    const mayRepeat = commands.every((command) => LOOKS.test(command))
    for (let tries = 1; ; tries++) {
      const missing = missingIn(saidBy(), promised)
      if (missing === undefined) return
      if (tries === TRIES) throw new Error(`promised: ${missing}\nsaid: ${saidBy()}`)
      await pause(PAUSE_MS)
      if (!mayRepeat) continue
      this.#last.output = ''
      for (const command of commands) this.#last.output += await this.#run(command)
    }
  }
}
