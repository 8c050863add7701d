import { AsyncLocalStorage } from 'node:async_hooks'
import type { AccessRows } from '../../capabilities/access/index.ts'
import type { AlertRows } from '../../capabilities/alerts/index.ts'
import type { AuditRows } from '../../capabilities/audit/index.ts'
import type { ChainRows } from '../../capabilities/chain/index.ts'
import type { CoinRows } from '../../capabilities/coins/index.ts'
import type { DepositRows } from '../../capabilities/deposits/index.ts'
import type { EventRows } from '../../capabilities/events/index.ts'
import type { IdempotencyRows } from '../../capabilities/idempotency/index.ts'
import type { LedgerRows } from '../../capabilities/ledger/index.ts'
import type { SpendingRows } from '../../capabilities/spending/index.ts'
import type { WalletRows } from '../../capabilities/wallet/index.ts'
import type { WebhookRows } from '../../capabilities/webhooks/index.ts'
import type { WithdrawalRows } from '../../capabilities/withdrawals/index.ts'
import type { LimitRows } from '../../capabilities/limits/index.ts'
import type { RiskRows } from '../../capabilities/risk/index.ts'
import type { PolicyRows } from '../../capabilities/policy/index.ts'
import type { ConsolidationRows } from '../../capabilities/consolidation/index.ts'
import type { AnalyticsRows } from '../../capabilities/analytics/index.ts'
import { assert, type Clock, EngineError, type Transactor } from '../../kernel/index.ts'
import { accessRows } from './access.ts'
import { alertRows } from './alerts.ts'
import { auditRows } from './audit.ts'
import { chainRows } from './chain.ts'
import { coinRows } from './coins.ts'
import { limitRows } from './limits.ts'
import { riskRows } from './risk.ts'
import { policyRows } from './policy.ts'
import { consolidationRows } from './consolidations.ts'
import { analyticsRows } from './analytics.ts'
import type { Doors } from './doors.ts'
import type { PostgresPool, SqliteDatabase } from './drivers.ts'
import { eventRows } from './events.ts'
import type { Home } from './home.ts'
import { idempotencyRows } from './idempotency.ts'
import { ledgerRows } from './ledger.ts'
import { checkSchema, type MigrationReport, migrate } from './migrate.ts'
import { orderDoors } from './orders.ts'
import { paymentDoors } from './payments.ts'
import { postgresHome } from './postgres.ts'
import { type OpenSession, openSession } from './session.ts'
import { sqliteHome } from './sqlite.ts'
import { spendingRows } from './spending.ts'
import { transactionDoors } from './transactions.ts'
import { walletRows } from './wallet.ts'
import { webhookRows } from './webhooks.ts'
import { withdrawalRows } from './withdrawals.ts'

/** Every row door of the engine. */
export interface SqlTx {
  readonly chain: ChainRows
  readonly wallet: WalletRows
  readonly deposits: DepositRows
  readonly ledger: LedgerRows
  readonly events: EventRows
  readonly audit: AuditRows
  readonly alerts: AlertRows
  readonly access: AccessRows
  readonly idempotency: IdempotencyRows
  readonly webhooks: WebhookRows
  readonly coins: CoinRows
  readonly spending: SpendingRows
  readonly withdrawals: WithdrawalRows
  readonly limits: LimitRows
  readonly risk: RiskRows
  readonly policy: PolicyRows
  readonly analytics: AnalyticsRows
  readonly consolidations: ConsolidationRows
}
export interface SqlStore extends Transactor<SqlTx> {
  /** Brings the schema up to date; safe to run at any time, from any number of processes. */
  migrate(): Promise<MigrationReport>
  /** @throws EngineError STORE_SCHEMA_NEWER, STORE_SCHEMA_OLDER */
  check(): Promise<void>
  /** Waits for what is running, then refuses with STORE_UNAVAILABLE. The handed-in driver stays open: it is the caller's. */
  close(): Promise<void>
}
/** The driver is handed in: a better-sqlite3 database, or a pg pool. `schema` is the PostgreSQL schema, `kaccy` by default. */
export type SqlStoreOptions = Readonly<
  | { dialect: 'sqlite'; database: SqliteDatabase; clock?: Clock }
  | { dialect: 'postgres'; database: PostgresPool; schema?: string; clock?: Clock }
