#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runProgram } from './program.ts'
import { EXIT, type Shell } from './shell.ts'

export { runProgram, VERSION } from './program.ts'
export { EXIT, type ExitCode, type Output, type Shell } from './shell.ts'

async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
const readAny = (path: string): Promise<Buffer> =>
  path === '-' ? readStandardInput() : readFile(path)

/** The process around one command line: the only place that handles signals and sets the exit code. */
async function main(): Promise<void> {
  const stop = new AbortController()
  const onSignal = () => {
    // The first asks for a clean end; who asks twice does not want to wait for it.
    if (stop.signal.aborted) process.exit(EXIT.interrupted)
    stop.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  // A reader that went away (`kaccy events | head`) is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failure)
  })
  const shell: Shell = {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    environment: process.env,
    folder: process.cwd(),
    signal: stop.signal,
    debug: process.argv.includes('--debug'),
    readText: async (path) => (await readAny(path)).toString('utf8'),
    readBytes: readAny,
  }
  process.exitCode = await runProgram(process.argv.slice(2), shell)
  process.removeListener('SIGINT', onSignal)
  process.removeListener('SIGTERM', onSignal)
}

const isEntry = (): boolean => {
  const entry = process.argv[1]
  return entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url)
}
if (isEntry()) await main()
