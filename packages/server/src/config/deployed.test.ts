import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { envName, SETTINGS } from './settings.ts'

const ROOT = join(import.meta.dirname, '../../../../deploy')
const deployed = readdirSync(ROOT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))

test('every setting that a deployed file gives by the environment is one', () => {
  const known = Object.entries(SETTINGS).flatMap(([key, { kind }]) =>
    kind === 'secret' ? [envName(key), envName(`${key}_file`)] : [envName(key)],
  )
  const given = deployed.flatMap((text) => text.match(/\bKACCY_[A-Z_]+(?=[:=])/g) ?? [])
  expect(given.length).toBeGreaterThan(6)
  expect(given.filter((name) => name !== 'KACCY_CONFIG' && !known.includes(name))).toEqual([])
})
