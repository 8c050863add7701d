import { first } from './0001-first.ts'
import { access } from './0002-access.ts'
import { webhooks } from './0003-webhooks.ts'
import { queries } from './0004-queries.ts'
import { payouts } from './0005-payouts.ts'
import { policy } from './0006-policy.ts'
import { consolidation } from './0007-consolidation.ts'
import type { Migration } from './migration.ts'

export type { Migration, Words } from './migration.ts'

/** Every step, in order, for both databases. */
export const MIGRATIONS: readonly Migration[] = [
  first,
  access,
  webhooks,
  queries,
  payouts,
  policy,
  consolidation,
]

/** The version that this code reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length
