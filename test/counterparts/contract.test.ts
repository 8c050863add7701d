import { afterAll, beforeAll, describe, it } from 'vitest'
import { findBitcoind, startBitcoind } from './bitcoind.ts'
import { findBtcd, startBtcd } from './btcd.ts'
import { Bench } from './contract/bench.ts'
import { NODE_CONTRACT } from './contract/index.ts'
import { startDevnet } from './devnet.ts'
import { type Found, reasonToSkip, type TestNode } from './node.ts'

/** The same promises, held against every node that can be started here. */
const COUNTERPARTS: readonly {
  readonly name: string
  readonly found: Found<unknown>
  readonly promised: boolean
  start(): Promise<TestNode>
}[] = [
  { name: 'devnet', found: { found: true }, promised: true, start: startDevnet },
  { name: 'btcd', found: await findBtcd(), promised: true, start: startBtcd },
  {
    name: 'Bitcoin Core',
    found: await findBitcoind(),
    promised: process.env['BITCOIND'] !== undefined,
    start: startBitcoind,
  },
]

for (const { name, found, promised, start } of COUNTERPARTS) {
  const reason = reasonToSkip(name, found, promised)
  describe.skipIf(reason)(`node contract: ${name}`, () => {
    let node: TestNode | undefined
    let bench: Bench | undefined
    beforeAll(async () => {
      node = await start()
      bench = new Bench(node.source)
    })
    afterAll(async () => {
      await bench?.close()
      await node?.stop()
    })
    for (const check of NODE_CONTRACT) {
      it(check.name, async (context) => {
        if (!bench) throw new TypeError('the node did not start')
        const reason = await check.run(bench)
        if (typeof reason === 'string') {
          process.stderr.write(`SKIPPED: ${name}: ${check.name}: ${reason}\n`)
          context.skip(reason)
        }
      })
    }
  })
}
