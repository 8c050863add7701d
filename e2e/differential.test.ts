import { describe, expect, test } from 'vitest'
import { findBitcoind } from '../test/counterparts/bitcoind.ts'
import { findBtcd } from '../test/counterparts/btcd.ts'
import { reasonToSkip } from '../test/counterparts/node.ts'
import { differential, usualStart } from '../tools/differential/differential.ts'

const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const TRANSACTIONS = Math.max(200, Math.round(2000 * SCALE))
const BLOCKS = Math.max(20, Math.round(200 * SCALE))

const NODES = [
  { node: 'btcd', reason: reasonToSkip('btcd', await findBtcd()) },
  {
    node: 'core',
    reason: reasonToSkip(
      'Bitcoin Core',
      await findBitcoind(),
      process.env['BITCOIND'] !== undefined,
    ),
  },
] as const

describe.each(NODES)('the devnet and $node agree', ({ node, reason }) => {
  test.skipIf(reason)(
    `on ${TRANSACTIONS} random transactions and ${BLOCKS} random blocks`,
    async () => {
      // Other input in each run; seed and start of a failing one are printed and bring it back.
      const seed = Math.floor(Date.now() / 1000) % 1_000_000_000
      const size = { transactions: TRANSACTIONS, blocks: BLOCKS }
      const report = await differential({ seed, start: usualStart(), node, ...size })
      if ('missing' in report) throw new TypeError(report.missing)
      const { findings, counts, named } = report
      const known = Object.entries(named).map(([name, count]) => `${name}: ${count}`)
      process.stderr.write(
        `${node}: --seed ${report.seed} --start ${report.start}, ${known.join(', ') || 'no named differences'}\n`,
      )
      expect(findings).toEqual([])
      const count = (name: string) => counts[name] ?? 0
      expect(count('transactions relayed')).toBeGreaterThan(TRANSACTIONS / 8)
      expect(count('transactions valid')).toBeGreaterThan(TRANSACTIONS / 8)
      expect(count('transactions invalid')).toBeGreaterThan(TRANSACTIONS / 8)
      expect(count('outpoints compared')).toBeGreaterThan(TRANSACTIONS)
    },
    1_800_000,
  )
})
