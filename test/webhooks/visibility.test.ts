import { SCOPES, seesEvent } from '@kaccy/bitcoin/access'
import { mayEventBeSeen } from '@kaccy/bitcoin/events'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test('a webhook delivers exactly what the key that made it sees in a stream', () => {
  const areas = [
    'order',
    'payment',
    'wallet',
    'chain',
    'alert',
    'webhook',
    'key',
    'audit',
    'psbt',
    '__proto__',
  ]
  const wallet = fc.constantFrom('wal_1', 'wal_2', 'wal_3')
  fc.assert(
    fc.property(
      fc.constantFrom(...areas),
      fc.subarray([...SCOPES]),
      fc.option(fc.uniqueArray(wallet), { nil: undefined }),
      fc.option(fc.oneof(wallet, fc.constant(7)), { nil: undefined }),
      (area, scopes, wallets, named) => {
        const event = {
          type: `${area}.happened`,
          data: named === undefined ? {} : { wallet: named },
        }
        const grant = { scopes, ...(wallets ? { wallets: wallets as WalletId[] } : {}) }
        expect(mayEventBeSeen(event, grant)).toBe(seesEvent(grant, event))
      },
    ),
    { numRuns: 2000 },
  )
})
