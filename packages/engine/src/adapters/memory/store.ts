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
import { assert, EngineError, type Transactor } from '../../kernel/index.ts'
import { accessRows, accessTables } from './access.ts'
import { alertRows, alertTables } from './alerts.ts'
import { auditRows, auditTables } from './audit.ts'
import { chainRows, chainTables } from './chain.ts'
import { coinRows, coinTables } from './coins.ts'
import { copy } from './copy.ts'
import { eventRows, eventTables } from './events.ts'
import { idempotencyRows, idempotencyTables } from './idempotency.ts'
import { ledgerRows, ledgerTables } from './ledger.ts'
import { orderDoors, orderTables } from './orders.ts'
import { paymentDoors, paymentTables } from './payments.ts'
import { limitRows, limitTables } from './limits.ts'
import { riskRows, riskTables } from './risk.ts'
import { policyRows, policyTables } from './policy.ts'
import { analyticsRows, analyticsTables } from './analytics.ts'
import { consolidationRows, consolidationTables } from './consolidations.ts'
import { createTurns } from './turns.ts'
import { type OpenSession, openSession, type Session } from './session.ts'
import { spendingRows, spendingTables } from './spending.ts'
import { transactionDoors, transactionTables } from './transactions.ts'
import { walletRows, walletTables } from './wallet.ts'
import { webhookRows, webhookTables } from './webhooks.ts'
import { withdrawalRows, withdrawalTables } from './withdrawals.ts'

/** Every row door of the engine. */
export interface MemoryTx {
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
export interface MemoryStore extends Transactor<MemoryTx> {
  close(): Promise<void>
}
export interface MemoryStoreOptions {
  /**
   * Fault point of crash simulations. A throw at `before` undoes the transaction; a throw at `after` leaves it
   * committed, but its caller never hears so: the two ways in which a process can die around a commit.
   */
  readonly onCommit?: (moment: 'before' | 'after') => void
  /** Fault point before every row door: `deposits.saveOrders`. A throw dooms the transaction. */
  readonly onCall?: (door: string) => void
}

const createTables = () => ({
  chain: chainTables(),
  wallet: walletTables(),
  orders: orderTables(),
  transactions: transactionTables(),
  payments: paymentTables(),
  ledger: ledgerTables(),
  events: eventTables(),
  audit: auditTables(),
  alerts: alertTables(),
  access: accessTables(),
  idempotency: idempotencyTables(),
  webhooks: webhookTables(),
  coins: coinTables(),
  spending: spendingTables(),
  withdrawals: withdrawalTables(),
  analytics: analyticsTables(),
  policy: policyTables(),
  risk: riskTables(),
  limits: limitTables(),
  consolidations: consolidationTables(),
})

type Tables = ReturnType<typeof createTables>
const AREAS: {
  readonly [Area in keyof MemoryTx]: (tables: Tables, session: Session) => MemoryTx[Area]
} = {
  chain: (tables, session) => chainRows(tables.chain, session),
  wallet: (tables, session) => walletRows(tables.wallet, session),
  deposits: ({ orders, transactions, payments }, session) => ({
    ...orderDoors(orders, session),
    ...transactionDoors(transactions, session),
    ...paymentDoors(payments, session, (txid) => transactions.transactions.get(txid)),
  }),
  ledger: (tables, session) => ledgerRows(tables.ledger, session),
  events: (tables, session) => eventRows(tables.events, session),
  audit: (tables, session) => auditRows(tables.audit, session),
  alerts: (tables, session) => alertRows(tables.alerts, session),
  access: (tables, session) => accessRows(tables.access, session),
  idempotency: (tables, session) => idempotencyRows(tables.idempotency, session),
  webhooks: (tables, session) => webhookRows(tables.webhooks, session),
  coins: ({ coins, payments, transactions }, session) =>
    coinRows(coins, session, payments, (txid) => transactions.transactions.get(txid)),
  spending: (tables, session) => spendingRows(tables.spending, session),
  withdrawals: (tables, session) => withdrawalRows(tables.withdrawals, session),
  analytics: (tables, session) => analyticsRows(tables.analytics, session),
  policy: (tables, session) => policyRows(tables.policy, session),
  risk: (tables, session) => riskRows(tables.risk, session),
  limits: (tables, session) => limitRows(tables.limits, session),
  consolidations: (tables, session) => consolidationRows(tables.consolidations, session),
}

type Door = (...args: unknown[]) => Promise<unknown>
type OnCall = (door: string) => void

/** Puts the rules that hold for every door around those of an area: open transactions only, fresh answers, a throw dooms. */
function guarded(
  area: string,
  doors: Readonly<Record<string, Door>>,
  session: OpenSession,
  onCall: OnCall,
): unknown {
  const around: Record<string, Door> = {}
  for (const [name, door] of Object.entries(doors))
    around[name] = async (...args) => {
      session.check()
      try {
        onCall(`${area}.${name}`)
        return copy(await door(...args))
      } catch (error) {
        session.doom(error)
        throw error
      }
    }
  return around
}

/** The row doors of one transaction. Most use few of the areas: each is made when it is asked for. */
function rowDoors(tables: Tables, session: OpenSession, onCall: OnCall): MemoryTx {
  const tx = {}
  for (const [area, make] of Object.entries(AREAS)) {
    let made: unknown
    Object.defineProperty(tx, area, {
      enumerable: true,
      get() {
        made ??= guarded(area, make(tables, session) as never, session, onCall)
        return made
      },
    })
  }
  return tx as MemoryTx
}

/**
 * The whole store in memory, for tests and simulations: one writer at a time, readers between writers, nothing
 * copied but the rows that are touched. It keeps every promise of `Transactor` except surviving the process.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const tables = createTables()
  const turns = createTurns()
  const inside = new AsyncLocalStorage<boolean>()
  const onCommit = options.onCommit ?? (() => {})
  const onCall = options.onCall ?? (() => {})
  let closed = false

  const enter = () => {
    if (closed) throw new EngineError('STORE_UNAVAILABLE', 'the store is closed')
    assert(inside.getStore() !== true, 'a transaction inside a transaction would wait for itself')
  }
  return {
    async transact(work) {
      enter()
      return turns.write(async () => {
        const session = openSession('write')
        try {
          const tx = rowDoors(tables, session, onCall)
          const result = await inside.run(true, () => work(tx))
          session.requireSound()
          onCommit('before')
          session.end()
          onCommit('after')
          return result
        } catch (error) {
          session.rollback()
          throw error
        } finally {
          session.end()
        }
      })
    },
    async read(work) {
      enter()
      return turns.read(async () => {
        const session = openSession('read')
        try {
          const tx = rowDoors(tables, session, onCall)
          return await inside.run(true, () => work(tx))
        } finally {
          session.end()
        }
      })
    },
    async close() {
      await turns.write(async () => {
        closed = true
      })
    },
  }
}
