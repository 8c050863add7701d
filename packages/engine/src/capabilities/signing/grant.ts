import { assert, type Entropy, toHex, type Txid } from '../../kernel/index.ts'
import type { SpendOwners } from '../spending/index.ts'
import type { Session } from './ports.ts'
import { type ReceiptKey, signReceipt } from './receipt.ts'
import type { Held } from './session.ts'
import type { SigningTx } from './transaction.ts'

export interface GrantOptions {
  readonly owners: SpendOwners<SigningTx>
  readonly entropy: Entropy
  readonly key: ReceiptKey
  /** Complete: it was looked at in the same transaction. */
  readonly approvals: Session['approvals']
  /** How long it counts, milliseconds. */
  readonly forMs: number
}

/** The engine's signed word that its policy allows exactly this transaction, from the rows of the requests that it pays. */
export async function grant(held: Held, options: GrantOptions): Promise<string> {
  const { tx, spend, version, at } = held
  const { owners, entropy, key, approvals, forMs } = options
  assert(approvals.complete, `a receipt for ${version.id} before it is approved`)
  const wallet = await tx.wallet.wallet(spend.wallet)
  assert(wallet, `${spend.id} without its wallet`)
  const owed = (await owners[spend.purpose]?.owed(tx, version)) ?? []
  return signReceipt(
    {
      psbt: version.id,
      spend: spend.id,
      descriptor: wallet.descriptor.slice(-8),
      unsignedTxid: version.hash as Txid,
      policyVersion: version.policyVersion,
      payments: owed.flatMap(({ parts, script }) => parts.map((part) => ({ ...part, script }))),
      maxFee: version.maxFee,
      approvals: approvals.given.map((one) => ({ by: one.by, at: one.at })),
      initiators: approvals.initiators,
      issuedAt: at,
      tipHeight: (await tx.chain.tip())?.height ?? 0,
      expiresAt: at + forMs,
      nonce: toHex(entropy.bytes(16)),
    },
    key,
  )
}
