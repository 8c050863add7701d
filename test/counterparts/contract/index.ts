import type { BitcoindOptions } from '@kaccy/bitcoin/adapters/bitcoind'
import { Bench } from './bench.ts'
import { CHAIN_CHECKS } from './chain.ts'
import type { Check } from './check.ts'
import { FEE_CHECKS } from './fees.ts'
import { MONEY_CHECKS } from './money.ts'
import { WIRE_CHECKS } from './wire.ts'

/** What every node behind `ChainSource` must do, in an order in which each check leaves the node fit for the next. */
export const NODE_CONTRACT: readonly Check[] = [
  ...CHAIN_CHECKS,
  ...MONEY_CHECKS,
  ...FEE_CHECKS,
  ...WIRE_CHECKS,
]

export type CheckResult =
  | { readonly name: string; readonly passed: true }
  | { readonly name: string; readonly passed: true; readonly skipped: string }
  | { readonly name: string; readonly passed: false; readonly reason: string }

/**
 * Runs the suite against any regtest node; mines and spends there. Rejects at once when the node cannot be reached, or when
 * its chain is another one.
 */
export async function runNodeContract(
  options: BitcoindOptions,
  report: (result: CheckResult) => void,
): Promise<readonly CheckResult[]> {
  const bench = new Bench(options)
  const results: CheckResult[] = []
  try {
    const { network } = await bench.source.info()
    if (network !== 'regtest') throw new TypeError(`the suite mines: regtest only, not ${network}`)
    for (const check of NODE_CONTRACT) {
      const result = await resultOf(check, bench)
      results.push(result)
      report(result)
    }
  } finally {
    await bench.close()
  }
  return results
}

async function resultOf({ name, run }: Check, bench: Bench): Promise<CheckResult> {
  try {
    const skipped = await run(bench)
    return typeof skipped === 'string' ? { name, passed: true, skipped } : { name, passed: true }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { name, passed: false, reason: reason.replace(/\s+/g, ' ') }
  }
}
