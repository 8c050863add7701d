import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NETWORKS, type WalletId } from '../../kernel/index.ts'
import {
  type ApiKeyRecord,
  allows,
  type Grant,
  grantFault,
  isAddressAllowed,
  losesLastAdmin,
  mayGrant,
  modeOf,
  SCOPES,
  type Scope,
} from './index.ts'

const wallet = (name: string) => `wal_${name}` as WalletId
const grant = (more: Partial<Grant> = {}): Grant => ({ scopes: ['orders:read'], ...more })

test('a mode for each network', () => {
  expect(NETWORKS.map((network) => `${network} ${modeOf(network)}`)).toEqual([
    'main live',
    'test test',
    'testnet4 test',
    'signet test',
    'regtest dev',
  ])
})

test('a key may do what it names; admin may do everything', () => {
  for (const has of SCOPES)
    for (const asked of SCOPES)
      expect(allows({ scopes: [has] }, asked)).toBe(has === asked || has === 'admin')
  expect(allows({ scopes: [] }, 'orders:read')).toBe(false)
})

test('addresses are compared as addresses, and what cannot be read is nowhere', () => {
  const key = grant({ addresses: ['192.0.2.0/24', '2001:db8::/32', '203.0.113.7'] })
  for (const from of ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.9', '2001:DB8::1', '203.0.113.7'])
    expect([from, isAddressAllowed(key, from)]).toEqual([from, true])
  for (const from of ['192.0.3.0', '2001:db9::1', '203.0.113.8', '', '192.0.2.1:80', 'fe80::1%lo'])
    expect([from, isAddressAllowed(key, from)]).toEqual([from, false])
  expect(isAddressAllowed(grant(), 'anywhere')).toBe(true)
})

test('a key gives nothing that it does not have', () => {
  const giver = grant({
    scopes: ['orders:read', 'keys:write'],
    wallets: [wallet('1'), wallet('2')],
    addresses: ['10.0.0.0/8', '192.0.2.1'],
    expiresAt: 100,
  })
  const gift = grant({ wallets: [wallet('2')], addresses: ['10.1.0.0/16'], expiresAt: 100 })
  expect(grantFault(giver, gift)).toBeUndefined()
  const { wallets: _, ...everywhere } = gift
  const { addresses: __, ...anywhere } = gift
  const { expiresAt: ___, ...forEver } = gift
  const faults: readonly (readonly [Grant, string])[] = [
    [{ ...gift, scopes: ['orders:write'] }, 'scopes'],
    [{ ...gift, scopes: ['admin'] }, 'scopes'],
    [{ ...gift, wallets: [wallet('2'), wallet('3')] }, 'wallets'],
    [everywhere, 'wallets'],
    [{ ...gift, addresses: ['8.0.0.0/7'] }, 'addresses'],
    [{ ...gift, addresses: ['10.0.0.0/7'] }, 'addresses'],
    [{ ...gift, addresses: ['10.0.0.1', '192.0.2.2'] }, 'addresses'],
    [anywhere, 'addresses'],
    [{ ...gift, expiresAt: 101 }, 'expires_at'],
    [forEver, 'expires_at'],
  ]
  for (const [wide, field] of faults) {
    expect([wide, grantFault(giver, wide)]).toEqual([wide, field])
    expect(mayGrant(giver, wide)).toBe(false)
  }
  expect(mayGrant(grant({ scopes: ['admin'] }), gift)).toBe(true)
})

const grants: fc.Arbitrary<Grant> = fc
  .record({
    scopes: fc.subarray<Scope>(['orders:read', 'orders:write', 'keys:write', 'admin'], {
      minLength: 1,
    }),
    wallets: fc.option(fc.subarray([wallet('1'), wallet('2'), wallet('3')], { minLength: 1 })),
    addresses: fc.option(
      fc.subarray(['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '::/0', '0.0.0.0/0'], { minLength: 1 }),
    ),
    expiresAt: fc.option(fc.integer({ min: 1, max: 3 })),
  })
  .map(({ scopes, wallets, addresses, expiresAt }) => ({
    scopes,
    ...(wallets ? { wallets } : {}),
    ...(addresses ? { addresses } : {}),
    ...(expiresAt === null ? {} : { expiresAt }),
  }))

test('whatever a key gives opens no door that it does not open itself, however often it is passed on', () => {
  const opens = (key: Grant, scope: Scope, at: number, from: string, id: string) =>
    allows(key, scope) &&
    (key.expiresAt ?? 9) > at &&
    isAddressAllowed(key, from) &&
    (key.wallets ?? [id]).some((own) => own === id)
  let given = 0
  fc.assert(
    fc.property(fc.array(grants, { minLength: 2, maxLength: 4 }), (chain) => {
      const [first, ...rest] = chain as [Grant, ...Grant[]]
      const reach = rest.reduce((giver, gift) => (mayGrant(giver, gift) ? gift : giver), first)
      if (reach !== first) given += 1
      for (const scope of SCOPES)
        for (const at of [0, 1, 2, 3])
          for (const from of ['10.0.0.1', '10.1.2.3', '10.1.9.9', '192.0.2.1', '2001:db8::1'])
            for (const id of ['wal_1', 'wal_2', 'wal_3'])
              if (opens(reach, scope, at, from, id))
                expect(opens(first, scope, at, from, id)).toBe(true)
      expect(mayGrant(first, first)).toBe(true)
    }),
    { numRuns: 300 },
  )
  expect(given).toBeGreaterThan(10)
})

const admin = (more: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
  id: 'key_1',
  name: 'a',
  mode: 'dev',
  scopes: ['admin'],
  metadata: {},
  hint: 'abcd',
  hash: '0'.repeat(64),
  createdAt: 1,
  createdBy: 'operator:ann',
  ...more,
})

test('the last key that may do everything is not lost, neither now nor one day', () => {
  const revoked = { revokedAt: 50 }
  const ever = Number.POSITIVE_INFINITY
  const loses = (
    before: Partial<ApiKeyRecord>,
    after: Partial<ApiKeyRecord>,
    others?: number,
  ): boolean => losesLastAdmin(admin(before), admin(after), others, 50)
  expect(loses({}, revoked)).toBe(true)
  expect(loses({}, revoked, ever)).toBe(false)
  expect(loses({}, revoked, 90)).toBe(true)
  expect(loses({}, { scopes: ['orders:read'] })).toBe(true)
  expect(loses({}, { wallets: [wallet('1')] })).toBe(true)
  expect(loses({}, { expiresAt: 100 })).toBe(true)
  expect(loses({}, { expiresAt: 100 }, ever)).toBe(false)
  expect(loses({}, { name: 'b' })).toBe(false)
  expect(loses({ expiresAt: 100 }, revoked)).toBe(true)
  expect(loses({ expiresAt: 100 }, revoked, 60)).toBe(false)
  expect(loses({ expiresAt: 100 }, {})).toBe(false)
  expect(loses({ expiresAt: 50 }, revoked)).toBe(false)
  expect(loses({ scopes: ['orders:read'] }, { scopes: ['orders:read'], ...revoked })).toBe(false)
})
