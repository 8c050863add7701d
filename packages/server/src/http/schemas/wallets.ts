import { type Static, Type } from 'typebox'
import { Block } from './payments.ts'
import {
  after,
  Id,
  Limit,
  listOf,
  named,
  nullable,
  object,
  SatoshiOut,
  SatoshiSum,
  Timestamp,
  words,
} from './basics.ts'

const NETWORKS = ['main', 'test', 'testnet4', 'signet', 'regtest'] as const
const SCRIPT_TYPES = ['p2pkh', 'p2sh-p2wpkh', 'p2wpkh', 'p2tr'] as const
export const ADDRESS_STATES = ['revealed', 'free', 'watched'] as const
const Height = (description: string) =>
  Type.Integer({ minimum: 0, maximum: 0xffff_ffff, description })

/** Body of `POST /v1/wallets`. */
export const WalletRequest = object(
  {
    name: Type.String({ description: 'For people' }),
    descriptor: Type.Optional(
      Type.String({
        maxLength: 20_000,
        description: 'Output descriptor with a range, public keys only',
      }),
    ),
    xpub: Type.Optional(
      Type.String({
        maxLength: 1_000,
        description: 'Instead of a descriptor: xpub, ypub, zpub, tpub, upub or vpub of an account',
      }),
    ),
    script_type: Type.Optional(
      words(SCRIPT_TYPES, 'With an xpub or tpub, which do not say which addresses they make'),
    ),
    origin: Type.Optional(
      Type.String({ maxLength: 500, description: 'With an xpub: `[d34db33f/84h/0h/0h]`' }),
    ),
    any_depth: Type.Optional(
      Type.Boolean({ description: 'Takes an xpub that is not at the depth of an account' }),
    ),
    network: Type.Optional(
      words(NETWORKS, 'Must be the network of this server: stops who thinks of another one'),
    ),
    gap_limit: Type.Optional(
      Type.Integer({
        description: 'Unused addresses in a row that other wallets look ahead; default 20',
      }),
    ),
    lookahead: Type.Optional(
      Type.Integer({
        description: 'Addresses that are watched beyond the last one handed out; default 1000',
      }),
    ),
    birthday: Type.Optional(
      Height('Block height below which nothing was paid to these keys; default: the tip'),
    ),
  },
  {
    examples: [
      {
        name: 'shop',
        xpub: 'vpub5Y6cjg78GGuNLsaPhmYsiw4gYX3HoQiRBiSwDaBXKUafCt9bNwWQiitDk5VZ5BVxYnQdwoTyXSs2JHRPAgjAvtbBrf8ZhDYe2jWAqvZVnsc',
        gap_limit: 100,
      },
    ],
  },
)
export type WalletRequestBody = Static<typeof WalletRequest>

export const WalletSchema = named(
  'Wallet',
  object(
    {
      id: Id('wal', 'Id of the wallet'),
      name: Type.String(),
      network: words(NETWORKS),
      descriptor: Type.String({ description: 'Its public keys, in canonical form with checksum' }),
      status: words(['active', 'retired'], 'Retired: reveals no address, stays watched for ever'),
      gap_limit: Type.Integer(),
      lookahead: Type.Integer(),
      birthday: Type.Integer(),
      rescan: nullable(
        object(
          {
            from_height: Type.Integer(),
            next_height: Type.Integer({ description: 'The next block to be read' }),
            to_height: Type.Integer(),
          },
          { description: 'Present while older blocks are read for it' },
        ),
      ),
      created_at: Timestamp('When it was registered'),
    },
    {
      description: 'A set of public keys that is watched',
      examples: [
        {
          id: 'wal_019a0a4c2e7f7d1c9b1e2f3a4b5c6d7e',
          name: 'shop',
          network: 'regtest',
          descriptor:
            'wpkh(tpubDCkv2fHDfPg5hB6bFqJ4fNiins2Z8r5vKtD4xq5irCG2HsUXkgHYsj3gfGTdvAv41hoJeXjfxu7EBQqZMm6SVkxKtKFtaaE7HuLdkuL7KNq/<0;1>/*)#6q0rvzrp',
          status: 'active',
          gap_limit: 20,
          lookahead: 1000,
          birthday: 840_000,
          rescan: { from_height: 840_000, next_height: 850_000, to_height: 860_000 },
          created_at: '2026-06-01T12:00:00.000Z',
        },
      ],
    },
  ),
)
export type WalletJson = Static<typeof WalletSchema>
export const WalletList = listOf(WalletSchema)
export const WalletPath = object({ wallet: Id('wal', 'Id of the wallet') })
export const WalletQuery = object({
  limit: Limit,
  after: after('^wal_[\\w-]{1,160}$'),
  status: Type.Optional(words(['active', 'retired'])),
})

/** Body of `PATCH /v1/wallets/{id}`. */
export const WalletChange = object({ name: Type.String({ description: 'Another name' }) })
/** Body of `POST /v1/wallets/{id}/rescan`. */
export const RescanRequest = object({ from_height: Height('The first block to read again') })

