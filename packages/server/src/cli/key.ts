import type { Command } from 'commander'
import { orThrow } from '../failure.ts'
import { EXIT } from '../shell.ts'
import type { Column } from '../view/table.ts'
import { listOf, readDuration, readNumber } from './arguments.ts'
import type { CreatedKeyJson, KeyJson } from './client/answers.ts'
import type { ApiClient } from './client/client.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findWalletId } from './find.ts'
import { needsDatabase } from './wallet.ts'

/** `kaccy key …` */
export function addKey(program: Command, bind: Bind): void {
  const key = program.command('key').description('API keys: who may call, and what for')
  const create = addClientFlags(key.command('create'))
    .description('a new key; the token is shown once and kept nowhere')
    .requiredOption(
      '--scopes <scopes>',
      'what it may do, with commas: orders:read,orders:write; admin is all',
    )
    .option('--name <name>', 'for people', 'key')
    .option('--wallet <id|name...>', 'limits it to these wallets')
    .option('--address <range...>', 'limits it to these addresses: 192.0.2.0/24')
    .option('--expires-in <duration>', '7d, 90d (default: never)')
    .option('--token-only', 'print the token and nothing else, for a pipe into a file')
    .option('--idempotency-key <key>', 'sent twice, done once')
  examples(create, [
    'kaccy key create --name first --scopes admin',
    'kaccy key create --name shop --scopes orders:read,orders:write --wallet shop --expires-in 90d',
    'kaccy key create --scopes events:read,orders:read --token-only > shop.key',
  ])
  bind(create, runCreate)
  const list = addClientFlags(key.command('list'))
    .description('newest first, also those that have ended')
    .option('--limit <n>', 'at most this many', '20')
  bind(examples(list, ['kaccy key list']), (context) =>
    context.withClient(async (client) => {
      const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
      context.list(await client.list<KeyJson>('/v1/keys', {}, limit), COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
  const show = addClientFlags(key.command('show <key>')).description('limits and last use')
  bind(examples(show, ['kaccy key show key_…']), (context, [id = '']) =>
    context.withClient(async (client) => {
      showKey(context, await client.get<KeyJson>(pathOf(id)))
      return EXIT.ok
    }),
  )
  const revoke = addClientFlags(key.command('revoke <key>'))
    .description('end a key for ever, from now on and everywhere')
    .option('--force', 'also the last key that may do everything')
    .option('--yes', 'do not ask')
  bind(examples(revoke, ['kaccy key revoke key_… --yes']), runRevoke)
}

const pathOf = (id: string): string => `/v1/keys/${encodeURIComponent(id)}`

/** `active`, or why it is not. */
function stateOf({ revoked_at: revoked, expires_at: expires }: KeyJson): string {
  if (revoked !== null) return 'revoked'
  if (expires === null) return 'active'
  return `until ${expires.slice(0, 10)}`
}

const COLUMNS: readonly Column<KeyJson>[] = [
  { title: 'key', cell: (row) => row.id },
  { title: 'name', cell: (row) => row.name },
  { title: 'ends in', cell: (row) => `…${row.hint}` },
  { title: 'state', cell: stateOf, meaning: (row) => (row.revoked_at === null ? 'good' : 'quiet') },
  { title: 'last used', cell: (row) => row.last_used_at?.slice(0, 16) ?? 'never' },
  { title: 'scopes', cell: (row) => row.scopes.join(',') },
]

const factsOf = (key: KeyJson): [string, string][] => [
  ['key', key.id],
  ['name', key.name],
  ['scopes', key.scopes.join(', ')],
  ['wallets', key.wallets?.join(', ') ?? 'all'],
  ['addresses', key.addresses?.join(', ') ?? 'all'],
  ['state', stateOf(key)],
]

const showKey = (context: Context, key: KeyJson): void =>
  context.facts(
    [
      ...factsOf(key),
      ['token', `kc_${key.mode}_…${key.hint}`],
      ['made', `${key.created_at} by ${key.created_by}`],
      [
        'last used',
        key.last_used_at === null
          ? 'never'
          : `${key.last_used_at} from ${key.last_used_from ?? '?'}`,
      ],
    ],
    key,
  )

async function runCreate(context: Context) {
  const expiresIn = context.text('expiresIn')
  const wallets = context.texts('wallet')
  const body = async (client: ApiClient) => ({
    name: context.text('name') ?? 'key',
    scopes: listOf(context.text('scopes') ?? ''),
    wallets:
      wallets && (await Promise.all(wallets.map(async (word) => await findWalletId(client, word)))),
    addresses: context.texts('address'),
    expires_at:
      expiresIn === undefined
        ? undefined
        : new Date(context.now() + readDuration(expiresIn, '--expires-in')).toISOString(),
  })
  return context.withClient(
    async (client) => {
      const { made } = await client.create<CreatedKeyJson>('/v1/keys', {
        body: await body(client),
        idempotencyKey: context.text('idempotencyKey'),
      })
      const token = made.token ?? 'was shown when the key was made, and is kept nowhere'
      if (context.options['tokenOnly'] === true && !context.json) context.line(made.token ?? '')
      else context.facts([...factsOf(made), ['token', token]], made)
      return EXIT.ok
    },
    { mayCreate: true },
  )
}

async function runRevoke(context: Context, [id = '']: readonly string[]) {
  await context.confirm(`End ${id} for ever? Who uses it is locked out at once.`)
  return context.withClient(async (client) => {
    if (context.options['force'] !== true) {
      showKey(context, await client.post<KeyJson>(`${pathOf(id)}/revoke`))
      return EXIT.ok
    }
    // Nobody who comes by the API may lock everybody out; who has the database can make another key.
    const { host } = client
    if (!host) throw needsDatabase('--force')
    orThrow(await host.engine.access.revoke(id, host.actor, { force: true }))
    showKey(context, await client.get<KeyJson>(pathOf(id)))
    return EXIT.ok
  })
}
