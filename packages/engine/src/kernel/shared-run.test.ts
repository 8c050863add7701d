import { expect, test } from 'vitest'
import { EngineError } from './error.ts'
import { shareRuns } from './shared-run.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

test('calls of one moment share a run, in order and within its size', async () => {
  const runs: (readonly number[])[] = []
  const call = shareRuns(async (inputs: readonly number[]) => {
    runs.push(inputs)
    return inputs.map((input) => input * 10)
  }, 3)
  expect(await Promise.all(upTo(7).map(call))).toEqual(upTo(7).map((n) => n * 10))
  expect(runs).toEqual([[0, 1, 2], [3, 4, 5], [6]])
  expect(await call(9)).toBe(90)
})

test('a call that cannot succeed takes no other one down', async () => {
  const runs: (readonly number[])[] = []
  const call = shareRuns(async (inputs: readonly number[]) => {
    runs.push(inputs)
    if (inputs.includes(1)) throw new EngineError('STORE_CONFLICT', 'a key exists')
    return inputs
  }, 10)
  const settled = await Promise.allSettled(upTo(3).map(call))
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(runs).toEqual([[0, 1, 2], [0], [1], [2]])
})

test('work that may have been committed is never run again', async () => {
  let runs = 0
  const call = shareRuns(async () => {
    runs += 1
    throw new EngineError('STORE_UNAVAILABLE', 'the outcome is unknown')
  }, 10)
  const settled = await Promise.allSettled(upTo(3).map(call))
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(runs).toBe(1)
  await expect(call(4)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
})
