import { expect, test } from 'vitest'
import { fill, LANGUAGES, languageOf, WORDS } from './words.ts'

/** Every text of a table with its place. */
const textsOf = (value: unknown, at = ''): [string, string][] =>
  typeof value === 'string'
    ? [[at, value]]
    : Object.entries(value as object).flatMap(([key, inner]) => textsOf(inner, `${at}.${key}`))

const slots = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([slot]) => slot).sort()

test('languages say the same: the same texts with the same numbers in them', () => {
  const english = new Map(textsOf(WORDS.en))
  for (const language of LANGUAGES)
    for (const [at, text] of textsOf(WORDS[language])) {
      expect(text.trim(), `${language}${at}`).not.toBe('')
      expect(slots(text), `${language}${at}`).toEqual(slots(english.get(at) ?? ''))
    }
})

test('what has no value stays to be seen', () => {
  expect(fill('{a} of {b}', { a: 1 })).toBe('1 of {b}')
  expect(fill('{constructor} {__proto__}', {})).toBe('{constructor} {__proto__}')
})

test.each([
  [undefined, undefined, 'en'],
  ['de', 'en', 'de'],
  ['xx', 'de', 'de'],
  ['__proto__', undefined, 'en'],
  [undefined, 'de-CH,de;q=0.9,en;q=0.8', 'de'],
  [undefined, 'en;q=0.8,de;q=0.9', 'de'],
  [undefined, 'fr,en;q=0.5,de;q=0.4', 'en'],
  [undefined, 'de;q=0,en', 'en'],
  [undefined, 'de;q=0', 'en'],
  [undefined, 'ja, ko', 'en'],
  [undefined, '*', 'en'],
  [undefined, ';;;,,,q=', 'en'],
  [undefined, 'DE-de ; q=1.0', 'de'],
  [undefined, `${'x,'.repeat(100_000)}de`, 'en'],
] as const)('%s and %s give %s', (wanted, accept, language) => {
  expect(languageOf(wanted, accept)).toBe(language)
})
