import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createWatchSet } from '@kaccy/bitcoin/wallet'
import { costLine, type Report, rates } from '../measure.ts'
import { scriptNumber, seeded } from '../synthetic.ts'

export const name = 'watch'

const SCRIPT = 22
const PER_BLOCK = 7_500
/** With one block repeated, every table looks several times faster than it is. */
const BLOCKS = 32

const entropy = { bytes: (length: number) => seeded(7).bytes(length) }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
function heap(): number {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Scripts of strangers, one in 938 ours, behind one another. */
function stream(watched: number): Buffer {
  const bytes = Buffer.alloc(SCRIPT * PER_BLOCK * BLOCKS)
  for (let i = 0; i < PER_BLOCK * BLOCKS; i++) {
    const script = i % 938 === 5 ? scriptNumber((i * 131) % watched, 0) : scriptNumber(i, 1)
    bytes.set(script, i * SCRIPT)
  }
  return bytes
}

/** One block after another. Answers the number of lookups and fails when the hits are wrong. */
function lookups(find: (offset: number) => boolean): () => number {
  let block = 0
  return () => {
    let hits = 0
    for (let i = block * PER_BLOCK; i < (block + 1) * PER_BLOCK; i++) {
      if (find(i * SCRIPT)) hits++
    }
    block = (block + 1) % BLOCKS
    if (hits < 7 || hits > 8) throw new TypeError(`${hits} hits in a block`)
    return PER_BLOCK
  }
}

async function compare(report: Report, watched: number): Promise<void> {
  const set = createWatchSet(entropy)
  for (let i = 0; i < watched; i++) set.add(scriptNumber(i, 0), i)
  const before = heap()
  const map = new Map<string, number>()
  for (let i = 0; i < watched; i++) map.set(Buffer.from(scriptNumber(i, 0)).toString('hex'), i)
  const mapBytes = heap() - before
  const bytes = stream(watched)
  const measured = await rates({
    set: lookups((at) => set.find(bytes, at, SCRIPT) >= 0),
    map: lookups((at) => map.has(bytes.toString('hex', at, at + SCRIPT))),
  })
  const count = watched.toLocaleString('en')
  const cost = (what: string, unit: string, value: number, other: number) =>
    report(costLine(what, unit, value, 'Map with hex keys', other))
  cost(`look up a script among ${count}`, 'ns', 1e9 / measured.set, 1e9 / measured.map)
  cost(`memory of ${count} scripts`, 'bytes/script', set.bytes / watched, mapBytes / watched)
}

export async function run(report: Report): Promise<void> {
  await compare(report, 100_000)
  await compare(report, 1_000_000)
}
