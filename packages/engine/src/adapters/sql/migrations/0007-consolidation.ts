import type { Migration } from './migration.ts'

/** Runs that put coins of a wallet together. Column meanings: `docs/schema.md`. */
export const consolidation: Migration = {
  version: 7,
  name: 'consolidation',
  statements: ({ text, int, bytes, table }) => [
    table('consolidations', [
      `id ${text} primary key`,
      `wallet ${text} not null`,
      `status ${text} not null`,
      `cause ${text} not null`,
      `kind ${text} not null`,
      `scripts ${int} not null`,
      `inputs ${int} not null`,
      `coins ${int} not null`,
      `amount ${int} not null`,
      `fee ${int} not null`,
      `rate ${int} not null`,
      `long_term_rate ${int} not null`,
      `saving ${int} not null`,
      `break_even_rate ${int} not null`,
      `spend ${text} not null`,
      `txid ${bytes}`,
      `reached_at ${text} not null`,
      `created_by ${text} not null`,
      `created_at ${int} not null`,
      `updated_at ${int} not null`,
    ]),
    'create unique index consolidations_spend on consolidations (spend)',
    'create index consolidations_wallet on consolidations (wallet, id)',
    'create index consolidations_wallet_status on consolidations (wallet, status, id)',
    'create index consolidations_status on consolidations (status, id)',
  ],
}
