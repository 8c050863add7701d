import { assert, type PsbtId, satPerKvB } from '@kaccy/bitcoin/kernel'
import { verifyReceipt } from '@kaccy/bitcoin/signing'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import { HDKey } from '@scure/bip32'
import { afterEach, describe, expect, it } from 'vitest'
import { Desk, type DeskOptions, RECEIPT_KEY, ROOT } from './desk.ts'
import { signWith } from './soft-signer.ts'

let desk: Desk | undefined
afterEach(async () => {
  await desk?.close()
  desk = undefined
})
async function open(options: DeskOptions, ...coins: readonly number[]): Promise<Desk> {
  desk = await Desk.open(options)
  await desk.fund(...coins)
  return desk
}
/** What the built-in policy holds for two people, and for one more who sees the transaction. */
const VERY_LARGE = 150_000_000
const refusal = (made: { ok: boolean; error?: { code: string } }) => made.error?.code

async function psbtOf(d: Desk, { id }: WithdrawalRecord): Promise<PsbtId> {
  const { spend } = await d.get(id)
  assert(spend, 'a withdrawal with a spend')
  const view = await d.engine.spends.get(spend)
  assert(view, 'the spend')
  return view.spend.current
}
async function sessionOf(d: Desk, id: PsbtId) {
  const session = await d.engine.psbts.get(id)
  assert(session, 'a session')
  return session
}
/** A very large request that two people have approved, planned. */
async function approved(d: Desk): Promise<WithdrawalRecord> {
  const asked = await d.ask({ amount: VERY_LARGE })
  for (const by of ['operator:ann', 'operator:bob']) {
    const made = await d.engine.withdrawals.approve(asked.id, { digest: asked.digest }, by)
    assert(made.ok, made.ok ? '' : made.error.message)
  }
  await d.engine.payouts.plan()
  return d.get(asked.id)
}

describe('people', () => {
  it('approve exactly one transaction, and nobody is asked to sign it before', async () => {
    const d = await open({}, 2 * VERY_LARGE)
    const asked = await approved(d)
    expect(asked.status).toBe('batched')
    const id = await psbtOf(d, asked)
    const { version, approvals } = await sessionOf(d, id)
    expect(approvals).toMatchObject({ have: 0, need: 1, complete: false })
    await d.work()
    expect((await sessionOf(d, id)).version.exposedAt).toBeUndefined()
    const { psbts } = d.engine
    expect(refusal(await psbts.offer(id, 'operator:ann'))).toBe('PSBT_NOT_APPROVED')
    const early = signWith(ROOT, version.psbt) ?? new Uint8Array()
    expect(refusal(await psbts.addSignatures(id, early, 'operator:ann'))).toBe('PSBT_NOT_APPROVED')
    const other = version.hash.replaceAll(/[0-9a-f]/g, (digit) => (digit === '0' ? '1' : '0'))
    expect(refusal(await psbts.approve(id, other, 'operator:ann'))).toBe('APPROVAL_DIGEST_MISMATCH')
    expect(refusal(await psbts.approve(id, version.hash, 'api:key_test'))).toBe(
      'APPROVER_IS_INITIATOR',
    )
    expect((await psbts.approve(id, version.hash, 'operator:cy')).ok).toBe(true)
    await d.work()
    expect(await d.status(asked.id)).toBe('sending')
  })

  it('approve a replacement anew: their word for one version is none for another', async () => {
    const d = await open({}, 2 * VERY_LARGE)
    const asked = await approved(d)
    const first = await psbtOf(d, asked)
    const { version } = await sessionOf(d, first)
    await d.engine.psbts.approve(first, version.hash, 'operator:cy')
    await d.work()
    await d.look()
    const speed = { kind: 'rate', rate: satPerKvB(20_000n) } as const
    const bumped = await d.engine.withdrawals.bump(asked.id, { speed }, 'operator:ann')
    expect(bumped.ok).toBe(true)
    const second = await psbtOf(d, asked)
    expect(second).not.toBe(first)
    await d.work()
    const waiting = await sessionOf(d, second)
    expect(waiting.version.exposedAt).toBeUndefined()
    expect(refusal(await d.engine.psbts.approve(second, version.hash, 'operator:cy'))).toBe(
      'APPROVAL_DIGEST_MISMATCH',
    )
    expect(refusal(await d.engine.psbts.offer(first, 'operator:ann'))).toBe('PSBT_NOT_CURRENT')
    expect((await d.engine.psbts.approve(second, waiting.version.hash, 'operator:cy')).ok).toBe(
      true,
    )
    await d.work()
    await d.mine(6)
    expect(await d.status(asked.id)).toBe('settled')
    expect(d.paidTo(asked.script)).toEqual({ times: 1, amount: BigInt(VERY_LARGE) })
    await d.expectSound()
  })
})