>

const AREAS: { readonly [Area in keyof SqlTx]: (doors: Doors) => SqlTx[Area] } = {
  chain: chainRows,
  wallet: walletRows,
  deposits: (doors) => ({
    ...orderDoors(doors),
    ...transactionDoors(doors),
    ...paymentDoors(doors),
  }),
  ledger: ledgerRows,
  events: eventRows,
  audit: auditRows,
  alerts: alertRows,
  access: accessRows,
  idempotency: idempotencyRows,
  webhooks: webhookRows,
  coins: coinRows,
  spending: spendingRows,
  withdrawals: withdrawalRows,
  analytics: analyticsRows,
  policy: policyRows,
  risk: riskRows,
  limits: limitRows,
  consolidations: consolidationRows,
}

type Door = (...args: unknown[]) => Promise<unknown>

/** Puts the rules that hold for every door around it: open transactions only, a throw dooms the commit. */
function guarded(doors: Readonly<Record<string, Door>>, session: OpenSession): unknown {
  const around: Record<string, Door> = {}
  for (const name in doors) around[name] = guard(doors[name] as Door, session)
  return around
}
const guard =
  (door: Door, session: OpenSession): Door =>
  async (...args) => {
    session.check()
    try {
      return await door(...args)
    } catch (error) {
      session.doom(error)
      throw error
    }
  }

/**
 * The row doors of one transaction. Most transactions use few of the areas: each is made when it is asked for, by a getter
 * that all transactions share, because there are several transactions in every request.
 */
class Areas {
  readonly doors: Doors
  readonly session: OpenSession
  readonly made: Partial<Record<keyof SqlTx, unknown>> = {}
  constructor(doors: Doors, session: OpenSession) {
    this.doors = doors
    this.session = session
  }
}
for (const [area, make] of Object.entries(AREAS) as [keyof SqlTx, (doors: Doors) => unknown][])
  Object.defineProperty(Areas.prototype, area, {
    enumerable: true,
    get(this: Areas) {
      this.made[area] ??= guarded(make(this.doors) as Record<string, Door>, this.session)
      return this.made[area]
    },
  })

const rowDoors = (doors: Doors, session: OpenSession): SqlTx =>
  new Areas(doors, session) as unknown as SqlTx

/** The store on a database whose schema is known to be right: see `openStore`. */
export function createSqlStore(options: SqlStoreOptions): SqlStore {
  const home =
    options.dialect === 'sqlite'
      ? sqliteHome(options.database)
      : postgresHome({ pool: options.database, schema: options.schema ?? 'kaccy' })
  return storeOn(home, options.clock ?? { now: () => Date.now() })
}

function storeOn(home: Home, clock: Clock): SqlStore {
  const inside = new AsyncLocalStorage<boolean>()
  let closed = false
  const enter = () => {
    if (closed) throw new EngineError('STORE_UNAVAILABLE', 'the store is closed')
    assert(inside.getStore() !== true, 'a transaction inside a transaction would wait for itself')
  }
  const run = async <T>(
    mode: 'read' | 'write',
    db: Doors['db'],
    work: (tx: SqlTx) => Promise<T>,
  ): Promise<T> => {
    const session = openSession(mode)
    try {
      const tx = rowDoors({ db, dialect: home.dialect, session }, session)
      const result = await inside.run(true, () => work(tx))
      session.requireSound()
      return result
    } finally {
      session.end()
    }
  }
  return {
    async transact(work) {
      enter()
      return home.transact((db) => run('write', db, work))
    },
    async read(work) {
      enter()
      return home.read((db) => run('read', db, work))
    },
    async migrate() {
      enter()
      return migrate(home, clock)
    },
    async check() {
      enter()
      return checkSchema(home)
    },
    async close() {
      closed = true
      await home.close()
    },
  }
}

/**
 * Opens the store and holds the schema of the database against the one this code knows; with `migrate` it is brought up
 * to date first. @throws EngineError STORE_SCHEMA_NEWER, STORE_SCHEMA_OLDER, STORE_UNAVAILABLE
 */
export async function openStore(
  options: SqlStoreOptions & { readonly migrate?: boolean },
): Promise<SqlStore> {
  const store = createSqlStore(options)
  if (options.migrate === true) await store.migrate()
  await store.check()
  return store
}
