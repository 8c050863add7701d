import { describe, expect, test } from 'vitest'
import { type PsbtId, sat, type WalletId, type WithdrawalId } from '@kaccy/bitcoin/kernel'
import { NOW, subject, withPolicy } from './desk.ts'
import {
  approvalState,
  approve,
  approveTransaction,
  digestOf,
  type PolicySubject,
  requireTransactionApprovals,
} from '@kaccy/bitcoin/policy'

describe('approvals of a request', () => {
  const document = {
    groups: { treasury: ['operator:ann', 'operator:bob', 'api:key_1'] },
    rules: [
      {
        name: 'held',
        decision: 'hold',
        approvals: { needed: 2, from: ['treasury'] },
        transaction_approvals: { needed: 1, from: ['treasury'] },
      },
    ],
    tests: [{ name: 't', request: { amount_sat: 1 }, expect: { decision: 'hold' } }],
  }
  const held = async () => {
    const made = await withPolicy(document)
    const verdict = await made.request(subject(1))
    const give = (by: string, digest = verdict.digest, withdrawal = 'wdr_1') =>
      made.store.transact((tx) =>
        approve(tx, { withdrawal: withdrawal as WithdrawalId, digest, by, at: NOW }),
      )
    return { ...made, verdict, give }
  }
  const codeOf = (answer: Awaited<ReturnType<typeof approve>>) =>
    answer.ok ? answer.value : answer.error.code

  test('two people of the group, not who asked, nobody twice, only what they saw', async () => {
    const { give, verdict, store } = await held()
    expect(verdict).toMatchObject({
      decision: 'hold',
      approvals: { needed: 2, from: ['treasury'] },
    })
    expect(codeOf(await give('operator:ann', '0'.repeat(64)))).toBe('APPROVAL_DIGEST_MISMATCH')
    expect(codeOf(await give('api:key_1'))).toBe('APPROVER_IS_INITIATOR')
    expect(codeOf(await give('operator:eve'))).toBe('APPROVER_NOT_ALLOWED')
    expect(codeOf(await give('engine'))).toBe('APPROVER_NOT_ALLOWED')
    expect(codeOf(await give('operator:ann', verdict.digest, 'wdr_2'))).toBe('APPROVAL_NOT_NEEDED')
    expect(codeOf(await give('operator:ann'))).toEqual({ have: 1, need: 2, complete: false })
    expect(codeOf(await give('operator:ann'))).toBe('APPROVER_REPEATED')
    expect(codeOf(await give('operator:bob'))).toEqual({ have: 2, need: 2, complete: true })
    const state = await store.read((tx) => approvalState(tx, { kind: 'withdrawal', id: 'wdr_1' }))
    expect(state?.approvals.map(({ by }) => by)).toEqual(['operator:ann', 'operator:bob'])
    const trail = await store.read((tx) => tx.audit.list({ action: 'approval.give', limit: 9 }))
    expect(trail.map(({ actor, subject }) => [actor, subject])).toEqual([
      ['operator:ann', 'wdr_1'],
      ['operator:bob', 'wdr_1'],
    ])
  })
  test('the groups stay those of the request, whatever policy comes', async () => {
    const { give, policies } = await held()
    expect(await policies.enable(0, 'operator:boss')).toMatchObject({ ok: true })
    expect(codeOf(await give('operator:eve'))).toBe('APPROVER_NOT_ALLOWED')
    expect(codeOf(await give('operator:bob'))).toMatchObject({ have: 1, need: 2 })
  })
  test('anybody approves where no group is named, but the engine and who asked', async () => {
    const { request, store } = await withPolicy({
      rules: [{ name: 'held', decision: 'hold' }],
      tests: [{ name: 't', request: { amount_sat: 1 }, expect: { decision: 'hold' } }],
    })
    const { digest } = await request(subject(1))
    const give = (by: string) =>
      store.transact((tx) =>
        approve(tx, { withdrawal: subject(1).withdrawal, digest, by, at: NOW }),
      )
    expect(codeOf(await give('engine'))).toBe('APPROVER_NOT_ALLOWED')
    expect(codeOf(await give('api:key_1'))).toBe('APPROVER_IS_INITIATOR')
    expect(codeOf(await give('api:key_2'))).toEqual({ have: 1, need: 1, complete: true })
  })
  test('a digest is of everything that an approval is for', () => {
    const one = subject(1, { customer: 'c' })
    const { user: _, ...nobody } = one
    const changed: readonly PolicySubject[] = [
      { ...one, withdrawal: 'wdr_2' as WithdrawalId },
      { ...one, wallet: 'wal_2' as WalletId },
      { ...one, amount: sat(101n) },
      { ...one, maxFee: sat(11n) },
      { ...one, address: 'bcrt1qy' },
      { ...one, script: Uint8Array.of(9) },
      { ...one, customer: 'd' },
      { ...one, initiator: 'api:key_2' },
      { ...one, metadata: { a: 'b' } },
      nobody,
    ]
    const digests = [one, ...changed].map(digestOf)
    expect(new Set(digests).size).toBe(digests.length)
    expect(digestOf({ ...one, at: 5 })).toBe(digestOf(one))
  })
})

