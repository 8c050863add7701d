import { expect, test } from 'vitest'
import { createTurns } from './turn.ts'

test('all who ask within one turn of the loop wait for the same end, and nobody for a later one', async () => {
  const endOfTurn = createTurns()
  const first = endOfTurn()
  await Promise.resolve()
  expect(endOfTurn()).toBe(first)
  await first
  const second = endOfTurn()
  expect(second).not.toBe(first)
  await second
})
