import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import type { Column } from '../view/table.ts'
import { readChoice, readNumber } from './arguments.ts'
import type {
  AddressJson,
  BalanceJson,
  GapsJson,
  PaymentJson,
  TransactionJson,
  WalletJson,
} from './client/answers.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findWallet, listWallets } from './find.ts'
import { paymentObject } from './order-output.ts'
import { PAYMENT_COLUMNS } from './payments.ts'
import { addWalletFiles } from './wallet-files.ts'
import { addRegister } from './wallet-register.ts'
import { addRescan } from './wallet-rescan.ts'

/** `kaccy wallet …` */
export function addWallet(program: Command, bind: Bind): void {
  const wallet = program.command('wallet').description('public keys that are watched')
  addRegister(wallet, bind)
  const list = addClientFlags(wallet.command('list')).description('all wallets')
  bind(examples(list, ['kaccy wallet list', 'kaccy wallet list --json']), (context) =>
    context.withClient(async (client) => {
      context.list(await listWallets(client), WALLET_COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
  const show = addClientFlags(wallet.command('show [wallet]')).description(
    'keys, balance, and how far other wallets see',
  )
  bind(examples(show, ['kaccy wallet show', 'kaccy wallet show shop --json']), runShow)
  addContents(wallet, bind)
  addRescan(wallet, bind)
  addChanges(wallet, bind)
  addWalletFiles(wallet, bind)
}

const WALLET_COLUMNS: readonly Column<WalletJson>[] = [
  { title: 'id', cell: (row) => row.id },
  { title: 'name', cell: (row) => row.name },
  { title: 'status', cell: (row) => row.status },
  { title: 'birthday', align: 'right', cell: (row) => `${row.birthday}` },
  { title: 'rescan', cell: (row) => (row.rescan ? `from ${row.rescan.next_height}` : '') },
]

function addChanges(wallet: Command, bind: Bind): void {
  const rename = addClientFlags(wallet.command('rename <wallet> <name>')).description(
    'give it another name',
  )
  bind(examples(rename, ["kaccy wallet rename shop 'old shop'"]), (context, [word, name = '']) =>
    context.withClient(async (client) => {
      const { id } = await findWallet(client, word)
      showChanged(context, await client.patch<WalletJson>(`/v1/wallets/${id}`, { name }))
      return EXIT.ok
    }),
  )
  const retire = addClientFlags(wallet.command('retire <wallet>')).description(
    'hand out no address any more; it stays watched for ever',
  )
  bind(examples(retire, ["kaccy wallet retire 'old shop'"]), (context, [word]) =>
    context.withClient(async (client) => {
      const { id } = await findWallet(client, word)
      showChanged(context, await client.post<WalletJson>(`/v1/wallets/${id}/retire`))
      return EXIT.ok
    }),
  )
}

const showChanged = (context: Context, wallet: WalletJson): void =>
  context.facts(
    [
      ['wallet', wallet.id],
      ['name', wallet.name],
      ['status', wallet.status],
    ],
    wallet,
  )

type Gap = GapsJson['branches'][number]
const gapText = (gap: Gap): string =>
  `${gap.level}: ${gap.unused} of ${gap.limit} unused in a row, next index ${gap.next_index}`

async function runShow(context: Context, [word]: readonly string[]) {
  return context.withClient(async (client) => {
    const wallet = await findWallet(client, word)
    const path = `/v1/wallets/${wallet.id}`
    const { wallet: _, ...balance } = await client.get<BalanceJson>(`${path}/balance`)
    const { branches } = await client.get<GapsJson>(`${path}/gaps`)
    const { rescan } = wallet
    context.facts(
      [
        ['wallet', wallet.id],
        ['name', wallet.name],
        ['status', wallet.status],
        ['descriptor', wallet.descriptor],
        ['birthday', `${wallet.birthday}`],
        ['rescan', rescan ? `at ${rescan.next_height} of ${rescan.to_height}` : 'none'],
        ['confirmed', satText(balance.confirmed_sat)],
        ['pending', satText(balance.pending_sat)],
        ['spendable', satText(balance.spendable_sat)],
        ['unassigned', satText(balance.unassigned_sat)],
        ...branches.map((gap): [string, string] => [`gap ${gap.branch}`, gapText(gap)]),
      ],
      { ...wallet, balance, gaps: branches },
    )
    return EXIT.ok
  })
}

const STATES = ['revealed', 'free', 'watched'] as const
const ADDRESS_COLUMNS: readonly Column<AddressJson>[] = [
  { title: 'path', cell: (row) => `${row.branch}/${row.index}` },
  { title: 'address', cell: (row) => row.address },
  { title: 'order', cell: (row) => row.order ?? '' },
  { title: 'used', cell: (row) => (row.first_used_at === null ? '' : 'yes') },
  { title: 'label', cell: (row) => row.label ?? '' },
]
const TRANSACTION_COLUMNS: readonly Column<TransactionJson>[] = [
  { title: 'transaction', cell: (row) => row.txid },
  { title: 'first seen', cell: (row) => row.first_seen_at.slice(0, 19) },
  { title: 'confirmations', align: 'right', cell: (row) => `${row.confirmations}` },
  {
    title: 'net',
    align: 'right',
    cell: ({ net_sat: net }) => (net < 0 ? `-${satText(-net)}` : satText(net)),
  },
  { title: 'state', cell: (row) => row.gone?.reason ?? row.state },
]

/** One list of what a wallet holds: a page at a time from the API, a table in one piece here. */
interface Contents<Row> {
  readonly name: string
  readonly about: string
  readonly limit: string
  readonly columns: readonly Column<Row>[]
  readonly shown: (row: Row) => object
}

function addContents(wallet: Command, bind: Bind): void {
  const addresses = addList<AddressJson>(wallet, bind, {
    name: 'addresses',
    about: 'addresses that were handed out',
    limit: '100',
    columns: ADDRESS_COLUMNS,
    shown: (row) => row,
  }).option('--state <state>', STATES.join(', '), 'revealed')
  examples(addresses, ['kaccy wallet addresses shop', 'kaccy wallet addresses --state free'])
  const coins = addList<PaymentJson>(wallet, bind, {
    name: 'coins',
    about: 'unspent payments, newest first',
    limit: '20',
    columns: PAYMENT_COLUMNS,
    shown: paymentObject,
  })
  examples(coins, ['kaccy wallet coins shop'])
  const transactions = addList<TransactionJson>(wallet, bind, {
    name: 'transactions',
    about: 'what paid the wallet or spent of it, newest first',
    limit: '20',
    columns: TRANSACTION_COLUMNS,
    shown: (row) => row,
  })
  examples(transactions, ['kaccy wallet transactions shop --limit 5'])
}

function addList<Row>(wallet: Command, bind: Bind, contents: Contents<Row>): Command {
  const { name, about, limit, columns, shown } = contents
  const command = addClientFlags(wallet.command(`${name} [wallet]`))
    .description(about)
    .option('--limit <n>', 'at most this many', limit)
  return bind(command, (context, [word]) =>
    context.withClient(async (client) => {
      const most = readNumber(context.text('limit') ?? limit, '--limit', 1, 100_000)
      const text = context.text('state')
      const state = text === undefined ? {} : { state: readChoice(text, STATES, '--state') }
      const { id } = await findWallet(client, word)
      const rows = await client.list<Row>(`/v1/wallets/${id}/${name}`, state, most)
      context.list(rows, columns, shown)
      return EXIT.ok
    }),
  )
}

/** @throws EngineError USAGE_INVALID: what only a process beside the database can do */
export const needsDatabase = (what: string): EngineError =>
  new EngineError('USAGE_INVALID', `${what} works on the database itself: give --database`)
