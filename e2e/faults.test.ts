import { expect, test } from 'vitest'
import { STAGES } from '../tools/faults/cells.ts'
import { Matrix } from '../tools/faults/matrix.ts'

/** 50 stories of each cell at night; `KACCY_SCALE` is the only difference. */
const TIMES = process.env['KACCY_SCALE'] === '1' ? 50 : 3

test('whatever goes wrong at whatever stage of a payout, at most one transaction pays, and exactly one in the end', async () => {
  const report = await new Matrix(TIMES).run(STAGES, () => {})
  console.log(JSON.stringify(report))
  expect(report.wrong).toEqual([])
  expect(report.cells).toBeGreaterThan(100)
  expect(report.met).toBe(report.cells * TIMES)
}, 3_600_000)
