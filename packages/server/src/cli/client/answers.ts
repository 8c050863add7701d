import type { Static } from 'typebox'
import type { AuditHeadSchema } from '../../http/schemas/audit.ts'
import type { LabelsSchema } from '../../http/schemas/wallets.ts'

export type { ExplanationJson, OrderJson } from '../../http/schemas/orders.ts'
export type { PaymentJson } from '../../http/schemas/payments.ts'
export type {
  AddressJson,
  BalanceJson,
  GapsJson,
  TransactionJson,
  WalletJson,
} from '../../http/schemas/wallets.ts'
export type { AlertJson } from '../../http/schemas/alerts.ts'
export type { AuditEntryJson, AuditVerdictJson } from '../../http/schemas/audit.ts'
export type { FeesJson } from '../../http/schemas/chain.ts'
export type { EventJson } from '../../http/schemas/events.ts'
export type { CreatedKeyJson, KeyJson, SelfJson } from '../../http/schemas/keys.ts'
export type {
  AccountJson,
  BooksVerdictJson,
  ReconciliationJson,
  StatisticsJson,
} from '../../http/schemas/ledger.ts'
export type { CoinJson, FrozenJson } from '../../http/schemas/coins.ts'
export type {
  ConsolidationJson,
  ConsolidationPreviewJson,
} from '../../http/schemas/consolidations.ts'
export type { PayoutDayJson } from '../../http/schemas/analytics.ts'
export type {
  LimitUseJson,
  PolicyJson,
  PolicyTestJson,
  ReplayJson,
} from '../../http/schemas/policies.ts'
export type { PsbtJson, SignablePsbtJson, SpendJson, TakenJson } from '../../http/schemas/psbts.ts'
export type { WithdrawalExplanationJson, WithdrawalJson } from '../../http/schemas/withdrawals.ts'
export type { CreatedWebhookJson, DeliveryJson, WebhookJson } from '../../http/schemas/webhooks.ts'

export type AuditHeadJson = Static<typeof AuditHeadSchema>
export type LabelsJson = Static<typeof LabelsSchema>
