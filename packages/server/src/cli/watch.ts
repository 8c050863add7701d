import { EngineError } from '@kaccy/bitcoin/kernel'
import type { ScriptType } from '@kaccy/bitcoin/protocol/keys'
import type { WalletInput } from '@kaccy/bitcoin/wallet'
import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../shell.ts'
import type { Presenter } from '../view/presenter.ts'
import type { WatchOptions } from '../watch/run.ts'
import { readAmount, readChoice, readNumber } from './arguments.ts'
import { addNodeFlags, type Bind, type Context, examples } from './context.ts'
import { presenterOf } from './demo.ts'

const SCRIPT_TYPES: readonly ScriptType[] = ['p2pkh', 'p2sh-p2wpkh', 'p2wpkh', 'p2tr']

/** Flags that name keys: for `watch` and for `wallet register`. */
export const addKeyFlags = (command: Command): Command =>
  command
    .option('--xpub <key>', 'xpub, ypub, zpub, tpub, upub or vpub; [fingerprint/path] may lead')
    .option('--descriptor <text>', 'output descriptor with public keys')
    .option(
      '--script-type <type>',
      'p2pkh, p2sh-p2wpkh, p2wpkh or p2tr, where the key does not say',
    )
    .option('--origin <path>', 'fingerprint of the master key and path, d34db33f/84h/0h/0h')
    .option('--any-depth', 'take a key that is not at the depth of an account')
    .option('--name <name>', 'what people call the wallet')
    .option('--birthday <height>', 'no payment is older than this block (default: the tip)')
    .option('--gap-limit <n>', 'unused addresses in a row that other wallets look ahead')
    .option('--lookahead <n>', 'scripts watched beyond the last address handed out')

/** The keys that the flags name; undefined when they name none. */
export function keysOf(context: Context): WalletInput | undefined {
  const xpub = context.text('xpub')
  const descriptor = context.text('descriptor')
  if (xpub === undefined && descriptor === undefined) return undefined
  const number = (name: string, flag: string) => {
    const text = context.text(name)
    return text === undefined ? undefined : readNumber(text, flag, 0, 0xffff_ffff)
  }
  const type = context.text('scriptType')
  const given = {
    xpub,
    descriptor,
    scriptType: type === undefined ? undefined : readChoice(type, SCRIPT_TYPES, '--script-type'),
    origin: context.text('origin'),
    anyDepth: context.options['anyDepth'] === true ? true : undefined,
    birthday: number('birthday', '--birthday'),
    gapLimit: number('gapLimit', '--gap-limit'),
    lookahead: number('lookahead', '--lookahead'),
  }
  const present = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(present), name: context.text('name') ?? 'main wallet' }
}

/** `kaccy watch` */
export function addWatch(program: Command, bind: Bind): void {
  const watch = addKeyFlags(addNodeFlags(program.command('watch')))
    .description('follow payments on a node of yours, live')
    .option('--order <amount>', 'make an order: satoshi, 0.0015btc, or `any`')
    .option('--external-id <id>', 'your own id of that order: the same one gives the same order')
    .option('--wait', 'wait for a node that is away or downloading')
  examples(watch, [
    'kaccy watch --order 150000 --external-id coffee-1',
    'kaccy watch --xpub zpub6r… --order 0.0015btc',
  ])
  bind(watch, (context) =>
    follow(context, context.options['wait'] === true, (config) =>
      presenterOf(context, 'kaccy watch', config['node.url']),
    ),
  )
}

async function follow(
  context: Context,
  wait: boolean,
  present: (config: ReturnType<Context['load']>['config']) => Presenter,
): Promise<ExitCode> {
  const { signal } = context.shell
  const { config } = context.load()
  const wallet = keysOf(context)
  const order = orderOf(context)
  const logger = context.logger({ ...config, 'log.level': 'error' })
  const [{ openHost }, { runWatch }] = await Promise.all([
    import('../host/host.ts'),
    import('../watch/run.ts'),
  ])
  const host = await openHost({ config, logger, needsNode: true, mayCreate: true })
  let presenter: Presenter | undefined
  try {
    presenter = present(config)
    const options: WatchOptions = {
      host,
      config,
      presenter,
      logger,
      signal,
      wait,
      ...(wallet === undefined ? {} : { wallet }),
      ...(order === undefined ? {} : { order }),
    }
    await runWatch(options)
    presenter.end(['Stopped. The next run goes on from here.'], { database: host.database })
  } catch (error) {
    presenter?.end([], { database: host.database })
    throw error
  } finally {
    await host.close()
  }
  return signal.aborted ? EXIT.interrupted : EXIT.ok
}

function orderOf(context: Context): WatchOptions['order'] {
  const text = context.text('order')
  if (text === undefined) {
    if (context.text('externalId') === undefined) return undefined
    throw new EngineError('USAGE_INVALID', '--external-id names an order: give --order as well')
  }
  const amount = text === 'any' ? undefined : readAmount(text, '--order')
  return { amount, externalId: context.text('externalId') ?? `watch-${amount ?? 'any'}` }
}
