import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
  if (reason !== undefined) process.stderr.write(`SKIPPED on btcd: ${schedule.name}: ${reason}\n`)
}
const missing = reasonToSkipCounterpart('btcd', await findBtcd())

describe.skipIf(missing !== undefined)('chain schedules on btcd, with real reorganisations', () => {
  let node: TestNode
  beforeAll(async () => {
    node = await startBtcd()
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
})
