import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const script = fileURLToPath(new URL('./run.ts', import.meta.url))
let folder = ''

const run = (...options: string[]) =>
  new Promise<{ code: number | null; lines: Record<string, unknown>[]; errors: string }>(
    (resolve) => {
      const command = ['--conditions=@kaccy/source', script, '--vectors', folder, ...options]
      const child = execFile(process.execPath, command, (_, stdout, errors) => {
        const lines = stdout.split('\n').filter((line) => line !== '')
        resolve({ code: child.exitCode, lines: lines.map((line) => JSON.parse(line)), errors })
      })
    },
  )

const isMissing = !existsSync(join(shared, 'vectors'))

describe.skipIf(isMissing)('the conformance command (SKIPPED where ../shared is not there)', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conformance-'))
    await cp(join(shared, 'vectors/json'), join(folder, 'json'), { recursive: true })
    await mkdir(join(folder, 'musig2'))
    await writeFile(join(folder, 'musig2/any.json'), '{}')
    await mkdir(join(folder, 'labels'))
    await writeFile(join(folder, 'labels/odd.json'), '{"not":"labels"}')
    await mkdir(join(folder, 'uri'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('prints one line a topic and nothing else, and fails for what it cannot read', async () => {
    const { code, lines, errors } = await run('--json')
    expect(lines.map((line) => line['topic'])).toEqual(['json', 'labels', 'musig2', 'uri'])
    expect(lines[0]).toEqual({ topic: 'json', passed: 32, failed: 0, skipped: [] })
    expect(lines[1]).toMatchObject({ passed: 0, failed: 1 })
    expect(lines[2]).toMatchObject({ failed: 0, skipped: [{ case: 'any.json' }] })
    expect(lines[3]).toMatchObject({ failed: 1 })
    expect(errors).toContain('the shape of this file is not known')
    expect(code).toBe(1)
  })

  it('fails when one case is wrong', async () => {
    const file = join(folder, 'json/univalue.json')
    const cases = JSON.parse(await readFile(file, 'utf8')) as { valid: boolean }[]
    expect((await run('--topic', 'json')).code).toBe(0)
    await writeFile(
      file,
      JSON.stringify([{ ...cases[0], valid: !cases[0]?.valid }, ...cases.slice(1)]),
    )
    const { code, lines } = await run('--topic', 'json')
    expect(lines).toMatchObject([{ topic: 'json', passed: 31, failed: 1 }])
    expect(code).toBe(1)
  })

  it('does not pass when there is nothing to run', async () => {
    expect((await run('--topic', 'no-such-topic')).code).toBe(2)
  })
})
