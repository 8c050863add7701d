import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createDevnet, type Devnet } from '../devnet.ts'
import { DevnetError } from '../failure.ts'
import { type Arguments, HELP, readArguments } from './arguments.ts'

/** The process around a command: only `main.ts` touches the real one. */
export interface Shell {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Aborted when the command shall end. */
  readonly signal: AbortSignal
}
/** 0: it ended as asked. 1: it could not go on. 2: the command line is wrong, or the port or folder is in use. */
export type ExitCode = 0 | 1 | 2

/** Of this release; the manifest stands beside `src` and beside `dist`. */
function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return JSON.parse(manifest).version
}

/** `kaccy-devnet`: runs until the signal. */
export async function runCommand(args: readonly string[], shell: Shell): Promise<ExitCode> {
  const parsed = readArguments(args)
  switch (parsed.kind) {
    case 'help':
      shell.out(HELP)
      return 0
    case 'version':
      shell.out(`${version()}\n`)
      return 0
    case 'wrong':
      shell.err(`kaccy-devnet: ${parsed.message}\nkaccy-devnet --help lists the options\n`)
      return 2
    case 'run':
      return run(parsed.arguments, shell)
  }
}

async function run(args: Arguments, shell: Shell): Promise<ExitCode> {
  // A folder of its own keeps the cookie where it is told, and goes with the process.
  const own = args.data === undefined ? mkdtempSync(join(tmpdir(), 'kaccy-devnet-')) : undefined
  let devnet: Devnet | undefined
  const stop = new AbortController()
  const signal = AbortSignal.any([shell.signal, stop.signal])
  try {
    const options = optionsOf(args, resolve(args.data ?? own ?? '.'))
    devnet = await createDevnet({ ...options, onStop: () => stop.abort() })
    const funding = devnet.resumed ? [] : args.fund
    for (const { address, amount } of funding) devnet.faucet(address, amount)
    introduce(args, devnet, shell)
    const failure = await live(args, devnet, signal)
    if (failure !== undefined) return complain(args, failure, shell)
    if (!args.quiet) say(args, shell, { type: 'end', ...devnet.tip }, 'ended')
    return 0
  } catch (error) {
    return complain(args, error, shell)
  } finally {
    await devnet?.close()
    if (own !== undefined) rmSync(own, { recursive: true, force: true })
  }
}
function optionsOf(args: Arguments, dir: string) {
  const { port, fsync, seed, start, time, zmq, rest } = args
  const { user, password } = args
  return {
    port,
    dir,
    rest,
    keepAlive: true,
    ...(args.data === undefined ? {} : { persist: true, fsync }),
    ...(seed === undefined ? {} : { seed }),
    ...(start === undefined ? {} : { start }),
    ...(time === undefined ? {} : { clock: time }),
    ...(zmq === undefined ? {} : { zmq: { port: zmq } }),
    auth: {
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
    },
  }
}
/** Mines by the clock, when asked, until the signal. Returns what went wrong meanwhile. */
function live(args: Arguments, devnet: Devnet, signal: AbortSignal): Promise<unknown> {
  return new Promise((done) => {
    const timer =
      args.blockTime === undefined ? undefined : setInterval(mine, args.blockTime * 1000)
    function end(failure?: unknown): void {
      clearInterval(timer)
      done(failure)
    }
    function mine(): void {
      try {
        devnet.mine()
      } catch (error) {
        end(error)
      }
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', () => end(), { once: true })
  })
}

function introduce(args: Arguments, devnet: Devnet, shell: Shell): void {
  if (args.quiet) return
  const { rpcUrl, auth, cookiePath, tip, settings } = devnet
  const zmq = devnet.zmq?.addresses.hashblock
  const facts = {
    type: 'ready',
    url: rpcUrl,
    user: auth.user,
    password: auth.password,
    cookie: cookiePath,
    ...(args.rest ? { rest: `${rpcUrl}/rest/` } : {}),
    ...(zmq === undefined ? {} : { zmq }),
    ...(args.data === undefined ? {} : { data: resolve(args.data) }),
    seed: settings.seed,
    height: tip.height,
  }
  const { type: _, ...shown } = facts
  const lines = Object.entries(shown).map(([name, value]) => `${name.padEnd(9)} ${value}`)
  say(args, shell, facts, lines.join('\n'))
}
function say(args: Arguments, shell: Shell, object: object, text: string): void {
  shell.out(args.json ? `${JSON.stringify(object)}\n` : `${text}\n`)
}

function complain(args: Arguments, error: unknown, shell: Shell): ExitCode {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }
  const taken = code === 'EADDRINUSE'
  const message = taken
    ? `port ${port ?? args.port} is in use; --port 0 takes a free one`
    : error instanceof Error
      ? error.message
      : String(error)
  if (args.json) shell.err(`${JSON.stringify({ type: 'failure', code, message })}\n`)
  else shell.err(`kaccy-devnet: ${message}\n`)
  if (taken || (error instanceof DevnetError && error.code !== 'DEVNET_STORAGE_FAILED')) return 2
  return 1
}
