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
  coins: ['wallet', 'deposits', 'ledger', 'events', 'audit'],
  limits: ['events', 'audit', 'alerts'],
  risk: ['events', 'audit', 'alerts'],
  policy: ['limits', 'risk', 'events', 'audit', 'alerts', 'idempotency'],
  spending: ['coins', 'wallet', 'deposits', 'chain', 'ledger', 'events', 'audit', 'alerts'],
  signing: ['spending', 'wallet', 'events', 'audit', 'alerts', 'idempotency'],
  broadcast: ['spending', 'deposits', 'chain', 'events', 'audit', 'alerts'],
  withdrawals: [
    'coins',
    'spending',
    'policy',
    'limits',
    'risk',
    'wallet',
    'deposits',
    'chain',
    'ledger',
    'events',
    'audit',
    'alerts',
    'idempotency',
  ],
  consolidation: ['coins', 'spending', 'wallet', 'chain', 'events', 'audit', 'alerts'],
  deposits: ['chain', 'wallet', 'ledger', 'events', 'audit', 'alerts', 'idempotency'],
}
