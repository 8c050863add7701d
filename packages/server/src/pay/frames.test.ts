import { expect, test } from 'vitest'
import { ancestorsOf, checkFrames, parentOf } from './frames.ts'

const OWN = 'https://pay.example'

test.each([
  'shop.example',
  'https://shop.example/',
  'https://shop.example/path',
  'https://*.example',
  'https://shop.example; script-src *',
  'https://shop.example\nx-header: 1',
  "'unsafe-inline'",
  'https://user@shop.example',
  'https://SHOP.example',
  'https://shop.example:443',
  'https://shop.example:99999',
  'javascript:alert(1)',
  'null',
  '',
])('%j is no origin', (origin) => {
  expect(() => checkFrames([origin])).toThrow(
    expect.objectContaining({ code: 'CONFIG_VALUE_INVALID' }),
  )
})

test.each([
  'https://shop.example',
  'http://127.0.0.1:8080',
  'http://[::1]:3000',
  'https://a-b.example:8443',
])('%s is one', (origin) => {
  expect(ancestorsOf(checkFrames([origin]))).toBe(`'self' ${origin}`)
  expect(parentOf([origin], origin, OWN)).toBe(origin)
})

test('by default only our own pages may frame it', () => {
  expect(ancestorsOf([])).toBe("'self'")
  expect(parentOf([], OWN, OWN)).toBe(OWN)
  expect(parentOf([], 'https://evil.example', OWN)).toBeUndefined()
  expect(parentOf([], undefined, OWN)).toBeUndefined()
})

test('nobody and anybody', () => {
  expect(ancestorsOf('none')).toBe("'none'")
  expect(parentOf('none', OWN, OWN)).toBeUndefined()
  expect(ancestorsOf('any')).toBe('*')
  expect(parentOf('any', 'https://anyone.example', OWN)).toBe('https://anyone.example')
  expect(parentOf('any', '*', OWN)).toBeUndefined()
})