describe('signatures that people bring', () => {
  it('are taken out of a PSBT after each was verified, and complete the transaction', async () => {
    const d = await open({ signs: false }, 1_000_000)
    const asked = await d.ask({ amount: 50_000 })
    await d.work()
    expect(await d.status(asked.id)).toBe('batched')
    const id = await psbtOf(d, asked)
    const { psbts } = d.engine
    const given = await psbts.offer(id, 'operator:ann')
    assert(given.ok, 'the PSBT is given out')
    const read = verifyReceipt(given.value.receipt ?? '', RECEIPT_KEY.publicKey)
    assert(read.ok, 'the receipt that goes with it')
    expect(read.value.unsignedTxid).toBe(given.value.version.hash)
    expect(read.value.payments.map(({ withdrawal }) => withdrawal)).toEqual([asked.id])
    expect(await d.status(asked.id)).toBe('signing')
    // From here on a cancel needs a conflicting spend, which has to be signed as well.
    const signed = signWith(ROOT, given.value.version.psbt)
    assert(signed, 'a signed PSBT')
    const stranger = signWith(
      HDKey.fromMasterSeed(new Uint8Array(32).fill(3)),
      given.value.version.psbt,
    )
    expect(stranger).toBeUndefined()
    expect(refusal(await psbts.addSignatures(id, signed.slice(0, -3), 'operator:ann'))).toBe(
      'PSBT_MALFORMED',
    )
    const unsigned = await psbts.addSignatures(id, given.value.version.psbt, 'operator:ann')
    expect(unsigned.ok && unsigned.value.added).toBe(0)
    const taken = await psbts.addSignatures(id, signed, 'operator:ann')
    expect(taken.ok && taken.value.version.status).toBe('finalized')
    expect(refusal(await psbts.addSignatures(id, signed, 'operator:ann'))).toBe('PSBT_STATE')
    await d.work()
    await d.mine(6)
    expect(await d.status(asked.id)).toBe('settled')
    await d.expectSound()
  })

  it('of another transaction are not taken', async () => {
    const d = await open({ signs: false }, 1_000_000, 1_000_000)
    const one = await d.ask({ amount: 50_000 })
    await d.engine.payouts.plan()
    const two = await d.ask({ amount: 60_000 })
    await d.engine.payouts.plan()
    const [a, b] = [await psbtOf(d, one), await psbtOf(d, two)]
    const given = await d.engine.psbts.offer(a, 'operator:ann')
    const signed = given.ok ? signWith(ROOT, given.value.version.psbt) : undefined
    assert(signed, 'a signed PSBT')
    expect(refusal(await d.engine.psbts.addSignatures(b, signed, 'operator:ann'))).toBe(
      'PSBT_DIFFERENT_TRANSACTION',
    )
    expect((await sessionOf(d, b)).version.exposedAt).toBeUndefined()
  })

  it('are not asked for once somebody has rejected the transaction', async () => {
    const d = await open({ signs: false }, 1_000_000)
    const asked = await d.ask({ amount: 50_000 })
    await d.work()
    const id = await psbtOf(d, asked)
    expect(refusal(await d.engine.psbts.reject(id, ' ', 'operator:ann'))).toBe('FIELD_INVALID')
    expect((await d.engine.psbts.reject(id, 'not this one', 'operator:ann')).ok).toBe(true)
    expect(refusal(await d.engine.psbts.offer(id, 'operator:ann'))).toBe('PSBT_STATE')
    expect(await d.told('psbt')).toContain('psbt.rejected')
    const cancelled = await d.engine.withdrawals.cancel(asked.id, 'rejected', 'operator:ann')
    expect(cancelled.ok && cancelled.value.status).toBe('cancelled')
    // What it would have to pay cannot even be asked any more.
    const late = new Uint8Array([1])
    expect(refusal(await d.engine.psbts.addSignatures(id, late, 'operator:ann'))).toBe('PSBT_STATE')
    await d.expectSound()
  })
})

describe('a signer', () => {
  it('that refuses is told to people, and the transaction counts as seen', async () => {
    const d = await open(
      {
        signer: {
          name: 'stubborn',
          sign: async () => ({
            answer: 'refused',
            code: 'SIGNER_REFUSED',
            reason: 'limit_day',
            detail: 'the limit of the day is used up',
          }),
        },
      },
      1_000_000,
    )
    const asked = await d.ask({ amount: 50_000 })
    await d.work()
    expect(await d.status(asked.id)).toBe('signing')
    expect(await d.alerts()).toContain('signer_refused')
    const cancelled = await d.engine.withdrawals.cancel(asked.id, 'no', 'operator:ann')
    expect(cancelled.ok && cancelled.value.status).toBe('signing')
    await d.expectSound()
  })

  it('that gives another transaction back is not believed', async () => {
    let stolen: Uint8Array | undefined
    const d = await open(
      {
        signer: {
          name: 'swapping',
          sign: async ({ bytes }) => {
            const answer = stolen ?? signWith(ROOT, bytes) ?? bytes
            stolen ??= answer
            return { answer: 'signed', bytes: answer }
          },
        },
      },
      1_000_000,
      1_000_000,
    )
    const one = await d.ask({ amount: 50_000 })
    await d.work()
    const two = await d.ask({ amount: 60_000 })
    await d.work()
    expect(await d.status(one.id)).toBe('sending')
    expect(await d.status(two.id)).toBe('signing')
    expect(await d.alerts()).toContain('signer_refused')
    await d.expectSound()
  })
})
