import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ROOT } from './blocks.ts'

/** What a command said, on both streams in turn, and how it ended. */
export interface Done {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/** A program that runs on while the reader goes on. */
export interface Running {
  readonly line: string
  readonly output: string
  type(text: string): void
  /** Resolves with the exit code. */
  stop(): Promise<number | null>
}

/** How long a program may take to say its first word, milliseconds. */
const FIRST_WORD_MS = 60_000

/**
 * A shell whose folder, variables and functions go on from one command to the next. Its `kaccy` is the one of this tree, and its
 * `node` finds the packages where their sources are.
 */
export class Terminal {
  folder: string
  environment: NodeJS.ProcessEnv
  /** What every command begins with: functions that a page defines. */
  preface = ''
  readonly #notes: string
  readonly #running: ChildProcess[] = []

  constructor(folder: string, notes: string, environment: Readonly<Record<string, string>> = {}) {
    this.folder = folder
    this.#notes = notes
    mkdirSync(notes, { recursive: true })
    this.environment = { ...cleanEnvironment(), ...environment }
  }

  /** Puts programs of this tree first in the path. */
  offerTree(): void {
    const bin = join(this.#notes, 'bin')
    mkdirSync(bin)
    const main = `${ROOT}packages/server/src/main.ts`
    const start = `#!/bin/sh\nexec '${process.execPath}' --conditions=@kaccy/source`
    writeFileSync(join(bin, 'kaccy'), `${start} '${main}' "$@"\n`, { mode: 0o755 })
    const devnet = `${ROOT}packages/devnet/src/main.ts`
    writeFileSync(join(bin, 'kaccy-devnet'), `${start} '${devnet}' "$@"\n`, { mode: 0o755 })
    const signer = `${ROOT}packages/signer/src/main.ts`
    writeFileSync(join(bin, 'kaccy-signer'), `${start} '${signer}' "$@"\n`, { mode: 0o755 })
    writeFileSync(join(bin, 'node'), `${start} "$@"\n`, { mode: 0o755 })
    this.environment = {
      ...this.environment,
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    }
  }

  async run(line: string): Promise<Done> {
    const after = join(this.#notes, 'after')
    // `set -a`: what a reader sets in his shell is there for the next command.
    const script = `${this.preface}\nset -a -o pipefail\n${line}\ncode=$?\n{ pwd; env -0; } > '${after}'\nexit $code`
    const child = this.#spawn(script, 'ignore')
    let output = ''
    let errors = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString('utf8')
    })
    const [code] = (await once(child, 'close')) as [number | null]
    if (code === 0) this.#take(readFileSync(after, 'utf8'))
    return { code, output, errors }
  }

  /** Starts what does not end, and waits for its first line. @throws Error when it ends before */
  async start(line: string): Promise<Running> {
    const child = this.#spawn(`${this.preface}\n${line}`, 'pipe')
    this.#running.push(child)
    let output = ''
    let errors = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString('utf8')
    })
    const ended = once(child, 'close').then(([code]) => code as number | null)
    const stdout = child.stdout
    if (!stdout) throw new Error('no output')
    const lines = createInterface({ input: stdout })
    const first = once(lines, 'line', { signal: AbortSignal.timeout(FIRST_WORD_MS) })
    lines.on('line', (text) => {
      output += `${text}\n`
    })
    const failed = ended.then((code) => {
      throw new Error(`${line} ended with ${code}: ${errors}${output}`)
    })
    failed.catch(() => {
      // Told by the race, or no failure: a program that was stopped later.
    })
    await Promise.race([first, failed])
    return {
      line,
      get output() {
        return output
      },
      type: (text) => child.stdin?.write(`${text}\n`),
      stop() {
        kill(child)
        return ended
      },
    }
  }

  /** Ends what still runs, whatever happened. */
  close(): void {
    for (const child of this.#running) if (child.exitCode === null) kill(child)
  }

  #spawn(script: string, stdin: 'ignore' | 'pipe'): ChildProcess {
    return spawn('bash', ['-c', script], {
      cwd: this.folder,
      env: this.environment,
      stdio: [stdin, 'pipe', 'pipe'],
      detached: true,
    })
  }
  #take(text: string): void {
    const [folder = '', ...rest] = text.split('\n')
    this.folder = folder
    const pairs = rest
      .join('\n')
      .split('\0')
      .filter((pair) => pair !== '')
    this.environment = Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    )
  }
}

/** The whole group: a shell, npm and the program itself, as Ctrl-C in a terminal does. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGTERM')
  } catch {
    // It is over already.
  }
}

/** The environment without anything that would configure the programs. */
const cleanEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(KACCY_|FORCE_COLOR$|VITEST|npm_(?!config_)|NODE_(OPTIONS|ENV|PATH)$|BASH_FUNC)/.test(
          name,
        ),
    ),
  ),
  NO_COLOR: '1',
})
