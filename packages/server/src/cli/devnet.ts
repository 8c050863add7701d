import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Devnet } from '@kaccy/devnet'
import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../shell.ts'
import { satText } from '../view/amount.ts'
import { readAmount, readNumber } from './arguments.ts'
import { addCommonFlags, type Bind, type Context } from './context.ts'

const WORDS = [
  'pay <address> <amount>   a customer pays, unconfirmed',
  'mine [n]                 blocks with what waits in the mempool',
  'reorg <depth>            the last blocks give way to empty ones',
  'tip                      where the chain is',
  'quit',
]

/** `kaccy devnet` */
export function addDevnet(program: Command, bind: Bind): void {
  const command = addCommonFlags(program.command('devnet'))
    .description('a regtest node to try on: pays and mines what you type; forgets all at the end')
    .option('--port <port>', 'on 127.0.0.1', '18443')
    .option('--data <dir>', 'folder of the cookie file', 'devnet')
    .option('--seed <text>', 'another chain', 'kaccy')
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

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

async function listen(context: Context, devnet: Devnet): Promise<ExitCode> {
  const { signal } = context.shell
  context.facts(
    [
      ['node', devnet.rpcUrl],
      ['cookie', devnet.cookiePath],
      ['block', `${devnet.tip.height}`],
      ...(context.json ? [] : WORDS.map((word): [string, string] => ['', word])),
    ],
    { type: 'devnet', url: devnet.rpcUrl, cookie: devnet.cookiePath, height: devnet.tip.height },
  )
  const lines = createInterface({ input: context.shell.stdin, signal })
  const end = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    lines.on('line', (line) => {
      const [word = '', ...args] = line.trim().split(/\s+/)
      if (word === 'quit') resolve()
      else if (word !== '') answer(context, () => obey(devnet, word, args))
    })
  })
  // A closed input is no reason to take the node away: it may run in the background.
  await end
  lines.close()
  return signal.aborted ? EXIT.interrupted : EXIT.ok
}

function answer(context: Context, work: () => Answer): void {
  try {
    const { text, ...object } = work()
    if (context.json) context.object({ type: 'done', ...object })
    else context.line(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (context.json) context.object({ type: 'refused', reason })
    else context.line(context.paint('bad', reason))
  }
}

interface Answer {
  readonly text: string
  readonly [key: string]: string | number
}

/** @throws EngineError, or the devnet's own error, with what is wrong */
function obey(devnet: Devnet, word: string, [first = '', second = '']: readonly string[]): Answer {
  switch (word) {
    case 'pay': {
      const amount = readAmount(second, 'amount')
      const { txid } = devnet.pay(first, amount)
      return { text: `paid ${satText(amount)} by ${txid}`, txid }
    }
    case 'mine': {
      devnet.mine(readNumber(first === '' ? '1' : first, 'n', 1, 1_000))
      return tipOf(devnet)
    }
    case 'reorg': {
      const depth = readNumber(first, 'depth', 1, devnet.tip.height)
      devnet.reorg(depth)
      return tipOf(devnet)
    }
    case 'tip':
      return tipOf(devnet)
    default:
      throw new EngineError(
        'USAGE_INVALID',
        `no such word: ${word}; there are pay, mine, reorg, tip, quit`,
      )
  }
}

const tipOf = ({ tip }: Devnet): Answer => ({
  text: `block ${tip.height} ${tip.hash}`,
  height: tip.height,
  hash: tip.hash,
})
