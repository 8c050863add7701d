import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Meeting } from '../../test/races/store.ts'

const VICTIM = fileURLToPath(new URL('./victim.ts', import.meta.url))

interface Alive {
  readonly process: ChildProcess
  readonly answers: AsyncIterator<string>
  readonly reader: Interface
  readonly ended: Promise<unknown>
}

/** Another program than the usual one, with what it needs beyond database and node. */
interface Special {
  readonly program?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts the process, gives it commands, kills it, starts it again. */
export class Handler<Command extends object> {
  readonly #program: string
  readonly #args: readonly string[]
  readonly #env: Readonly<Record<string, string>>
  #alive: Alive | undefined
  kills = 0

  constructor(
    meeting: Meeting,
    node: { readonly url: string; readonly cookieFile: string },
    { program = VICTIM, args = [], env = {} }: Special = {},
  ) {
    this.#program = program
    this.#args = [JSON.stringify(meeting), node.url, node.cookieFile, ...args]
    this.#env = env
  }
  async #start(): Promise<Alive> {
    if (this.#alive) return this.#alive
    const child = spawn(
      process.execPath,
      [
        '--conditions=@kaccy/source',
        '--disable-warning=ExperimentalWarning',
        this.#program,
        ...this.#args,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...this.#env } },
    )
    const reader = createInterface({ input: child.stdout })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const alive = { process: child, reader, ended, answers: reader[Symbol.asyncIterator]() }
    child.stdin?.on('error', () => undefined)
    this.#alive = alive
    await this.#answer(alive, 'ready')
    return alive
  }
  /** What came behind the expected word; undefined when the process ended before. */
  async #answer(alive: Alive, word: string): Promise<string | undefined> {
    const { value, done } = await alive.answers.next()
    if (done) return undefined
    if (!value.startsWith(word)) throw new TypeError(`the process says ${value}`)
    return value.slice(word.length).trim()
  }
  /** Lets the process do a command to its end, and gives what it says of it. */
  async obey(command: Command): Promise<string> {
    const alive = await this.#start()
    alive.process.stdin?.write(`${JSON.stringify(command)}\n`)
    const said = await this.#answer(alive, 'done')
    if (said === undefined)
      throw new TypeError(`the process ended by itself, with ${alive.process.exitCode}`)
    return said
  }
  /** As `obey`, for a process that may kill itself on the way: where it did, by its own last word. Undefined: it did not. */
  async obeyOrDie(command: Command): Promise<string | undefined> {
    const alive = await this.#start()
    alive.process.stdin?.write(`${JSON.stringify(command)}\n`)
    const { value = '' } = await alive.answers.next()
    if (value.startsWith('done')) return undefined
    await alive.ended
    if (alive.process.signalCode !== 'SIGKILL' || !value.startsWith('dying'))
      throw new TypeError(`the process ended by itself, with ${alive.process.exitCode}`)
    this.#alive = undefined
    this.kills += 1
    alive.reader.close()
    return value.slice('dying'.length)
  }
  /** Gives a command and kills the process `afterMs` later, wherever it is. */
  async obeyAndDie(command: Command, afterMs: number): Promise<void> {
    const alive = await this.#start()
    alive.process.stdin?.write(`${JSON.stringify(command)}\n`)
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    await this.kill()
  }
  async kill(): Promise<void> {
    const alive = this.#alive
    if (!alive) return
    this.#alive = undefined
    this.kills += 1
    alive.process.kill('SIGKILL')
    await alive.ended
    alive.reader.close()
  }
}
