import type { AppParts } from '../parts.ts'
import type { Resource } from '../route.ts'
import { alertResource } from './alerts.ts'
import { analyticsResource } from './analytics.ts'
import { auditResource } from './audit.ts'
import { chainResource } from './chain.ts'
import { consolidationResource } from './consolidations.ts'
import { eventResource } from './events.ts'
import { keyResource } from './keys.ts'
import { ledgerResource } from './ledger.ts'
import { orderResource } from './orders.ts'
import { paymentResource } from './payments.ts'
import { policyResource } from './policies.ts'
import { psbtResource } from './psbts.ts'
import { statisticsResource } from './statistics.ts'
import { walletResource } from './wallets.ts'
import { webhookResource } from './webhooks.ts'
import { withdrawalResource } from './withdrawals.ts'

/** Every route of the API; the order is that of the document. */
export const allRoutes = (parts: AppParts): readonly Resource[] => [
  walletResource(parts),
  orderResource(parts),
  paymentResource(parts),
  withdrawalResource(parts),
  psbtResource(parts),
  consolidationResource(parts),
  chainResource(parts),
  eventResource(parts),
  webhookResource(parts),
  keyResource(parts),
  alertResource(parts),
  auditResource(parts),
  ledgerResource(parts),
  statisticsResource(parts),
  analyticsResource(parts),
  policyResource(parts),
]