describe('approvals of a transaction', () => {
  const psbt = 'psb_1' as PsbtId
  const hash = 'ab'.repeat(32)
  const document = {
    groups: { a: ['operator:ann', 'api:key_2'], b: ['operator:bob', 'operator:ann'] },
    rules: [
      {
        name: 'two',
        when: { users: ['ann'] },
        decision: 'allow',
        transaction_approvals: { needed: 2, from: ['b'] },
      },
      {
        name: 'one',
        when: { users: ['bob'] },
        decision: 'allow',
        transaction_approvals: { needed: 1, from: ['a'] },
      },
    ],
  }
  const ids = (...numbers: number[]) => numbers.map((number) => `wdr_${number}` as WithdrawalId)
  const made = async (withdrawals: readonly WithdrawalId[], initiators: readonly string[] = []) => {
    const { store, request } = await withPolicy(document)
    await request(subject(1))
    await request(subject(2, { user: 'bob', initiator: 'api:key_2' }))
    await request(subject(3, { user: 'cy' }))
    const begun = await store.transact((tx) =>
      requireTransactionApprovals(tx, { psbt, hash, withdrawals, initiators, at: NOW }),
    )
    const give = async (by: string, of = hash) => {
      const answer = await store.transact((tx) =>
        approveTransaction(tx, { psbt, hash: of, by, at: NOW }),
      )
      return answer.ok ? answer.value : answer.error.code
    }
    return { begun, give, store }
  }
  test('each verdict in a batch is met, and none of the initiators approves', async () => {
    const { begun, give } = await made(ids(1, 2, 3), ['operator:cy'])
    expect(begun).toEqual({ have: 0, need: 2, complete: false })
    expect(await give('operator:bob', 'cd'.repeat(32))).toBe('APPROVAL_DIGEST_MISMATCH')
    for (const by of ['api:key_1', 'api:key_2', 'operator:cy'])
      expect(await give(by)).toBe('APPROVER_IS_INITIATOR')
    expect(await give('operator:bob')).toEqual({ have: 1, need: 2, complete: false })
    // Of both groups: the second of one, and the one of the other.
    expect(await give('operator:ann')).toEqual({ have: 2, need: 2, complete: true })
  })
  test('what needs none is complete, and nothing waits', async () => {
    const { begun, give } = await made(ids(3))
    expect(begun).toEqual({ have: 0, need: 0, complete: true })
    expect(await give('operator:ann')).toBe('APPROVAL_NOT_NEEDED')
  })
  test('of something that was never decided is a bug', async () => {
    await expect(made(ids(1, 9))).rejects.toThrow('never decided')
  })
})
