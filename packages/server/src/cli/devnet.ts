import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Devnet } from '@kaccy/devnet'
import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../shell.ts'
import { readNumber } from './arguments.ts'
import { obeyLines, WORDS } from './console.ts'
import { addCommonFlags, type Bind, type Context, examples } from './context.ts'

/** `kaccy devnet` */
export function addDevnet(program: Command, bind: Bind): void {
  const command = addCommonFlags(program.command('devnet'))
    .description('a regtest node to try on: pays and mines what you type; forgets all at the end')
    .option('--port <port>', 'on 127.0.0.1', '18443')
    .option('--data <dir>', 'folder of the cookie file', 'devnet')
    .option('--seed <text>', 'another chain', 'kaccy')
  examples(command, ['kaccy devnet', 'kaccy devnet --port 0 --json'])
  bind(command, async (context) => {
    const dir = resolve(context.shell.folder, context.text('data') ?? 'devnet')
    mkdirSync(dir, { recursive: true })
    const port = readNumber(context.text('port') ?? '18443', '--port', 0, 65_535)
    const seed = context.text('seed') ?? 'kaccy'
    const { createDevnet } = await import('@kaccy/devnet')
    const devnet = await createDevnet({ port, dir, seed, keepAlive: true }).catch(
      (cause: unknown) => {
        if (!isTaken(cause)) throw cause
        throw new EngineError('USAGE_INVALID', `--port: ${port} is in use; 0 takes a free one`, {
          details: { param: '--port', port },
          cause,
        })
      },
    )
    try {
      return await listen(context, devnet)
    } finally {
      await devnet.close()
    }
  })
}

/** Whether an address to listen on belongs to somebody else. */
export const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

async function listen(context: Context, devnet: Devnet): Promise<ExitCode> {
  context.facts(
    [
      ['node', devnet.rpcUrl],
      ['cookie', devnet.cookiePath],
      ['block', `${devnet.tip.height}`],
      ...(context.json ? [] : WORDS.map((word): [string, string] => ['', word])),
    ],
    { type: 'devnet', url: devnet.rpcUrl, cookie: devnet.cookiePath, height: devnet.tip.height },
  )
  await obeyLines(context, devnet)
  return context.shell.signal.aborted ? EXIT.interrupted : EXIT.ok
}
