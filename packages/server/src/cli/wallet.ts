import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { asError, EngineError, refuse } from '@kaccy/bitcoin/kernel'
import type { AddressRecord, GapReport, WalletRecord } from '@kaccy/bitcoin/wallet'
import type { Command } from 'commander'
import { orThrow } from '../failure.ts'
import type { Host } from '../host/host.ts'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import { readChoice, readNumber } from './arguments.ts'
import { addConfigFlags, addNodeFlags, type Bind, type Context } from './context.ts'
import { writableOrThrow } from './output.ts'
import { withProgress } from './progress.ts'
import { addKeyFlags, keysOf } from './watch.ts'

/** Finds a wallet by id or by name; without a word the only one there is. @throws EngineError WALLET_NOT_FOUND, USAGE_INVALID */
export async function findWallet(host: Host, word: string | undefined): Promise<WalletRecord> {
  const wallets = await host.engine.wallets.wallets()
  const named = wallets.filter(({ id, name }) => word === undefined || id === word || name === word)
  const [found, second] = named
  if (found && !second) return found
  if (found)
    throw new EngineError(
      'USAGE_INVALID',
      `several wallets fit: name one by its id (${named.map(({ id }) => id).join(', ')})`,
    )
  const message = word === undefined ? 'no wallet is registered' : `no wallet ${word}`
  throw asError(refuse('WALLET_NOT_FOUND', message, { param: 'wallet' }).error)
}

const time = (at: number): string => new Date(at).toISOString()

export const walletJson = (wallet: WalletRecord) => ({
  id: wallet.id,
  name: wallet.name,
  network: wallet.network,
  descriptor: wallet.descriptor,
  status: wallet.status,
  gap_limit: wallet.gapLimit,
  lookahead: wallet.lookahead,
  birthday: wallet.birthday,
  rescan: wallet.rescan ?? null,
  created_at: time(wallet.createdAt),
})

/** `kaccy wallet …` */
export function addWallet(program: Command, bind: Bind): void {
  const wallet = program.command('wallet').description('public keys that are watched')
  const register = addKeyFlags(addNodeFlags(wallet.command('register')))
  bind(register.description('watch an xpub or a descriptor'), runRegister)
  bind(addConfigFlags(wallet.command('list')).description('all wallets'), (context) =>
    context.withHost('database', async ({ engine }) => {
      const columns = [
        { title: 'id', cell: (row: WalletRecord) => row.id },
        { title: 'name', cell: (row: WalletRecord) => row.name },
        { title: 'status', cell: (row: WalletRecord) => row.status },
        { title: 'birthday', align: 'right', cell: (row: WalletRecord) => `${row.birthday}` },
        {
          title: 'rescan',
          cell: (row: WalletRecord) => (row.rescan ? `from ${row.rescan.next}` : ''),
        },
      ] as const
      context.list(await engine.wallets.wallets(), columns, walletJson)
      return EXIT.ok
    }),
  )
  bind(
    addConfigFlags(wallet.command('show [wallet]')).description(
      'keys, balance, and how far other wallets see',
    ),
    runShow,
  )
  const addresses = addConfigFlags(wallet.command('addresses [wallet]'))
    .description('addresses that were handed out')
    .option('--state <state>', 'revealed, free or watched', 'revealed')
    .option('--limit <n>', 'at most this many', '100')
  bind(addresses, runAddresses)
  const rescan = addNodeFlags(wallet.command('rescan [wallet]'))
    .description('read blocks again from a height on')
    .requiredOption('--from <height>', 'the first block to read')
    .option('--later', 'leave the reading to the running process')
  bind(rescan, runRescan)
  const change = (name: string, about: string) =>
    addConfigFlags(wallet.command(name)).description(about)
  bind(change('rename <wallet> <name>', 'give it another name'), (context, [word, name = '']) =>
    context.withHost('database', async (host) => {
      const { id } = await findWallet(host, word)
      showChanged(context, orThrow(await host.engine.wallets.rename(id, name, host.actor)))
      return EXIT.ok
    }),
  )
  bind(
    change('retire <wallet>', 'hand out no address any more; it stays watched for ever'),
    (context, [word]) =>
      context.withHost('database', async (host) => {
        const { id } = await findWallet(host, word)
        showChanged(context, orThrow(await host.engine.wallets.retire(id, host.actor)))
        return EXIT.ok
      }),
  )
  addFiles(wallet, bind)
}

