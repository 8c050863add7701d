import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { toHex } from '../../kernel/index.ts'
import { canonicalJson } from '../audit/index.ts'
import type { RequestView } from './document.ts'
import { given } from './reader.ts'
import type { PolicySubject } from './subject.ts'

export const digestOfText = (text: string): string => toHex(sha256(utf8ToBytes(text)))

/** A request as policies look at it. */
export const viewOf = (subject: PolicySubject): RequestView => ({
  amount: subject.amount,
  wallet: subject.wallet,
  ...given('user', subject.user),
  ...given('customer', subject.customer),
  initiator: subject.initiator,
  destination: toHex(subject.script),
  at: subject.at,
  metadata: subject.metadata,
})

/**
 * SHA-256 over the canonical JSON (RFC 8785) of everything in a request that its approval is for: who approved these
 * digits approved this amount to this script at this ceiling, and nothing else.
 */
export const digestOf = (subject: PolicySubject): string =>
  digestOfText(
    canonicalJson({
      withdrawal: subject.withdrawal,
      wallet: subject.wallet,
      amount_sat: subject.amount.toString(),
      max_fee_sat: subject.maxFee.toString(),
      address: subject.address,
      script: toHex(subject.script),
      user: subject.user ?? null,
      customer: subject.customer ?? null,
      initiator: subject.initiator,
      metadata: subject.metadata,
    }),
  )
