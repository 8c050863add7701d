import type { Command } from 'commander'
import { pauseFor } from '../host/pause.ts'
import { EXIT } from '../shell.ts'
import { readNumber } from './arguments.ts'
import type { WalletJson } from './client/answers.ts'
import type { ApiClient } from './client/client.ts'
import { addClientOptions, addNodeFlags, type Bind, type Context, examples } from './context.ts'
import { findWallet } from './find.ts'
import { Progress, withProgress } from './progress.ts'

/** Pause between two looks at how far a server is. */
const LOOK_MS = 300

/** `kaccy wallet rescan` */
export function addRescan(wallet: Command, bind: Bind): void {
  const rescan = addClientOptions(addNodeFlags(wallet.command('rescan [wallet]')))
    .description('read blocks again from a height on, and wait until it is done')
    .requiredOption('--from <height>', 'the first block to read')
    .option('--no-wait', 'leave the reading to the running server')
    .option('--later', 'the same as --no-wait')
  examples(rescan, [
    'kaccy wallet rescan shop --from 700000',
    'kaccy wallet rescan --from 0 --no-wait',
  ])
  bind(rescan, runRescan)
}

async function runRescan(context: Context, [word]: readonly string[]) {
  const wait = context.options['later'] !== true && context.options['wait'] !== false
  const from = readNumber(context.text('from') ?? '', '--from', 0, 0xffff_ffff)
  const work = async (client: ApiClient) => {
    const { id } = await findWallet(client, word)
    const here = wait ? client.host : undefined
    // What stands behind the tip is read by following; the rescan is for what lies before it.
    if (here) await withProgress(context, (progress) => here.engine.sync(progress))
    const body = { from_height: from }
    const asked = await client.post<WalletJson>(`/v1/wallets/${id}/rescan`, { body })
    if (here) await withProgress(context, (progress) => here.engine.sync(progress))
    const done = wait && (here !== undefined || (await followServer(context, client, asked)))
    const words = done ? 'done' : 'requested: a running kaccy serve or watch will do it'
    context.facts([['rescan', words]], { wallet: id, from, done })
    return EXIT.ok
  }
  return context.withClient(work, { needsNode: wait })
}

/** Looks at a server's rescan until it is done; false when the reader no longer wants to wait. */
async function followServer(
  context: Context,
  client: ApiClient,
  asked: WalletJson,
): Promise<boolean> {
  const { signal } = context.shell
  const progress = new Progress(context)
  try {
    let { rescan } = asked
    while (rescan && !signal.aborted) {
      const { from_height: from, next_height: at, to_height: to } = rescan
      progress.say('rescan', at, to, from)
      await pauseFor(LOOK_MS, signal)
      rescan = (await client.get<WalletJson>(`/v1/wallets/${asked.id}`)).rescan
    }
    return !signal.aborted
  } finally {
    progress.end()
  }
}