const showChanged = (context: Context, wallet: WalletRecord): void =>
  context.facts(
    [
      ['wallet', wallet.id],
      ['name', wallet.name],
      ['status', wallet.status],
    ],
    walletJson(wallet),
  )

async function runRegister(context: Context) {
  const keys = keysOf(context)
  if (!keys) throw new EngineError('USAGE_INVALID', 'give --xpub or --descriptor')
  const { config } = context.load()
  const hasNode = config['node.url'] !== undefined
  const work = async ({ engine, actor }: Host) => {
    // Keys without a birthday are young as of the tip; without a tip every block since the first would be read.
    if (keys.birthday === undefined && (await engine.tip()) === undefined) {
      if (!hasNode)
        throw new EngineError(
          'USAGE_INVALID',
          'no block has been followed yet: give --birthday HEIGHT, or --node to ask for the tip',
        )
      await engine.sync()
    }
    const { wallet, created } = orThrow(await engine.wallets.register(keys, actor))
    context.facts(
      [
        ['wallet', wallet.id],
        ['name', wallet.name],
        ['descriptor', wallet.descriptor],
        ['birthday', `${wallet.birthday}`],
        ['', created ? 'registered' : 'was registered before'],
      ],
      { ...walletJson(wallet), created },
    )
    return EXIT.ok
  }
  return context.withHost(hasNode ? 'node' : 'database', work, true)
}

const gapText = (gap: GapReport): string =>
  `${gap.level}: ${gap.unused} of ${gap.limit} unused in a row, next index ${gap.nextIndex}`

async function runShow(context: Context, [word]: readonly string[]) {
  return context.withHost('database', async (host) => {
    const wallet = await findWallet(host, word)
    const balance = await host.engine.wallets.balance(wallet.id)
    const gaps = orThrow(await host.engine.wallets.gaps(wallet.id))
    context.facts(
      [
        ['wallet', wallet.id],
        ['name', wallet.name],
        ['status', wallet.status],
        ['descriptor', wallet.descriptor],
        ['birthday', `${wallet.birthday}`],
        ['rescan', wallet.rescan ? `at ${wallet.rescan.next} of ${wallet.rescan.to}` : 'none'],
        ['confirmed', satText(balance.coins)],
        ['pending', satText(balance.pending)],
        ['unassigned', satText(balance.unassigned)],
        ...gaps.map((gap): [string, string] => [`gap ${gap.branch}`, gapText(gap)]),
      ],
      {
        ...walletJson(wallet),
        balance: {
          confirmed_sat: Number(balance.coins),
          pending_sat: Number(balance.pending),
          unassigned_sat: Number(balance.unassigned),
        },
        gaps: gaps.map((gap) => ({
          branch: gap.branch,
          level: gap.level,
          limit: gap.limit,
          unused: gap.unused,
          remaining: gap.remaining,
          next_index: gap.nextIndex,
        })),
      },
    )
    return EXIT.ok
  })
}

const STATES = ['revealed', 'free', 'watched'] as const

async function runAddresses(context: Context, [word]: readonly string[]) {
  return context.withHost('database', async (host) => {
    const wallet = await findWallet(host, word)
    const state = readChoice(context.text('state') ?? 'revealed', STATES, '--state')
    const limit = readNumber(context.text('limit') ?? '100', '--limit', 1, 10_000)
    const rows = await host.engine.wallets.addresses({ wallet: wallet.id, state, limit })
    const columns = [
      { title: 'path', cell: (row: AddressRecord) => `${row.branch}/${row.index}` },
      { title: 'address', cell: (row: AddressRecord) => row.address },
      { title: 'order', cell: (row: AddressRecord) => row.order ?? '' },
      { title: 'used', cell: (row: AddressRecord) => (row.firstUsedAt ? 'yes' : '') },
      { title: 'label', cell: (row: AddressRecord) => row.label ?? '' },
    ] as const
    context.list(rows, columns, (row) => ({
      branch: row.branch,
      index: row.index,
      address: row.address,
      state: row.state,
      order: row.order ?? null,
      label: row.label ?? null,
      first_used_at: row.firstUsedAt === undefined ? null : time(row.firstUsedAt),
    }))
    return EXIT.ok
  })
}

