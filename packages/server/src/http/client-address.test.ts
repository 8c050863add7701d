import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseIpRange } from '@kaccy/bitcoin/protocol/ip'
import { describe, expect, it, test } from 'vitest'
import { clientAddress, isRelayed } from './client-address.ts'

interface Case {
  readonly peer: string
  readonly x_forwarded_for: string | null
  readonly trusted_proxies: readonly string[]
  readonly client: string
}
const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const file = join(shared, 'vectors/hostile/forwarded_for.json')
const cases: readonly Case[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : []

describe.skipIf(cases.length === 0)('hostile lists (SKIPPED where ../shared is not there)', () => {
  it.each(cases)('$x_forwarded_for by $peer is $client', (one) => {
    const trusted = one.trusted_proxies.flatMap((text) => parseIpRange(text) ?? [])
    expect(clientAddress(one.peer, one.x_forwarded_for ?? undefined, trusted)).toBe(one.client)
  })
})

test('a client cannot add an address in front of the proxy that saw it', () => {
  const trusted = ['10.0.0.0/8'].flatMap((text) => parseIpRange(text) ?? [])
  expect(clientAddress('10.0.0.1', '1.1.1.1, garbage, 9.9.9.9', trusted)).toBe('9.9.9.9')
  expect(clientAddress('10.0.0.1', '1.1.1.1, garbage', trusted)).toBe('10.0.0.1')
  expect(clientAddress('9.9.9.9', '10.0.0.1', trusted)).toBe('9.9.9.9')
})

test('an address is that of a stranger when its proxy is not named', () => {
  const headers = { 'x-forwarded-for': '9.9.9.9' }
  expect(isRelayed('127.0.0.1', '127.0.0.1', headers)).toBe(true)
  expect(isRelayed('::ffff:127.0.0.1', '127.0.0.1', headers)).toBe(true)
  expect(isRelayed('127.0.0.1', '9.9.9.9', headers)).toBe(false)
  expect(isRelayed('127.0.0.1', '127.0.0.1', {})).toBe(false)
  expect(isRelayed('127.0.0.1', '127.0.0.1', { forwarded: 'for=9.9.9.9' })).toBe(true)
})
