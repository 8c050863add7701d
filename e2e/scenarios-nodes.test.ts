import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBitcoind, startBitcoind } from '../test/counterparts/bitcoind.ts'
import { findBtcd, startBtcd } from '../test/counterparts/btcd.ts'
import {
  reasonToSkip as reasonToSkipCounterpart,
  type TestNode,
} from '../test/counterparts/node.ts'
import { reasonToSkipOnNode, runOnNode } from '../tools/scenarios/on-node.ts'
import { reasonToSkip } from '../tools/scenarios/schedule.ts'
import { sharedSchedules } from '../tools/scenarios/schedule-file.ts'

const { defaults, schedules } = await sharedSchedules()
const runnable = schedules.filter(
  (schedule) => (reasonToSkip(schedule) ?? reasonToSkipOnNode(schedule)) === undefined,
)
for (const schedule of schedules) {
  const reason = reasonToSkip(schedule) ?? reasonToSkipOnNode(schedule)
  if (reason !== undefined) process.stderr.write(`SKIPPED on nodes: ${schedule.name}: ${reason}\n`)
}

/** Bitcoin Core is in no registry, so it is promised only where `BITCOIND` names it. */
const NODES = [
  { name: 'btcd', found: await findBtcd(), promised: true, start: startBtcd },
  {
    name: 'Bitcoin Core',
    found: await findBitcoind(),
    promised: process.env['BITCOIND'] !== undefined,
    start: startBitcoind,
  },
]

for (const { name, found, promised, start } of NODES) {
  const missing = reasonToSkipCounterpart(name, found, promised)
  describe.skipIf(missing !== undefined)(
    `chain schedules on ${name}, with real reorganisations`,
    () => {
      let node: TestNode
      beforeAll(async () => {
        node = await start()
      })
      afterAll(async () => {
        await node.stop()
      })
      test.each(runnable.map((schedule) => [schedule.name, schedule] as const))(
        '%s',
        async (_name, schedule) => {
          expect(await runOnNode(schedule, defaults, node)).toEqual([])
        },
      )
    },
  )
}
