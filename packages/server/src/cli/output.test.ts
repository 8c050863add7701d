import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writableOrThrow } from './output.ts'

test('a place that cannot be written is refused by name before anything is done', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kaccy-output-'))
  expect(() => writableOrThrow(join(folder, 'new.jsonl'))).not.toThrow()
  expect(() => writableOrThrow(join(folder, 'missing', 'new.jsonl'))).toThrow(/cannot be written/)
})
