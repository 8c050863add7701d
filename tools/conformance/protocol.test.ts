import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as addresses from './topics/addresses.ts'
import * as bech32 from './topics/bech32.ts'
import * as bip32 from './topics/bip32.ts'
import * as bip39 from './topics/bip39.ts'
import * as derivation from './topics/derivation.ts'
import * as descriptors from './topics/descriptors.ts'
import * as multisig from './topics/multisig.ts'
import * as uri from './topics/uri.ts'

const vectors = join(process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared'), 'vectors')

/** The sum of the last column of the topic's README: the number of cases that have to come out. */
function announcedCases(topic: string): number {
  const readme = readFileSync(join(vectors, topic, 'README.md'), 'utf8')
  const counts = [...readme.matchAll(/^\|.*\| (\d+) \|$/gm)].map((row) => Number(row[1]))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Cases that cannot be checked, by topic; everything else has to pass. */
const SKIPPED: Readonly<Record<string, number>> = { bip39: 28, derivation: 8, multisig: 1 }

const isAbsent = !existsSync(vectors)
describe.skipIf(isAbsent)('public vectors (SKIPPED without ../shared)', () => {
  for (const module of [bip32, bip39, derivation, addresses, bech32, descriptors, multisig, uri]) {
    it(`${module.topic}: every case comes out once and none fails`, async () => {
      const records = []
      for await (const record of module.run(join(vectors, module.topic))) records.push(record)
      expect(records.filter(({ outcome }) => outcome === 'failed')).toEqual([])
      const skipped = records.filter(({ outcome }) => outcome === 'skipped')
      expect(skipped.length).toBe(SKIPPED[module.topic] ?? 0)
      expect(records.length).toBe(announcedCases(module.topic))
      expect(new Set(records.map((record) => record.case)).size).toBe(records.length)
    })
  }
})
