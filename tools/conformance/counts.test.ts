import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CaseRecord } from './cases.ts'
import * as attacks from './topics/attacks.ts'
import * as amounts from './topics/amounts.ts'
import * as chain from './topics/chain.ts'
import * as coinselect from './topics/coinselect.ts'
import * as coreConsensus from './topics/core-consensus.ts'
import * as coreRpc from './topics/core-rpc.ts'
import * as ecdsa from './topics/ecdsa.ts'
import * as hardware from './topics/hardware.ts'
import * as hash from './topics/hash.ts'
import * as json from './topics/json.ts'
import * as labels from './topics/labels.ts'
import * as psbt from './topics/psbt.ts'
import * as schnorr from './topics/schnorr.ts'
import * as scripts from './topics/scripts.ts'
import * as sighash from './topics/sighash.ts'
import * as taproot from './topics/taproot.ts'

const vectors = join(process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared'), 'vectors')
const isMissing = !existsSync(vectors)

/** The sum of the last column of a topic's table. */
function announced(topic: string): number {
  const page = readFileSync(join(vectors, topic, 'README.md'), 'utf8')
  const counts = [...page.matchAll(/^\|.*\| (\d+) \|$/gm)].map((row) => Number(row[1]))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Topics in which something cannot be checked yet, with the number of those cases. */
const skippedCases: Readonly<Record<string, number>> = {
  hash: 2,
  psbt: 11,
  scripts: 9,
  sighash: 4,
  taproot: 1,
}
const modules = [
  amounts,
  attacks,
  chain,
  coinselect,
  coreConsensus,
  coreRpc,
  ecdsa,
  hardware,
  hash,
  json,
  labels,
  psbt,
  schnorr,
  scripts,
  sighash,
  taproot,
]

describe.skipIf(isMissing)('each public case comes out once (SKIPPED without ../shared)', () => {
  it.each(modules)('$topic', async ({ topic, run }) => {
    const records: CaseRecord[] = []
    for await (const record of run(join(vectors, topic))) records.push(record)
    expect(records.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    const skipped = records.filter(({ outcome }) => outcome === 'skipped')
    expect(skipped).toHaveLength(skippedCases[topic] ?? 0)
    expect(records).toHaveLength(announced(topic))
    expect(new Set(records.map((record) => record.case)).size).toBe(records.length)
  })
})
