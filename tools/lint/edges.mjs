/**
 * Which capability may import which other one, through its `index.ts` only.
 * A new edge is a reviewed line. A capability that is not listed here does not pass the lint.
 */
export const EDGES = {
  ledger: [],
  events: [],
  audit: [],
  alerts: ['events', 'audit'],
  chain: ['events', 'alerts'],
  wallet: ['events', 'audit', 'alerts'],
  deposits: ['chain', 'wallet', 'ledger', 'events', 'audit', 'alerts'],
}
