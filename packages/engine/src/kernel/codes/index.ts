import { ACCESS_CODES } from './access.ts'
import { AUDIT_CODES } from './audit.ts'
import { CHAIN_CODES } from './chain.ts'
import { COINS_CODES } from './coins.ts'
import { CONSOLIDATION_CODES } from './consolidation.ts'
import { DEPOSITS_CODES } from './deposits.ts'
import { IDEMPOTENCY_CODES } from './idempotency.ts'
import { HTTP_CODES } from './http.ts'
import { KERNEL_CODES } from './kernel.ts'
import { LEDGER_CODES } from './ledger.ts'
import { NODE_CODES } from './node.ts'
import { POLICY_CODES } from './policy.ts'
import { PROTOCOL_CODES } from './protocol.ts'
import { PSBT_CODES } from './psbt.ts'
import { SERVER_CODES } from './server.ts'
import { SIGNING_CODES } from './signing.ts'
import { SPENDING_CODES } from './spending.ts'
import { STORE_CODES } from './store.ts'
import { WALLET_CODES } from './wallet.ts'
import { WEBHOOK_CODES } from './webhooks.ts'
import { WITHDRAWAL_CODES } from './withdrawals.ts'

export type { CodeEntry, Remedy } from './remedy.ts'

/** Every code of the project, once. The tidy test holds it against `docs/errors.md`. */
export const REGISTRY = {
  ...KERNEL_CODES,
  ...PROTOCOL_CODES,
  ...PSBT_CODES,
  ...NODE_CODES,
  ...CHAIN_CODES,
  ...STORE_CODES,
  ...WALLET_CODES,
  ...DEPOSITS_CODES,
  ...LEDGER_CODES,
  ...AUDIT_CODES,
  ...SERVER_CODES,
  ...ACCESS_CODES,
  ...IDEMPOTENCY_CODES,
  ...WEBHOOK_CODES,
  ...POLICY_CODES,
  ...HTTP_CODES,
  ...SPENDING_CODES,
  ...SIGNING_CODES,
  ...COINS_CODES,
  ...WITHDRAWAL_CODES,
  ...CONSOLIDATION_CODES,
} as const

export type ErrorCode = keyof typeof REGISTRY
