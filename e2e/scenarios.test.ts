import { describe, expect, test } from 'vitest'
import { runOnDevnet } from '../tools/scenarios/run.ts'
import { reasonToSkip } from '../tools/scenarios/schedule.ts'
import { sharedSchedules } from '../tools/scenarios/schedule-file.ts'

const { defaults, schedules } = await sharedSchedules()
const runnable = schedules.filter((schedule) => reasonToSkip(schedule) === undefined)

describe('chain schedules on the devnet', () => {
  test('all schedules are here', () => {
    expect(runnable.length).toBe(21)
  })
  test.each(runnable.map((schedule) => [schedule.name, schedule] as const))(
    '%s',
    async (_name, schedule) => {
      expect(await runOnDevnet(schedule, defaults)).toEqual([])
    },
  )
})
