import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { Readable, type Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { runProgram, type Shell } from '@kaccy/bitcoin-server'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const MAIN = `${ROOT}packages/server/src/main.ts`

/** What a command said and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}
/** A running `kaccy`: its standard output is read as one JSON object a line. */
export interface Kaccy {
  readonly process: ChildProcess
  /** Every object so far. */
  readonly objects: readonly Said[]
  /** The first object that fits, also one that was said before. @throws when the process ends first */
  said(fits: (object: Said) => boolean): Promise<Said>
  ended: Promise<Ended>
}
export type Said = Readonly<Record<string, unknown>>

/** The environment without anything that would configure the command. */
const cleanEnvironment = (more: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(KACCY_|FORCE_COLOR$|VITEST)/.test(name)),
  ),
  NO_COLOR: '1',
  ...more,
})

/** Starts the real process, as `npm run demo` does. */
export function startKaccy(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  folder: string = tmpdir(),
  input: 'closed' | 'typed' = 'closed',
): Kaccy {
  const child = spawn(process.execPath, ['--conditions=@kaccy/source', MAIN, ...args], {
    cwd: folder,
    env: cleanEnvironment(environment),
    stdio: [input === 'typed' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>
  const objects: Said[] = []
  const lines: string[] = []
  let stderr = ''
  let wakeUp: (() => void)[] = []
  const wake = () => {
    for (const resolve of wakeUp.splice(0)) resolve()
  }
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => {
    lines.push(line)
    if (line.startsWith('{')) objects.push(JSON.parse(line) as Said)
    wake()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
  })
  let over = false
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(([[code]]) => {
    over = true
    wake()
    return { code: code as number | null, stdout: lines.join('\n'), stderr }
  })
  return {
    process: child,
    objects,
    ended,
    async said(fits) {
      for (let from = 0; ; ) {
        const found = objects.slice(from).find(fits)
        if (found) return found
        from = objects.length
        if (over) throw new Error(`kaccy ended without saying it: ${stderr}`)
        await new Promise<void>((resolve) => {
          wakeUp = [...wakeUp, resolve]
        })
      }
    },
  }
}

/** Runs a command to its end. */
export const runKaccy = (
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  folder: string = tmpdir(),
): Promise<Ended> => startKaccy(args, environment, folder).ended
/** The objects that a command with --json printed. */
export const objectsOf = ({ stdout }: Ended): Said[] =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Said)

/** Runs a command inside this process: the same program, without the second that a process needs to start. */
export async function callKaccy(
  args: readonly string[],
  more: Partial<Pick<Shell, 'environment' | 'signal' | 'folder'>> = {},
): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  const code = await runProgram(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: Readable.from([]),
    environment: {},
    folder: tmpdir(),
    signal: new AbortController().signal,
    debug: false,
    ...more,
    readText: (path) => readFile(path, 'utf8'),
    readBytes: (path) => readFile(path),
  })
  return { code, stdout: stdout.trimEnd(), stderr }
}
