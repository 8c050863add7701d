import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Config } from '../config/settings.ts'
import { checkoutOf } from './checkout.ts'

const folder = mkdtempSync(join(tmpdir(), 'kaccy-checkout-'))
afterAll(() => rmSync(folder, { recursive: true }))
const config = (more: Partial<Config> = {}): Config =>
  ({ 'checkout.enabled': true, ...more }) as Config

test('there is a page unless it is turned off', () => {
  expect(checkoutOf(config())).toEqual({ theme: {}, frames: [] })
  expect(checkoutOf(config({ 'checkout.enabled': false }))).toBeUndefined()
})

test('every setting finds its place', () => {
  const logo = join(folder, 'logo.PNG')
  writeFileSync(logo, 'picture')
  const found = checkoutOf(
    config({
      'checkout.name': 'Shop',
      'checkout.accent': '#123456',
      'checkout.radius': 0,
      'checkout.font': 'Inter',
      'checkout.logo_file': logo,
      'checkout.frame_ancestors': ['https://shop.example', 'https://www.shop.example'],
    }),
  )
  expect(found).toEqual({
    theme: {
      name: 'Shop',
      accent: '#123456',
      radius: 0,
      font: 'Inter',
      logo: `data:image/png;base64,${Buffer.from('picture').toString('base64')}`,
    },
    frames: ['https://shop.example', 'https://www.shop.example'],
  })
})

test('nobody and everybody have words', () => {
  const frames = (list: string[]) =>
    checkoutOf(config({ 'checkout.frame_ancestors': list }))?.frames
  expect(frames(['none'])).toBe('none')
  expect(frames(['*'])).toBe('any')
  expect(frames(['https://shop.example'])).toEqual(['https://shop.example'])
})

test.each([
  ['logo.html', 'CONFIG_VALUE_INVALID'],
  ['__proto__', 'CONFIG_VALUE_INVALID'],
  ['missing.svg', 'CONFIG_FILE_UNREADABLE'],
])('%s is no logo', (file, code) => {
  const given = config({ 'checkout.logo_file': join(folder, file) })
  expect(() => checkoutOf(given)).toThrow(expect.objectContaining({ code }))
})
