import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { formatIp, isInside, isPublicIp, parseIp, parseIpRange } from './index.ts'

const shown = (text: string) => {
  const address = parseIp(text)
  return address && formatIp(address)
}

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.0.0.2', '10.0.0.2'],
  ['::FFFF:a00:2', '10.0.0.2'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ['0:0:0:10:0:0:0:0', '0:0:0:10::'],
])('reads %s', (text, expected) => {
  expect(shown(text)).toBe(expected)
})

it.each([
  '',
  '1',
  '010.0.0.1',
  '0x7f.0.0.1',
  '127.1',
  '256.0.0.1',
  '1.2.3.4.5',
  ' 1.2.3.4',
  '1.2.3.4:80',
  '[::1]',
  '::1%eth0',
  ':::',
  '1::2::3',
  ':1',
  '1:',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8',
  '12345::',
  '1.2.3.4::',
  '::1.2.3',
  'unknown',
])('refuses %j', (text) => {
  expect(parseIp(text)).toBeUndefined()
})

const v4 = fc.ipV4()
const v6 = fc.ipV6()

test('takes what the platform takes, and writes what reads back as the same', () => {
  const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcf:.'), maxLength: 24 })
  fc.assert(
    fc.property(fc.oneof(v4, v6, noise), (text) => {
      const address = parseIp(text)
      expect(address !== undefined).toBe(isIP(text) !== 0)
      if (address) expect(parseIp(formatIp(address))).toEqual(address)
    }),
    { numRuns: 2_000 },
  )
})

test('is inside a range when the platform says so', () => {
  fc.assert(
    fc.property(v4, v4, fc.nat(32), (base, other, bits) => {
      const list = new BlockList()
      list.addSubnet(base, bits, 'ipv4')
      const whole = parseIp(base) ?? new Uint8Array()
      const range = { base: whole, bits: 96 + bits }
      for (const text of [base, other])
        expect(isInside(parseIp(text) ?? whole, range)).toBe(list.check(text, 'ipv4'))
    }),
  )
})

it.each([
  ['10.0.0.0/8', true],
  ['10.0.0.1', true],
  ['2001:db8::/32', true],
  ['::ffff:10.0.0.0/104', true],
  ['10.0.0.1/8', false],
  ['10.0.0.0/33', false],
  ['10.0.0.0/08', false],
  ['10.0.0.0/', false],
  ['10.0.0.0/8/8', false],
  ['2001:db8:0:0:1::/64', false],
])('range %s: %s', (text, usable) => {
  expect(parseIpRange(text) !== undefined).toBe(usable)
})

it.each([
  ['93.184.216.34', true],
  ['2606:2800:220:1:248:1893:25c8:1946', true],
  ['127.0.0.1', false],
  ['0.0.0.0', false],
  ['169.254.169.254', false],
  ['100.64.0.1', false],
  ['255.255.255.255', false],
  ['::ffff:127.0.0.1', false],
  ['::127.0.0.1', false],
  ['::1', false],
  ['64:ff9b::7f00:1', false],
  ['64:ff9b:1::7f00:1', false],
  ['2002:7f00:1::', false],
  ['2001:0:4136:e378::', false],
  ['fd00:ec2::254', false],
  ['fe80::1', false],
  ['ff02::1', false],
  ['5f00::1', false],
])('%s is public: %s', (text, expected) => {
  expect(isPublicIp(parseIp(text) ?? new Uint8Array(16))).toBe(expected)
})
