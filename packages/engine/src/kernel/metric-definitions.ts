export interface MetricDefinition {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** One sentence without a full stop. */
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's classes, in its unit. */
  readonly buckets?: readonly number[]
}

/** From a call on the same machine to one that reads the whole coin database or waits for a slow receiver, seconds. */
const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60]
/** From one minute to a day, seconds. */
const WAITING_SECONDS = [60, 300, 600, 1200, 1800, 2700, 3600, 5400, 7200, 14_400, 28_800, 86_400]

/**
 * Every metric that the engine counts, once: whoever exports them registers this list. Base units, Prometheus names. Counts
 * reach the metrics after the commit they speak of; amounts are exact up to 2^53 satoshi, four times all there are.
 */
export const METRICS = [
  {
    name: 'kaccy_node_call_seconds',
    kind: 'histogram',
    help: 'Time of one attempt of a call to the node, by RPC method',
    labels: ['method'],
    buckets: CALL_SECONDS,
  },
  {
    name: 'kaccy_node_call_failures_total',
    kind: 'counter',
    help: 'Attempts of calls to the node that gave no answer, by RPC method and error code',
    labels: ['method', 'code'],
  },
  {
    name: 'kaccy_chain_height',
    kind: 'gauge',
    help: 'Height of the newest block that has been followed',
    labels: [],
  },
  {
    name: 'kaccy_chain_lag_blocks',
    kind: 'gauge',
    help: 'Blocks that the node knows of and that are not followed yet',
    labels: [],
  },
  {
    name: 'kaccy_chain_blocks_total',
    kind: 'counter',
    help: 'Blocks that were applied',
    labels: [],
  },
  {
    name: 'kaccy_chain_reorgs_total',
    kind: 'counter',
    help: 'Reorganisations that were applied',
    labels: [],
  },
  {
    name: 'kaccy_chain_looks_failed_total',
    kind: 'counter',
    help: 'Looks at the node that failed, by error code',
    labels: ['code'],
  },
  {
    name: 'kaccy_mempool_transactions',
    kind: 'gauge',
    help: 'Transactions in the mempool of the node at the last look',
    labels: [],
  },
  {
    name: 'kaccy_fee_rate_sat_kvb',
    kind: 'gauge',
    help: 'Economical fee estimate of the node in satoshi per 1000 virtual bytes, by target in blocks',
    labels: ['target'],
  },
  {
    name: 'kaccy_orders_created_total',
    kind: 'counter',
    help: 'Orders that were made',
    labels: [],
  },
  {
    name: 'kaccy_order_confirmation_seconds',
    kind: 'histogram',
    help: 'Time from the first sight of a payment until its order reached a level',
    labels: ['level'],
    buckets: WAITING_SECONDS,
  },
  {
    name: 'kaccy_payments_seen_total',
    kind: 'counter',
    help: 'Payments seen for the first time, without change of our own',
    labels: [],
  },
  {
    name: 'kaccy_payments_credited_total',
    kind: 'counter',
    help: 'Payments credited, again after each reversal',
    labels: [],
  },
  {
    name: 'kaccy_payment_volume_sat_total',
    kind: 'counter',
    help: 'Satoshi of payments, by what became of them: seen, credited or reversed',
    labels: ['kind'],
  },
  {
    name: 'kaccy_webhook_deliveries_total',
    kind: 'counter',
    help: 'Attempts to deliver an event to a webhook, by outcome',
    labels: ['outcome'],
  },
  {
    name: 'kaccy_webhook_delivery_seconds',
    kind: 'histogram',
    help: 'Time of one attempt to deliver an event to a webhook',
    labels: [],
    buckets: CALL_SECONDS,
  },
  {
    name: 'kaccy_webhook_lag_events',
    kind: 'gauge',
    help: 'Events that the slowest active webhook has not got yet',
    labels: [],
  },
  {
    name: 'kaccy_webhook_deliveries_forgotten_total',
    kind: 'counter',
    help: 'Entries of the delivery log that were dropped for their age',
    labels: [],
  },
  {
    name: 'kaccy_withdrawals_requested_total',
    kind: 'counter',
    help: 'Withdrawals that were requested, by what the policy said',
    labels: ['decision'],
  },
  {
    name: 'kaccy_withdrawals_moved_total',
    kind: 'counter',
    help: 'Withdrawals that came into a status after they were requested',
    labels: ['status'],
  },
  {
    name: 'kaccy_withdrawal_settle_seconds',
    kind: 'histogram',
    help: 'Time from the request of a withdrawal until its transaction was buried',
    labels: [],
    buckets: WAITING_SECONDS,
  },
  {
    name: 'kaccy_spends_moved_total',
    kind: 'counter',
    help: 'Spends that came into a status, by purpose and status',
    labels: ['purpose', 'status'],
  },
  {
    name: 'kaccy_spend_confirmation_seconds',
    kind: 'histogram',
    help: 'Time from the plan of a spend to the first block with one of its transactions',
    labels: [],
    buckets: WAITING_SECONDS,
  },
  {
    name: 'kaccy_spend_replacements_total',
    kind: 'counter',
    help: 'Versions that were made after the first, by kind: bump or cancel',
    labels: ['kind'],
  },
  {
    name: 'kaccy_broadcasts_total',
    kind: 'counter',
    help: 'Transactions that were handed to a node, by its answer',
    labels: ['answer'],
  },
  {
    name: 'kaccy_signer_answers_total',
    kind: 'counter',
    help: 'Answers of signers that were asked for signatures',
    labels: ['signer', 'answer'],
  },
] as const satisfies readonly MetricDefinition[]
