import { expect, test } from 'vitest'
import { shared } from './readiness.ts'

test('who asks whether it is ready at the same time as others gets their answer', async () => {
  let asked = 0
  const gate = Promise.withResolvers<void>()
  const ask = shared(async () => {
    asked += 1
    await gate.promise
    return asked
  })
  const answers = Promise.all([ask(), ask(), ask()])
  gate.resolve()
  expect(await answers).toEqual([1, 1, 1])
  expect(await ask()).toBe(2)
  const broken = shared(() => Promise.reject(new TypeError('no')))
  await expect(broken()).rejects.toThrow('no')
  await expect(broken()).rejects.toThrow('no')
})
