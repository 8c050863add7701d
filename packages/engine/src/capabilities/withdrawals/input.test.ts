import { describe, expect, test } from 'vitest'
import { assert, type Network, sat, satPerKvB, type WalletId } from '../../kernel/index.ts'
import { addressOf } from '../../protocol/address/index.ts'
import { p2pkhScript, p2wpkhScript, witnessScript } from '../../protocol/script/index.ts'
import { checkInput, DEFAULT_RULES, identify, type WithdrawalInput } from './input.ts'

const NOW = 1_780_000_000_000
const DAY = 24 * 3600 * 1000
function address(script: Uint8Array, network: Network = 'regtest'): string {
  const found = addressOf(script, network)
  assert(found.ok, 'an address')
  return found.value
}
const HASH = new Uint8Array(20).fill(7)
const SEGWIT = address(p2wpkhScript(HASH))
const LEGACY = address(p2pkhScript(HASH))
const base: WithdrawalInput = {
  wallet: 'wal_1' as WalletId,
  externalId: 'x',
  address: SEGWIT,
  amount: sat(100_000n),
}
function read(more: Partial<WithdrawalInput>) {
  const input = { ...base, ...more }
  const identity = identify(input, 'regtest')
  return identity.ok ? checkInput(input, identity.value, DEFAULT_RULES, NOW) : identity
}
const refusal = (more: Partial<WithdrawalInput>) => {
  const checked = read(more)
  return checked.ok ? 'taken' : `${checked.error.code} ${checked.error.param ?? ''}`
}
const digestOf = (more: Partial<WithdrawalInput>) => {
  const identity = identify({ ...base, ...more }, 'regtest')
  return identity.ok ? identity.value.digest : identity.error.code
}
const rate = (value: bigint) => ({ kind: 'rate', rate: satPerKvB(value) }) as const

describe('a request', () => {
  test('gets defaults by its amount', () => {
    const checked = read({})
    expect(checked.ok && checked.value).toMatchObject({
      feePayer: 'platform',
      speed: { kind: 'priority', priority: 'normal' },
      maxFee: 20_000n,
      maxRate: 500_000n,
      metadata: {},
      allowOwnAddress: false,
    })
    expect(read({ amount: sat(10_000_000n) })).toMatchObject({ value: { maxFee: 200_000n } })
    expect(read({ amount: sat(2_000_000_000n) })).toMatchObject({ value: { maxFee: 10_000_000n } })
  })
  test.each<[string, Partial<WithdrawalInput>]>([
    ['FIELD_INVALID external_id', { externalId: '' }],
    ['FIELD_INVALID external_id', { externalId: 'x'.repeat(256) }],
    ['FIELD_INVALID external_id', { externalId: 'a\nb' }],
    ['FIELD_INVALID customer', { customer: 'a/b' }],
    ['FIELD_INVALID user', { user: '' }],
    ['FIELD_INVALID description', { description: 'x'.repeat(1001) }],
    ['FIELD_INVALID metadata', { metadata: { ['k'.repeat(41)]: 'v' } }],
    ['FIELD_INVALID fee_payer', { feePayer: 'nobody' as 'platform' }],
    ['FIELD_INVALID fee_payer', { feePayer: 'customer' }],
    ['AMOUNT_INVALID amount_sat', { amount: 5 as unknown as WithdrawalInput['amount'] }],
    ['WITHDRAWAL_AMOUNT_DUST amount_sat', { amount: sat(293n) }],
    ['WITHDRAWAL_AMOUNT_DUST amount_sat', { amount: sat(545n), address: LEGACY }],
    ['ADDRESS_NETWORK address', { address: address(p2wpkhScript(HASH), 'main') }],
    [
      'ADDRESS_CHECKSUM address',
      { address: `${SEGWIT.slice(0, -1)}${SEGWIT.endsWith('q') ? 'p' : 'q'}` },
    ],
    ['ADDRESS_INVALID address', { address: '' }],
    ['WITHDRAWAL_FEE_LIMIT max_fee_sat', { maxFee: sat(0n) }],
    ['WITHDRAWAL_FEE_LIMIT max_fee_sat', { maxFee: sat(10_000_001n) }],
    ['WITHDRAWAL_FEE_LIMIT max_fee_rate_sat_kvb', { maxRate: satPerKvB(2_000_001n) }],
    ['FIELD_INVALID fee_rate_sat_kvb', { speed: rate(0n) }],
    ['FIELD_INVALID fee_rate_sat_kvb', { speed: rate(500_001n) }],
    ['FIELD_INVALID deadline', { speed: { kind: 'deadline', at: NOW } }],
    ['FIELD_INVALID deadline', { speed: { kind: 'deadline', at: NOW + 367 * DAY } }],
    ['FIELD_INVALID priority', { speed: { kind: 'priority', priority: 'now' as 'high' } }],
  ])('is refused with %s', (code, more) => {
    expect(refusal(more)).toBe(code)
  })
  test.each<[string, Partial<WithdrawalInput>]>([
    ['the least that relays', { amount: sat(294n) }],
    ['a rate up to its ceiling', { speed: rate(900_000n), maxRate: satPerKvB(900_000n) }],
    ['a deadline within a year', { speed: { kind: 'deadline', at: NOW + 1 } }],
    ['a customer who bears the fee', { feePayer: 'customer', customer: 'c' }],
  ])('may have %s', (_, more) => {
    expect(refusal(more)).toBe('taken')
  })
  test('takes an unknown witness version only when it is told to, and an anchor never', () => {
    const future = address(witnessScript(16, Uint8Array.of(7, 7)))
    const anchor = address(Uint8Array.of(0x51, 2, 0x4e, 0x73))
    expect([refusal({ address: future }), refusal({ address: anchor })]).toEqual([
      'ADDRESS_UNSPENDABLE address',
      'ADDRESS_UNSPENDABLE address',
    ])
    expect(refusal({ address: future, allowUnknownWitness: true })).toBe('taken')
    expect(refusal({ address: anchor, allowUnknownWitness: true })).toBe(
      'ADDRESS_UNSPENDABLE address',
    )
  })
})

describe('the digest', () => {
  test('is the same for the same contents, however they are written', () => {
    const first = digestOf({ metadata: { a: '1', b: '2' } })
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(digestOf({ metadata: { b: '2', a: '1' } })).toBe(first)
    expect(digestOf({ metadata: { a: '1', b: '2' }, address: base.address.toUpperCase() })).toBe(
      first,
    )
    expect(
      digestOf({ feePayer: 'platform', speed: { kind: 'priority', priority: 'normal' } }),
    ).toBe(digestOf({}))
  })
  test.each<Partial<WithdrawalInput>>([
    { wallet: 'wal_2' as WalletId },
    { externalId: 'y' },
    { address: LEGACY },
    { amount: sat(100_001n) },
    { feePayer: 'recipient' },
    { speed: rate(1n) },
    { speed: { kind: 'priority', priority: 'high' } },
    { maxFee: sat(20_000n) },
    { maxRate: satPerKvB(500_000n) },
    { customer: 'c' },
    { user: 'c' },
    { description: 'c' },
    { metadata: { c: '' } },
    { allowOwnAddress: true },
    { allowUnknownWitness: true },
  ])('is another one with $0', (more) => {
    expect(digestOf(more)).not.toBe(digestOf({}))
  })
})
