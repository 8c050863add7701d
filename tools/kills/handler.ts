import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Meeting } from '../../test/races/store.ts'
import type { Command } from './commands.ts'

const VICTIM = fileURLToPath(new URL('./victim.ts', import.meta.url))

interface Alive {
  readonly process: ChildProcess
  readonly answers: AsyncIterator<string>
  readonly reader: Interface
}

/** Starts the process, gives it commands, kills it, starts it again. */
export class Handler {
  readonly #args: readonly string[]
  #alive: Alive | undefined
  kills = 0

  constructor(meeting: Meeting, node: { readonly url: string; readonly cookieFile: string }) {
    this.#args = [JSON.stringify(meeting), node.url, node.cookieFile]
  }
  async #start(): Promise<Alive> {
    if (this.#alive) return this.#alive
    const child = spawn(
      process.execPath,
      [
        '--conditions=@kaccy/source',
        '--disable-warning=ExperimentalWarning',
        VICTIM,
        ...this.#args,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    const reader = createInterface({ input: child.stdout })
    const alive = { process: child, reader, answers: reader[Symbol.asyncIterator]() }
    child.stdin?.on('error', () => undefined)
    this.#alive = alive
    await this.#answer(alive, 'ready')
    return alive
  }
  /** True when the expected word came; false when the process ended before. */
  async #answer(alive: Alive, word: string): Promise<boolean> {
    const { value, done } = await alive.answers.next()
    if (done) return false
    if (value !== word) throw new TypeError(`the process says ${String(value)}`)
    return true
  }
  /** Lets the process do a command to its end. */
  async obey(command: Command): Promise<void> {
    const alive = await this.#start()
    alive.process.stdin?.write(`${JSON.stringify(command)}\n`)
    if (!(await this.#answer(alive, 'done')))
      throw new TypeError(`the process ended by itself, with ${alive.process.exitCode}`)
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
    const ended = new Promise((resolve) => alive.process.once('exit', resolve))
    alive.process.kill('SIGKILL')
    await ended
    alive.reader.close()
  }
}