export const BalanceSchema = named(
  'Balance',
  object(
    {
      wallet: Id('wal', 'Of this wallet'),
      confirmed_sat: SatoshiOut('Coins deep enough to be credited'),
      pending_sat: SatoshiOut('Seen, not deep enough yet; not part of confirmed_sat'),
      reserved_sat: SatoshiOut(
        'The part of confirmed_sat that cannot be had: being spent, leased to a payout, frozen, or promised to requests, less the own change that may be spent in its place',
      ),
      spendable_sat: SatoshiOut('What a new payout can have: confirmed_sat less reserved_sat'),
      unassigned_sat: SatoshiOut('The part of confirmed_sat that came without an order to take it'),
    },
    {
      examples: [
        {
          wallet: 'wal_019a0a4c2e7f7d1c9b1e2f3a4b5c6d7e',
          confirmed_sat: 150_000,
          pending_sat: 0,
          reserved_sat: 0,
          spendable_sat: 150_000,
          unassigned_sat: 0,
        },
      ],
    },
  ),
)
export type BalanceJson = Static<typeof BalanceSchema>

export const AddressSchema = named(
  'Address',
  object({
    branch: Type.Integer({ description: '0 receives, 1 takes change' }),
    index: Type.Integer(),
    address: Type.String(),
    state: words(
      ADDRESS_STATES,
      'revealed: handed out; free: was reserved and never shown; watched: nobody has it',
    ),
    order: nullable(Id('ord', 'The one order that owns it')),
    label: nullable(Type.String()),
    revealed_at: nullable(Timestamp('When it was handed out')),
    first_used_at: nullable(Timestamp('When it was paid first')),
  }),
)
export type AddressJson = Static<typeof AddressSchema>
export const AddressList = listOf(AddressSchema)
export const AddressQuery = object({
  limit: Limit,
  after: after('^\\d{1,10}\\.\\d{1,10}$'),
  state: Type.Optional(words(ADDRESS_STATES, 'Default: revealed')),
  branch: Type.Optional(Type.Integer({ minimum: 0, maximum: 0x7fff_ffff })),
})
export const AddressPath = object({
  wallet: Id('wal', 'Id of the wallet'),
  branch: Type.Integer({ minimum: 0, maximum: 0x7fff_ffff }),
  index: Type.Integer({ minimum: 0, maximum: 0x7fff_ffff }),
})
/** Body of `PATCH /v1/wallets/{id}/addresses/{branch}/{index}`. */
export const AddressChange = object({
  label: Type.String({ maxLength: 1_000, description: 'An empty text takes the label away' }),
})

export const CoinQuery = object({
  limit: Limit,
  after: after('^\\d{1,15}\\.pay_[0-9a-f]{64}_\\d{1,10}$'),
})

export const TransactionSchema = named(
  'Transaction',
  object(
    {
      txid: Type.String(),
      state: words(['mempool', 'mined', 'gone']),
      confirmations: Type.Integer({ description: '0 in the mempool, and when it is gone' }),
      block: nullable(Block),
      gone: nullable(
        object({
          reason: words(['replaced', 'conflicted', 'evicted']),
          by: nullable(Type.String()),
        }),
      ),
      received_sat: SatoshiOut('What it pays to the wallet'),
      sent_sat: SatoshiOut('Coins of the wallet that it spends'),
      net_sat: SatoshiSum('received_sat less sent_sat: below zero when money left'),
      payments: Type.Array(Type.String(), { description: 'Ids of its payments to the wallet' }),
      spent: Type.Array(Type.String(), { description: 'Ids of the payments that it spends' }),
      vsize: Type.Integer(),
      fee_rate_sat_kvb: nullable(
        Type.Integer({ description: 'Satoshi for 1000 vbytes; 1 sat/vB is 1000' }),
      ),
      first_seen_at: Timestamp('When it was first seen'),
    },
    { description: 'A transaction as one wallet sees it' },
  ),
)
export type TransactionJson = Static<typeof TransactionSchema>
export const TransactionList = listOf(TransactionSchema)
export const TransactionQuery = object({ limit: Limit, after: after('^\\d{1,15}\\.[0-9a-f]{64}$') })

export const GapsSchema = named(
  'Gaps',
  object(
    {
      wallet: Id('wal', 'Of this wallet'),
      branches: Type.Array(
        object({
          branch: Type.Integer(),
          level: words(['ok', 'near', 'limit', 'exceeded']),
          limit: Type.Integer({
            description: 'How many unused addresses in a row other wallets look ahead',
          }),
          unused: Type.Integer({ description: 'How many are unused in a row' }),
          remaining: Type.Integer({ description: 'How many more may be handed out' }),
          reach: Type.Integer({
            description: 'Highest used index that other wallets find; -1: none',
          }),
          last_used: Type.Integer({ description: 'Highest used index; -1: none' }),
          next_index: Type.Integer(),
        }),
      ),
    },
    { description: 'How far another wallet with the same keys sees' },
  ),
)
export type GapsJson = Static<typeof GapsSchema>

/** Body of `POST /v1/wallets/{id}/labels`. */
export const LabelsRequest = object({
  labels: Type.String({ description: 'A label file: one JSON object a line (BIP 329)' }),
})
export const LabelsSchema = named(
  'LabelImport',
  object({
    imported: Type.Integer(),
    skipped: Type.Array(object({ line: Type.Integer(), reason: Type.String() }), {
      description: 'Lines that were left out, and why',
    }),
  }),
)
/** Body of `POST /v1/wallets/restore`. */
export const RestoreRequest = object({
  recovery: Type.String({ description: 'The text of a recovery file' }),
})
