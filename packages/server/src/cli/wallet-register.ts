import { EngineError } from '@kaccy/bitcoin/kernel'
import type { WalletInput } from '@kaccy/bitcoin/wallet'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import type { WalletJson } from './client/answers.ts'
import type { ApiClient } from './client/client.ts'
import { addClientOptions, addNodeFlags, type Bind, type Context, examples } from './context.ts'
import { addKeyFlags, keysOf } from './watch.ts'

/** `kaccy wallet register` */
export function addRegister(wallet: Command, bind: Bind): void {
  const register = addKeyFlags(addClientOptions(addNodeFlags(wallet.command('register'))))
    .description('watch an xpub or a descriptor')
    .option('--idempotency-key <key>', 'sent twice, done once')
  examples(register, [
    'kaccy wallet register --name shop --xpub zpub6r…',
    "kaccy wallet register --name shop --descriptor 'wpkh([d34db33f/84h/0h/0h]xpub6C…/<0;1>/*)'",
    'kaccy wallet register --name old --xpub zpub6r… --birthday 700000',
  ])
  bind(register, runRegister)
}

const bodyOf = (keys: WalletInput): object => ({
  name: keys.name,
  descriptor: keys.descriptor,
  xpub: keys.xpub,
  script_type: keys.scriptType,
  origin: keys.origin,
  any_depth: keys.anyDepth,
  gap_limit: keys.gapLimit,
  lookahead: keys.lookahead,
  birthday: keys.birthday,
})

async function runRegister(context: Context) {
  const keys = keysOf(context)
  if (!keys) throw new EngineError('USAGE_INVALID', 'give --xpub or --descriptor')
  const hasNode = context.load().config['node.url'] !== undefined
  const work = async (client: ApiClient) => {
    await knowTip(client, keys, hasNode)
    const { made, created } = await client.create<WalletJson>('/v1/wallets', {
      body: bodyOf(keys),
      idempotencyKey: context.text('idempotencyKey'),
    })
    context.facts(
      [
        ['wallet', made.id],
        ['name', made.name],
        ['descriptor', made.descriptor],
        ['birthday', `${made.birthday}`],
        ['', created ? 'registered' : 'was registered before'],
      ],
      { ...made, created },
    )
    return EXIT.ok
  }
  return context.withClient(work, { needsNode: hasNode, mayCreate: true })
}

/** Keys without a birthday are young as of the tip; without a tip every block since the first would be read. */
async function knowTip({ host }: ApiClient, keys: WalletInput, hasNode: boolean): Promise<void> {
  // A running server has its tip, or says that it has none.
  if (!host || keys.birthday !== undefined || (await host.engine.tip()) !== undefined) return
  if (!hasNode)
    throw new EngineError(
      'USAGE_INVALID',
      'no block has been followed yet: give --birthday HEIGHT, or --node to ask for the tip',
    )
  await host.engine.sync()
}
