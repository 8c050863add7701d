import { REGISTRY } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { committedFiles, shippedFiles, withoutComments } from './tree.ts'

const registered = Object.keys(REGISTRY).sort()
const page = committedFiles().find(({ path }) => path === 'docs/errors.md')?.text ?? ''
const sections = [...page.matchAll(/^## ([A-Z][A-Z0-9_]+)$/gm)].map((match) => match[1] ?? '')

/** Where codes are used: everything that ships, apart from the registry itself. */
const users = shippedFiles()
  .filter(({ path }) => !path.includes('/kernel/codes/'))
  .map(({ path, text }) => ({ path, text: withoutComments(text) }))

test('the registry and its page name the same codes', () => {
  expect(registered.length).toBeGreaterThan(5)
  expect(registered.filter((code) => !sections.includes(code))).toEqual([])
  expect(sections.filter((code) => !registered.includes(code))).toEqual([])
})

test('no code has two sections, and every section says something', () => {
  expect(sections.filter((code, index) => sections.indexOf(code) !== index)).toEqual([])
  const empty = page
    .split(/^## /m)
    .slice(1)
    .filter((section) => section.split('\n').slice(1).join(' ').trim().length < 60)
    .map((section) => section.split('\n')[0])
  expect(empty).toEqual([])
})

test('a remedy on the page is the one of the registry', () => {
  const told = [...page.matchAll(/^## ([A-Z][A-Z0-9_]+)\nRemedy: (\w+)/gm)]
  expect(told.length).toBeGreaterThan(50)
  const remedies = new Map(Object.entries(REGISTRY).map(([code, { remedy }]) => [code, remedy]))
  expect(told.filter(([, code = '', remedy]) => remedies.get(code) !== remedy)).toEqual([])
})

test('every registered code is used somewhere', () => {
  const unused = registered.filter((code) => !users.some(({ text }) => text.includes(`'${code}'`)))
  expect(unused).toEqual([])
})

test('every code that is refused or thrown is registered', () => {
  const spoken = users
    .filter(({ path }) => !path.startsWith('packages/devnet/'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/(?:refuse|new EngineError)\(\s*'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)].map(
        (match) => ({ path, code: match[1] ?? '' }),
      ),
    )
  expect(spoken.filter(({ code }) => !registered.includes(code))).toEqual([])
})

test('a code names its area, and a title is one line without a full stop', () => {
  const odd = Object.entries(REGISTRY).filter(
    ([code, { title }]) => !/^[A-Z]+(_[A-Z0-9]+)+$/.test(code) || /[\n.]$/.test(title),
  )
  expect(odd).toEqual([])
})
