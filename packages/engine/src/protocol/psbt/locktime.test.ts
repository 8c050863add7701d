import { expect, it } from 'vitest'
import { lockTimeOf } from './locktime.ts'

const input = (requiredHeight?: number, requiredTime?: number) => ({
  signatures: [],
  origins: [],
  tapOrigins: [],
  kept: [],
  ...(requiredHeight === undefined ? {} : { requiredHeight }),
  ...(requiredTime === undefined ? {} : { requiredTime }),
})
const TIME = 1_657_048_460

it('takes the highest lock time that satisfies every input, in height where both would do', () => {
  expect(lockTimeOf([input(), input()], undefined)).toBe(0)
  expect(lockTimeOf([input(), input()], 7)).toBe(7)
  expect(lockTimeOf([input(10), input(20), input()], 7)).toBe(20)
  expect(lockTimeOf([input(undefined, TIME), input(undefined, TIME + 1)], 7)).toBe(TIME + 1)
  expect(lockTimeOf([input(10, TIME), input(20, TIME)], 7)).toBe(20)
  expect(lockTimeOf([input(10, TIME), input(undefined, TIME + 1)], 7)).toBe(TIME + 1)
  expect(lockTimeOf([input(10), input(undefined, TIME)], 7)).toBeUndefined()
})
