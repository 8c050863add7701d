import type { Migration, Words } from './migration.ts'

/** Policies, approvals, limits, risk, and the day sums of withdrawals. Column meanings: `docs/schema.md`. */
export const policy: Migration = {
  version: 6,
  name: 'policy',
  statements: (words) => [...policies(words), ...limits(words), ...days(words)],
}

const policies = ({ text, int, bytes, table }: Words) => [
  table('policy_head', [
    `id ${int} primary key`,
    `enabled ${int} not null`,
    `digest ${bytes}`,
    `versions ${int} not null`,
    `moves ${int} not null`,
  ]),
  'insert into policy_head (id, enabled, versions, moves) values (1, 0, 0, 0)',
  table('policies', [
    `version ${int} primary key`,
    `status ${text} not null`,
    `name ${text} not null`,
    `document ${text} not null`,
    `digest ${bytes} not null`,
    `created_at ${int} not null`,
    `created_by ${text} not null`,
    `tested_at ${int}`,
    `tested_by ${text}`,
    `enabled_at ${int}`,
    `enabled_by ${text}`,
    `retired_at ${int}`,
  ]),
  table('policy_decisions', [
    `withdrawal ${text} primary key`,
    `number ${int} not null`,
    `at ${int} not null`,
    `state ${text} not null`,
    `subject ${text} not null`,
    `facts ${text} not null`,
    `verdict ${text} not null`,
  ]),
  'create unique index policy_decisions_number on policy_decisions (number)',
  'create index policy_decisions_at on policy_decisions (at, number)',
  table('policy_moves', [
    `number ${int} primary key`,
    `at ${int} not null`,
    `kind ${text} not null`,
    `withdrawal ${text} not null`,
  ]),
  'create index policy_moves_at on policy_moves (at, number)',
  table('approval_tasks', [
    `kind ${text} not null`,
    `id ${text} not null`,
    `hash ${bytes} not null`,
    `requirements ${text} not null`,
    `initiators ${text} not null`,
    `at ${int} not null`,
    'primary key (kind, id)',
  ]),
  table('approvals', [
    `kind ${text} not null`,
    `id ${text} not null`,
    `actor ${text} not null`,
    `hash ${bytes} not null`,
    `at ${int} not null`,
    'primary key (kind, id, actor)',
  ]),
  'create index approvals_given on approvals (kind, id, at, actor)',
]

const limits = ({ text, int, bytes, table }: Words) => [
  table('limit_entries', [
    `withdrawal ${text} not null`,
    `subject ${text} not null`,
    `at ${int} not null`,
    `amount ${int} not null`,
    'primary key (withdrawal, subject)',
  ]),
  'create index limit_entries_subject on limit_entries (subject, at, amount)',
  'create index limit_entries_at on limit_entries (at, withdrawal, subject)',
  table('limit_sums', [
    `subject ${text} not null`,
    `level ${int} not null`,
    `start ${int} not null`,
    `amount ${int} not null`,
    `count ${int} not null`,
    'primary key (subject, level, start)',
  ]),
  'create index limit_sums_start on limit_sums (start, subject, level)',
  table('risk_profiles', [
    `subject ${text} primary key`,
    `recent ${text} not null`,
    `paid ${int} not null`,
    `total ${int} not null`,
    `largest ${int} not null`,
    `first_paid_at ${int}`,
    `hours ${text} not null`,
  ]),
  table('risk_paid', [
    `subject ${text} not null`,
    `script ${bytes} not null`,
    `count ${int} not null`,
    'primary key (subject, script)',
  ]),
]

const days = ({ text, int, table }: Words) => [
  table('withdrawal_days', [
    `day ${text} not null`,
    `wallet ${text} not null`,
    `customer ${text} not null`,
    `requested ${int} not null`,
    `requested_sat ${int} not null`,
    `settled ${int} not null`,
    `settled_sat ${int} not null`,
    `reversed ${int} not null`,
    `reversed_sat ${int} not null`,
    `fees_sat ${int} not null`,
    `confirmed ${int} not null`,
    `confirm_ms ${int} not null`,
    'primary key (day, wallet, customer)',
  ]),
  'create index withdrawal_days_wallet on withdrawal_days (wallet, day, customer)',
  'create index withdrawal_days_customer on withdrawal_days (customer, day, wallet)',
]
