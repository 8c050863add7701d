import { equalBytes, toHex } from '@kaccy/bitcoin/kernel'
import {
  checkPsbt,
  combinePsbts,
  encodePsbt,
  encodePsbtText,
  finalizePsbt,
  judgePsbt,
  type Psbt,
  parsePsbt,
  progressOf,
  takeSignatures,
  Verifier,
} from '@kaccy/bitcoin/protocol/psbt'
import { secretsFor, signPsbt } from '@kaccy/bitcoin/testing'
import { verifyInput } from '@kaccy/devnet/script'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plans, SCALE } from './plans.ts'
import { MASTERS, must, WALLETS, withdrawalOf } from './wallets.ts'

/** 1,000 over all kinds in a usual run, 10,000 of each kind at night. */
const RUNS = SCALE >= 1 ? 10_000 : 170
const SIGNED = SCALE >= 1 ? 200 : 4

/** What each signer hands in. */
const signedBy = (psbt: Psbt): Psbt[] =>
  MASTERS.map((master) => signPsbt(psbt, secretsFor(psbt, master)))

describe.each(WALLETS)('honest withdrawals of $name', (wallet) => {
  it('are never refused, come back byte for byte and mean the same in both versions', () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { psbt, policy } = withdrawalOf(wallet, plan)
        expect(checkPsbt(psbt, policy)).toEqual([])
        const bytes = encodePsbt(psbt)
        const back = must(parsePsbt(bytes))
        expect(equalBytes(encodePsbt(back), bytes)).toBe(true)
        expect(back.transaction).toEqual(psbt.transaction)
        const other = must(parsePsbt(encodePsbt(back, plan.version === 0 ? 2 : 0)))
        expect(other.transaction).toEqual(psbt.transaction)
        expect(equalBytes(encodePsbt(other, plan.version), bytes)).toBe(true)
      }),
      { numRuns: RUNS },
    )
  })

  it('are signed, collected in any order, completed, and spend their coins', () => {
    fc.assert(
      fc.property(plans(wallet.name !== 'tr'), fc.boolean(), (plan, isReversed) => {
        const { psbt, policy } = withdrawalOf(wallet, plan)
        const signed = signedBy(psbt).slice(0, wallet.threshold)
        const inTurn = isReversed ? [...signed].reverse() : signed
        let collected = psbt
        for (const theirs of inTurn) {
          const text = encodePsbt(theirs, plan.version === 0 ? 2 : 0)
          const taken = must(takeSignatures(collected, must(parsePsbt(text))))
          expect(taken.added).toBe(psbt.inputs.length)
          collected = taken.psbt
        }
        const needed = { have: wallet.threshold, need: wallet.threshold, missing: [] }
        expect(progressOf(collected)).toEqual(psbt.inputs.map(() => needed))
        expect(checkPsbt(collected, policy)).toEqual([])
        expect(must(takeSignatures(collected, collected)).added).toBe(0)
        const { bytes } = must(finalizePsbt(collected))
        const spent = new Verifier(psbt).coins.flatMap(({ coin }) =>
          coin ? [{ value: coin.amount, script: coin.script }] : [],
        )
        for (const input of psbt.inputs.keys()) {
          expect(verifyInput({ transaction: bytes, input, spent })).toMatchObject({ ok: true })
        }
      }),
      { numRuns: SIGNED },
    )
  })

  it('combine to the same whichever comes first, and once more changes nothing', () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { psbt } = withdrawalOf(wallet, plan)
        const [one, two = psbt, three = psbt] = signedBy(psbt)
        const both = must(combinePsbts(one as Psbt, two))
        const bytes = toHex(encodePsbt(both))
        expect(toHex(encodePsbt(must(combinePsbts(two, one as Psbt))))).toBe(bytes)
        expect(toHex(encodePsbt(must(combinePsbts(both, one as Psbt))))).toBe(bytes)
        const left = must(combinePsbts(both, three))
        const right = must(combinePsbts(one as Psbt, must(combinePsbts(two, three))))
        expect(toHex(encodePsbt(left))).toBe(toHex(encodePsbt(right)))
      }),
      { numRuns: SIGNED },
    )
  })

  it('are refused when a second payment is asked for, and when one is asked for no more', () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { psbt, policy } = withdrawalOf(wallet, plan)
        const [first] = policy.requests
        const reasons = (requests: typeof policy.requests) =>
          judgePsbt(encodePsbtText(psbt), { ...policy, requests }).map(({ reason }) => reason)
        expect(reasons([...policy.requests, ...(first ? [first] : [])])).toEqual([
          'request_mismatch',
        ])
        const less = reasons(policy.requests.slice(1))
        expect(['unknown_output', 'request_mismatch']).toContain(less[0])
      }),
      { numRuns: Math.ceil(RUNS / 20) },
    )
  })
})
