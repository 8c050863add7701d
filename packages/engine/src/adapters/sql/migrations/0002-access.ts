import type { Migration } from './migration.ts'

/** API keys, kept answers, and the request that an event came from. Column meanings: `docs/schema.md`. */
export const access: Migration = {
  version: 2,
  name: 'access',
  statements: ({ text, int, bytes, table }) => [
    `alter table events add column origin ${text}`,
    table('api_keys', [
      `id ${text} primary key`,
      `name ${text} not null`,
      `mode ${text} not null`,
      `scopes ${text} not null`,
      `wallets ${text}`,
      `addresses ${text}`,
      `metadata ${text} not null`,
      `hint ${text} not null`,
      `hash ${bytes} not null unique`,
      `created_at ${int} not null`,
      `created_by ${text} not null`,
      `expires_at ${int}`,
      `revoked_at ${int}`,
      `last_used_at ${int}`,
      `last_used_from ${text}`,
      `admin_until ${int}`,
    ]),
    'create index api_keys_admin on api_keys (admin_until) where admin_until is not null',
    table('request_answers', [
      `scope ${text} not null`,
      `key ${text} not null`,
      `digest ${bytes} not null`,
      `status ${int} not null`,
      `body ${text} not null`,
      `at ${int} not null`,
      'primary key (scope, key)',
    ]),
    'create index request_answers_at on request_answers (at, scope, key)',
  ],
}
