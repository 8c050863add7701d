/**
 * Which capability may import which other one, through its `index.ts` only.
 * A new edge is a reviewed line. A capability that is not listed here does not pass the lint.
 */
export const EDGES = {
  ledger: [],
  events: [],
  audit: [],
  idempotency: [],
  alerts: ['events', 'audit'],
  chain: ['events', 'alerts'],
  wallet: ['events', 'audit', 'alerts'],
  access: ['events', 'audit', 'idempotency'],
  webhooks: ['events', 'audit', 'alerts', 'idempotency'],
  deposits: ['chain', 'wallet', 'ledger', 'events', 'audit', 'alerts', 'idempotency'],
}
