import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as everything from '../index.ts'
import { createDevnetInProcess, methodNames } from '../index.ts'
import { FAULT_KINDS } from '../powers/faults.ts'

const page = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

it('the table of the page names every call that is served, once, and no other', () => {
  const [, table = ''] = page.split(/<!-- \/?calls -->/)
  const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  expect(named.filter((name, at) => named.indexOf(name) !== at)).toEqual([])
  expect(named.sort()).toEqual([...methodNames()])
})
it('the table of faults names every kind', () => {
  const rows = [...page.matchAll(/^\| `(\w+)`(?: \([^)]*\))? \| (?:no|yes|by)\b/gm)]
  expect(rows.map(([, kind]) => kind).sort()).toEqual([...FAULT_KINDS].sort())
})
it('the table of powers names what a devnet has, and every power it has', () => {
  const devnet = createDevnetInProcess()
  const [, section = ''] = page.split(/^## Powers$/m)
  const [, rows = ''] = section.split('| --- | --- |')
  const firsts =
    rows
      .split('\n\n')[0]
      ?.split('\n')
      .map((row) => row.split('|')[1] ?? '') ?? []
  const named = firsts.flatMap((cell) =>
    [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name ?? ''),
  )
  expect(named.filter((name) => !(name in devnet))).toEqual([])
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf(devnet))
  const ours = Object.getOwnPropertyNames(prototype).filter(
    (name) => typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === 'function',
  )
  const unnamed = ours.filter((name) => !named.includes(name))
  expect(unnamed.sort()).toEqual(['constructor', 'rawTransaction', 'settle', 'strangerCoin'])
})
it('the table of errors names every code, once, and nobody names another', () => {
  const source = readFileSync(new URL('../failure.ts', import.meta.url), 'utf8')
  const codes = [...source.matchAll(/^ {2}\| '(DEVNET_\w+)'$/gm)].map(([, code]) => code)
  const rows = [...page.matchAll(/^\| `(DEVNET_\w+)` \| [^|]+ \| [^|]+ \|$/gm)]
  expect(rows.map(([, code]) => code).sort()).toEqual(codes)
  for (const [code] of page.matchAll(/DEVNET_[A-Z_]+/g)) expect(codes).toContain(code)
  expect(Object.keys(everything)).toContain('createDevnet')
})
