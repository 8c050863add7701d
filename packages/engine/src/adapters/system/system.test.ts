import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../kernel/index.ts'
import { systemEntropy, systemSha256, systemTimers } from './index.ts'

test('the fast SHA-256 equals the portable one on any bytes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      (bytes) => toHex(systemSha256(bytes)) === toHex(sha256(bytes)),
    ),
    { numRuns: 2000 },
  )
})
test('random bytes have the length asked for and do not repeat', () => {
  const drawn = new Set(Array.from({ length: 1000 }, () => toHex(systemEntropy.bytes(16))))
  expect(drawn.size).toBe(1000)
  expect(systemEntropy.bytes(7).length).toBe(7)
})
test('a timer fires once, and not at all when cancelled', async () => {
  const fired: string[] = []
  const cancel = systemTimers.after(0, () => fired.push('cancelled'))
  cancel()
  await new Promise<void>((resolve) => {
    systemTimers.after(1, () => {
      fired.push('fired')
      resolve()
    })
  })
  expect(fired).toEqual(['fired'])
})
