import { expect, test } from 'vitest'
import { aloneAtATime } from './alone.ts'

test('a second caller is sent away while the first one runs, and nobody after it', async () => {
  const alone = aloneAtATime()
  const gate = Promise.withResolvers<string>()
  const first = alone(() => gate.promise)
  await expect(alone(async () => 'second')).rejects.toMatchObject({
    refusal: { code: 'RATE_LIMITED' },
    headers: { 'retry-after': '5' },
  })
  gate.resolve('first')
  expect(await first).toBe('first')
  await expect(alone(() => Promise.reject(new TypeError('broken')))).rejects.toThrow('broken')
  const told = alone(() => {
    throw new TypeError('at once')
  })
  await expect(told).rejects.toThrow('at once')
  expect(await alone(async () => 'third')).toBe('third')
})
