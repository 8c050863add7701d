import { spawn } from 'node:child_process'
import { err, ok, type Result } from '../../kernel/index.ts'

/** What one run of HWI left behind. */
export interface ProgramOutput {
  readonly output: Uint8Array
  readonly exitCode: number
}
/** Runs HWI once with these arguments and input. Never rejects; the error is a word for logs. */
export type RunProgram = (
  args: readonly string[],
  input: string,
) => Promise<Result<ProgramOutput, string>>

export interface ProgramOptions {
  /** The program and what stands before HWI's own arguments: `['hwi']`. No shell takes part. */
  readonly command: readonly [string, ...string[]]
  /** The whole environment of the program; by default that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Milliseconds for one run; default 300,000, since a person reads and presses buttons meanwhile. */
  readonly timeoutMs?: number
}

const TIMEOUT = 300_000
const MAX_OUTPUT = 48 * 1024 * 1024

/** Starts the program for each call and ends it at the deadline. */
export const spawnProgram =
  ({ command, environment, timeoutMs = TIMEOUT }: ProgramOptions): RunProgram =>
  (args, input) =>
    new Promise((resolve) => {
      const [file, ...before] = command
      const child = spawn(file, [...before, ...args], {
        stdio: ['pipe', 'pipe', 'ignore'],
        shell: false,
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        ...(environment ? { env: environment as NodeJS.ProcessEnv } : {}),
      })
      const parts: Buffer[] = []
      let length = 0
      child.stdout.on('data', (part: Buffer) => {
        length += part.length
        if (length > MAX_OUTPUT) child.kill('SIGKILL')
        else parts.push(part)
      })
      child.on('error', (error: NodeJS.ErrnoException) => resolve(err(error.code ?? 'spawn')))
      child.on('close', (exitCode, signal) =>
        resolve(
          exitCode === null
            ? err(`ended by ${signal ?? 'nobody'}`)
            : ok({ output: Buffer.concat(parts), exitCode }),
        ),
      )
      // A program that ended before it read everything: its end says more than the broken pipe.
      child.stdin.on('error', () => {})
      child.stdin.end(input)
    })
