import { strict as assert } from 'node:assert'
import { FEE_TARGETS } from '@kaccy/bitcoin/chain'
import type { Check } from './check.ts'

/** What a node says of fees. */
export const FEE_CHECKS: readonly Check[] = [
  {
    name: 'fees are what the node says: each estimate above its floor, and reasons where there is none',
    run: async ({ source }) => {
      const report = await source.fees?.()
      assert.ok(report, 'the source asks for fees')
      const { estimates, reasons, mempoolMinimum } = report
      const targets = estimates.map(({ target }) => target)
      assert.deepEqual(
        targets,
        [...targets].sort((a, b) => a - b),
      )
      for (const { target, mode, rate, blocks, source: origin } of estimates) {
        assert.ok((FEE_TARGETS as readonly number[]).includes(target))
        assert.ok(mode === 'economical' || mode === 'conservative')
        assert.equal(origin, 'estimatesmartfee')
        assert.ok(rate > 0n && blocks >= 1)
        if (mempoolMinimum) assert.ok(rate >= mempoolMinimum.rate, `${rate} sat/kvB for ${target}`)
      }
      const missing = estimates.length < 2 * FEE_TARGETS.length
      assert.equal(reasons.length > 0, missing, 'what is missing has a reason')
    },
  },
  {
    name: 'the floors of the mempool are exact',
    run: async ({ source, client }) => {
      const { mempoolMinimum, relayMinimum } = (await source.fees?.()) ?? {}
      const { minRate, minRelayRate } = await client.getMempoolInfo()
      assert.equal(mempoolMinimum?.rate, minRate)
      assert.equal(relayMinimum?.rate, minRelayRate)
      if (minRate === undefined) return 'this node does not name its floors'
      return undefined
    },
  },
]
