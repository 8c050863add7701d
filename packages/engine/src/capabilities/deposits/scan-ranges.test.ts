import { expect, test } from 'vitest'
import type { WalletId } from '../../kernel/index.ts'
import { descriptorFromXpub, printDescriptor } from '../../protocol/descriptor/index.ts'
import { scanRanges } from './scan-ranges.ts'

const VPUB =
  'vpub5Y6cjg78GGuNLsaPhmYsiw4gYX3HoQiRBiSwDaBXKUafCt9bNwWQiitDk5VZ5BVxYnQdwoTyXSs2JHRPAgjAvtbBrf8ZhDYe2jWAqvZVnsc'

test('each branch is searched as far as it is watched', () => {
  const made = descriptorFromXpub({ xpub: VPUB, network: 'regtest', anyDepth: true })
  if (!made.ok) throw new TypeError(made.error.message)
  const wallet = {
    id: 'wal_1' as WalletId,
    name: 'w',
    network: 'regtest',
    descriptor: printDescriptor(made.value),
    status: 'active',
    gapLimit: 20,
    lookahead: 100,
    birthday: 0,
    createdAt: 0,
  } as const
  const chain = { wallet: wallet.id, nextIndex: 3, lastUsed: -1, reach: -1 }
  const ranges = scanRanges(wallet, [
    { ...chain, branch: 0, watchedTo: 103 },
    { ...chain, branch: 1, watchedTo: 20 },
  ])
  expect(ranges.map(({ last }) => last)).toEqual([102, 19])
  expect(ranges.map(({ descriptor }) => descriptor.includes('/0/*)'))).toEqual([true, false])
  expect(ranges.every(({ descriptor }) => /#[a-z0-9]{8}$/.test(descriptor))).toBe(true)
})