async function runRescan(context: Context, [word]: readonly string[]) {
  const later = context.options['later'] === true
  return context.withHost(later ? 'database' : 'node', async (host) => {
    const wallet = await findWallet(host, word)
    const from = readNumber(context.text('from') ?? '', '--from', 0, 0xffff_ffff)
    // What stands behind the tip is read by following; the rescan is for what lies before it.
    if (!later) await withProgress(context, (progress) => host.engine.sync(progress))
    orThrow(await host.engine.wallets.requestRescan(wallet.id, from, host.actor))
    if (!later) await withProgress(context, (progress) => host.engine.sync(progress))
    const words = later ? 'requested: a running kaccy serve or watch will do it' : 'done'
    context.facts([['rescan', words]], { wallet: wallet.id, from, done: !later })
    return EXIT.ok
  })
}

const output = (command: Command) =>
  addConfigFlags(command).option('--output <file>', 'write there instead of standard output')

function addFiles(wallet: Command, bind: Bind): void {
  bind(
    output(wallet.command('export-recovery [wallet]')).description(
      'a file that finds all coins again; it holds no private key',
    ),
    (context, [word]) =>
      context.withHost('database', async (host) => {
        const { id } = await findWallet(host, word)
        emit(context, orThrow(await host.engine.wallets.exportRecovery(id, host.actor)))
        return EXIT.ok
      }),
  )
  bind(
    addConfigFlags(wallet.command('restore <file>')).description(
      'take up a recovery file (- for standard input)',
    ),
    (context, [file = '']) =>
      context.withHost(
        'database',
        async ({ engine, actor }) => {
          const text = await readInput(context, file)
          const { wallet: restored, created } = orThrow(
            await engine.wallets.restoreRecovery(text, actor),
          )
          context.facts(
            [
              ['wallet', restored.id],
              ['name', restored.name],
              ['', created ? 'restored' : 'was there and took up what the file knew more'],
            ],
            { ...walletJson(restored), created },
          )
          return EXIT.ok
        },
        true,
      ),
  )
  addLabels(wallet, bind)
}

function addLabels(wallet: Command, bind: Bind): void {
  const labels = wallet.command('labels').description('the address book, as BIP 329 files')
  bind(
    output(labels.command('export [wallet]')).description('write all labels'),
    (context, [word]) =>
      context.withHost('database', async (host) => {
        const { id } = await findWallet(host, word)
        emit(context, orThrow(await host.engine.wallets.exportLabels(id)))
        return EXIT.ok
      }),
  )
  bind(
    addConfigFlags(labels.command('import <file> [wallet]')).description(
      'take labels of another wallet (- for standard input)',
    ),
    (context, [file = '', word]) =>
      context.withHost('database', async (host) => {
        const { id } = await findWallet(host, word)
        const text = await readInput(context, file)
        const { imported, skipped } = orThrow(
          await host.engine.wallets.importLabels(id, text, host.actor),
        )
        context.facts(
          [
            ['imported', `${imported}`],
            ...skipped.map(({ line, reason }): [string, string] => [`line ${line}`, reason]),
          ],
          { wallet: id, imported, skipped },
        )
        return EXIT.ok
      }),
  )
}

/** Text to a file or to standard output, as it is. */
function emit(context: Context, text: string): void {
  const file = context.text('output')
  if (file === undefined) context.shell.stdout.write(text)
  else {
    const path = resolve(context.shell.folder, file)
    writableOrThrow(path)
    writeFileSync(path, text, { mode: 0o600 })
  }
}

/** @throws EngineError USAGE_INVALID when the file cannot be read */
async function readInput(context: Context, file: string): Promise<string> {
  const path = file === '-' ? file : resolve(context.shell.folder, file)
  try {
    return await context.shell.readText(path)
  } catch (error) {
    throw new EngineError('USAGE_INVALID', `${path} cannot be read`, { cause: error })
  }
}
