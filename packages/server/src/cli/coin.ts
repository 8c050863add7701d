import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import type { Column } from '../view/table.ts'
import { readNumber } from './arguments.ts'
import type { CoinJson, FrozenJson } from './client/answers.ts'
import { addClientFlags, type Bind, examples } from './context.ts'
import { findWallet, findWalletId } from './find.ts'

export const COIN_COLUMNS: readonly Column<CoinJson>[] = [
  { title: 'coin', cell: (row) => row.id },
  { title: 'amount', align: 'right', cell: (row) => satText(row.amount_sat) },
  { title: 'status', cell: (row) => row.status },
  { title: 'spend', cell: (row) => row.held_by ?? '' },
  { title: 'frozen', cell: (row) => row.frozen?.reason ?? '', meaning: () => 'bad' },
]
const FROZEN_COLUMNS: readonly Column<FrozenJson['coins'][number]>[] = [
  { title: 'coin', cell: (row) => row.id },
  { title: 'reason', cell: (row) => row.reason },
  { title: 'by', cell: (row) => row.by },
]

/** `kaccy coin …` */
export function addCoin(program: Command, bind: Bind): void {
  const coin = program.command('coin').description('what payouts are paid with')
  const list = addClientFlags(coin.command('list [wallet]'))
    .description('unspent payments, and what keeps them from being spent')
    .option('--limit <n>', 'at most this many', '20')
  bind(examples(list, ['kaccy coin list', 'kaccy coin list shop --json']), (context, [word]) =>
    context.withClient(async (client) => {
      const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
      const { id } = await findWallet(client, word)
      const rows = await client.list<CoinJson>(`/v1/wallets/${id}/coins`, {}, limit)
      context.list(rows, COIN_COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
  const freeze = addClientFlags(coin.command('freeze <coin...>'))
    .description('keep coins out of every payout, by the ids of their payments')
    .requiredOption('--reason <text>', 'why: it stands in the audit trail')
    .option('--wallet <id|name>', 'whose they are (default: the only wallet)')
  examples(freeze, ["kaccy coin freeze pay_…_0 --reason 'sanctions check'"])
  const unfreeze = addClientFlags(coin.command('unfreeze <coin...>'))
    .description('let frozen coins be spent again')
    .option('--wallet <id|name>', 'whose they are (default: the only wallet)')
  examples(unfreeze, ['kaccy coin unfreeze pay_…_0'])
  for (const [command, verb] of [
    [freeze, 'freeze'],
    [unfreeze, 'unfreeze'],
  ] as const)
    bind(command, (context, coins) =>
      context.withClient(async (client) => {
        const wallet = await findWalletId(client, context.text('wallet'))
        const body = { coins, reason: context.text('reason') }
        const path = `/v1/wallets/${wallet}/coins/${verb}`
        const done = await client.post<FrozenJson>(path, { body })
        context.list(done.coins, FROZEN_COLUMNS, (row) => row)
        return EXIT.ok
      }),
    )
}
