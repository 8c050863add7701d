import {
  assert,
  equalBytes,
  err,
  ok,
  outPointKey,
  type Refusal,
  type Result,
  refuse,
  sat,
} from '../../kernel/index.ts'
import { deriveScripts } from '../descriptor/index.ts'
import { nobleCurve } from '../keys/index.ts'
import type { LookCoin, LookExpectation } from './expectation.ts'
import { fault, type LookFault } from './fault.ts'
import { feeFaults, feeOf, frameFaults } from './limits.ts'
import { coinFaults, outputFaults } from './outputs.ts'
import { readFinal, type SeenTransaction } from './read.ts'
import { sighashes } from './sighash.ts'
import { spendFault } from './spend.ts'
import { type LookToken, makeToken } from './token.ts'

/**
 * Looks at the final bytes of a transaction, as they would be broadcast, and derives everything anew. Every fault is reported; only
 * where the inputs are not the leased coins, and so no amounts are known, is the fee left out, and signatures where it is not the planned
 * transaction: they would be those of another one.
 * @throws AssertionError for an expectation that contradicts itself.
 */
export function lastLook(
  bytes: Uint8Array,
  expectation: LookExpectation,
): Result<LookToken, readonly LookFault[]> {
  checkExpectation(expectation)
  // Not `slice`: that of a Buffer shares its memory.
  const copy = Uint8Array.from(bytes)
  const seen = readFinal(copy)
  if (!seen) return err([fault('malformed', 'the bytes are not one whole transaction')])
  const faults = [
    ...frameFaults(seen, expectation),
    ...coinFaults(seen, expectation),
    ...outputFaults(seen, expectation),
  ]
  const coins = coinsOf(seen, expectation)
  if (coins) {
    faults.push(...feeFaults(seen, expectation))
    const isPlanned = seen.unsignedTxid === expectation.unsignedTxid
    if (isPlanned) faults.push(...inputFaults(seen, coins, expectation))
  }
  if (faults.length > 0) return err(faults)
  const { txid, wtxid, weight } = seen
  return ok(makeToken(copy, { txid, wtxid, weight, fee: sat(feeOf(seen, expectation)) }))
}

function checkExpectation({ coins, anchor, payments, limits }: LookExpectation): void {
  const keys = new Set(coins.map(outPointKey))
  assert(
    coins.length > 0 && keys.size === coins.length,
    'a last look without or with doubled coins',
  )
  assert(keys.has(outPointKey(anchor)), 'the anchor is not among the coins of the last look')
  assert(
    payments.every(({ amount }) => amount > 0n),
    'a payment of nothing in the last look',
  )
  const { maxFeePpm = 0 } = limits
  assert(Number.isSafeInteger(maxFeePpm) && maxFeePpm >= 0, `a ceiling of ${maxFeePpm} ppm`)
}

/** The coin of each input, in order; undefined unless inputs and leased coins are the same. */
function coinsOf(seen: SeenTransaction, expected: LookExpectation): LookCoin[] | undefined {
  const leased = new Map(expected.coins.map((coin) => [outPointKey(coin), coin]))
  const coins = seen.inputs.flatMap((input) => leased.get(outPointKey(input)) ?? [])
  const isSame = coins.length === seen.inputs.length && new Set(coins).size === leased.size
  return isSame && coins.length === leased.size ? coins : undefined
}

/** Every coin is ours by its descriptor, and every input spends it in the descriptor's form with signatures that are right. */
function inputFaults(
  seen: SeenTransaction,
  coins: readonly LookCoin[],
  { descriptor }: LookExpectation,
): LookFault[] {
  const hashes = sighashes(seen, coins)
  return seen.inputs.flatMap((input, at) => {
    const coin = coins[at] as LookCoin
    const details = { input: at, coin: outPointKey(coin) }
    const { branch, index } = coin
    const isThere = branch >= 0 && branch < descriptor.branches
    const [script] = isThere ? deriveScripts(descriptor, branch, index, 1, nobleCurve) : []
    if (!script || !equalBytes(script, coin.script)) {
      return [
        fault(
          'coin_not_ours',
          `the coin of input ${at} is not ${branch}/${index} of the wallet`,
          details,
        ),
      ]
    }
    const reason = spendFault({ at, input, coin, hashes }, descriptor)
    return reason ? [fault(reason, `input ${at}: ${WORDS[reason]}`, details)] : []
  })
}

const WORDS = {
  script_shape: 'scripts and witness do not have the form of the wallet',
  annex: 'an annex',
  sighash: 'a signature that does not sign everything',
  signature: 'a signature that is not right',
} as const

/** The faults as one refusal, for callers that pass refusals on. */
export const refuseByLook = (
  faults: readonly LookFault[],
): { readonly ok: false; readonly error: Refusal<'LAST_LOOK_REFUSED'> } =>
  refuse('LAST_LOOK_REFUSED', faults.map(({ message }) => message).join('; '), {
    details: { reasons: [...new Set(faults.map(({ reason }) => reason))].join(' ') },
  })
