/**
 * What to do with a transaction after the node's answer:
 * - `done`: the network has it (or its wish is already fulfilled); go on watching the chain.
 * - `retry_same`: wait and send the same bytes again; they may well be taken later.
 * - `replace`: these bytes will not get in as they are; the next version must spend one of the same inputs.
 * - `never`: no node will ever mine these bytes.
 * - `ask_human`: nobody knows, or a safety limit spoke. Nothing is rebuilt without a person.
 *
 * No verdict ever allows to pay again from other inputs.
 */
export type Verdict = 'done' | 'retry_same' | 'replace' | 'never' | 'ask_human'

/** Reasons as Core writes them, up to the first comma or bracket (`validation.cpp`, `policy.cpp`, `tx_check.cpp`). */
export const REJECT_REASONS = {
  'txn-already-in-mempool': 'done',
  'txn-already-known': 'done',
  // The same transaction with another witness: same txid, same payment.
  'txn-same-nonwitness-data-in-mempool': 'done',
  'already have transaction in mempool': 'done',

  'bad-cb-length': 'never',
  'bad-txns-fee-outofrange': 'never',
  'bad-txns-in-belowout': 'never',
  'bad-txns-inputs-duplicate': 'never',
  'bad-txns-inputvalues-outofrange': 'never',
  'bad-txns-oversize': 'never',
  'bad-txns-prevout-null': 'never',
  'bad-txns-spends-conflicting-tx': 'never',
  'bad-txns-txouttotal-toolarge': 'never',
  'bad-txns-vin-empty': 'never',
  'bad-txns-vout-empty': 'never',
  'bad-txns-vout-negative': 'never',
  'bad-txns-vout-toolarge': 'never',
  coinbase: 'never',
  'mandatory-script-verify-flag-failed': 'never',
  'block-script-verify-flag-failed': 'never',

  // Valid by consensus but not relayed: a miner could still take the bytes, so only a conflicting version is safe.
  'bad-txns-nonstandard-inputs': 'replace',
  'bad-txns-too-many-sigops': 'replace',
  'bad-witness-nonstandard': 'replace',
  'tx-size-small': 'replace',
  'tx-size': 'replace',
  'bare-multisig': 'replace',
  datacarrier: 'replace',
  dust: 'replace',
  'multi-op-return': 'replace',
  scriptpubkey: 'replace',
  'scriptsig-not-pushonly': 'replace',
  'scriptsig-size': 'replace',
  version: 'replace',
  'TRUC-violation': 'replace',
  'missing-ephemeral-spends': 'replace',
  'replacement-adds-unconfirmed': 'replace',
  'min relay fee not met': 'replace',
  'mempool min fee not met': 'replace',
  'insufficient fee': 'replace',

  // Either a parent has not arrived yet, or an input is spent. It may be spent by this very transaction, mined, with
  // all its outputs spent since: never a proof that the payment failed. The chain decides, not this answer.
  'bad-txns-inputs-missingorspent': 'retry_same',
  'missing-inputs': 'retry_same',
  'bad-txns-premature-spend-of-coinbase': 'retry_same',
  'non-BIP68-final': 'retry_same',
  'non-final': 'retry_same',
  'too-long-mempool-chain': 'retry_same',
  'package-mempool-limits': 'retry_same',
  'mempool full': 'retry_same',
  // What it conflicts with may not be replaced, or would drag out too many others: one of them has to be mined first.
  'bip125-replacement-disallowed': 'retry_same',
  'too many potential replacements': 'retry_same',

  // The fee is above a limit that somebody set on purpose.
  'max feerate exceeded': 'ask_human',
  'max-fee-exceeded': 'ask_human',
  'Fee exceeds maximum configured by user': 'ask_human',
  'Unspendable output exceeds maximum configured by user': 'ask_human',
  // Somebody else spends our input in the mempool, or two of our own processes do.
  'txn-mempool-conflict': 'ask_human',
  'no-mempool': 'ask_human',
  // A signature that some nodes would take and ours does not: the signer is at fault.
  'non-mandatory-script-verify-flag': 'ask_human',
  'mempool-script-verify-flag-failed': 'ask_human',
} as const satisfies Record<string, Verdict>

/** btcd writes sentences with ids in the middle; their fixed parts (`mempool/mempool.go`, `mempool/policy.go`). */
const BTCD_SENTENCES: readonly (readonly [RegExp, Verdict])[] = [
  [/already have transaction|transaction already exists/i, 'done'],
  [/individual coinbase|failed to validate/i, 'never'],
  [/orphan transaction|unknown or fully-spent|already spent/i, 'retry_same'],
  [/not finalized|sequence locks|immature|coinbase transaction output/i, 'retry_same'],
  [/insufficient fee|insufficient priority|fees which is under|fee rate of/i, 'replace'],
  [/is not standard|non-standard|dust|sigop cost/i, 'replace'],
]

const KNOWN: ReadonlyMap<string, Verdict> = new Map(
  Object.entries(REJECT_REASONS).map(([reason, verdict]) => [reason.toLowerCase(), verdict]),
)

/** What to do after this reason. Details after the first comma or bracket do not matter; an unknown text asks a person. */
export function verdictOfReject(text: string): Verdict {
  const sentence = text.replace(BTCD_PREFIX, '').trim()
  const reason = (/^[^,(:]*/.exec(sentence)?.[0] ?? '').trim().toLowerCase()
  const known = KNOWN.get(reason)
  if (known) return known
  // Words like "dust" inside a sentence count only in sentences of btcd, which name a transaction.
  if (!BTCD_PREFIX.test(text) && !/\b[0-9a-f]{64}\b/i.test(text)) return 'ask_human'
  return BTCD_SENTENCES.find(([pattern]) => pattern.test(sentence))?.[1] ?? 'ask_human'
}

const BTCD_PREFIX = /^TX rejected:\s*/i
