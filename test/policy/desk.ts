import { expect } from 'vitest'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { type Json, sat, type WalletId, type WithdrawalId } from '@kaccy/bitcoin/kernel'
import {
  createPolicies,
  judge,
  type PolicySubject,
  type PolicyVerdict,
  type release,
  reserve,
} from '@kaccy/bitcoin/policy'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const NOW = Date.UTC(2027, 0, 4, 12)
const OK = { name: 'ok', request: { amount_sat: 1 }, expect: { decision: 'allow' } }

export const subject = (number: number, more: Partial<PolicySubject> = {}): PolicySubject => ({
  withdrawal: `wdr_${number}` as WithdrawalId,
  wallet: 'wal_1' as WalletId,
  amount: sat(100n),
  maxFee: sat(10n),
  address: 'bcrt1qx',
  script: Uint8Array.of(0, 20, number % 250),
  user: 'ann',
  initiator: 'api:key_1',
  at: NOW + number,
  metadata: {},
  ...more,
})

/** A store with a document in force, and requests that it decides about: what the tests beside use. */
export async function withPolicy(document: Json & object) {
  const store = createMemoryStore()
  const policies = createPolicies({ store, clock: { now: () => NOW }, network: 'regtest' })
  const full = { name: 'x', otherwise: 'allow', tests: [OK], ...document }
  const proposed = await policies.propose(full as Json, 'operator:author')
  if (!proposed.ok) throw new TypeError(proposed.error.message)
  const { version } = proposed.value.policy
  const tested = await policies.test(version, 'operator:author')
  expect(tested).toMatchObject({ ok: true, value: { ok: true } })
  expect(await policies.enable(version, 'operator:boss')).toMatchObject({ ok: true })
  const request = (one: PolicySubject): Promise<PolicyVerdict> =>
    store.transact(async (tx) => {
      const verdict = await judge(tx, one)
      if (verdict.decision !== 'deny') await reserve(tx, one)
      return verdict
    })
  const end = (how: typeof release, number: number, at = NOW) =>
    store.transact((tx) => how(tx, `wdr_${number}` as WithdrawalId, at))
  return { store, policies, request, end }
}
