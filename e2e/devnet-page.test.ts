import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const MAIN = `${ROOT}packages/devnet/src/main.ts`
const page = readFileSync(`${ROOT}packages/devnet/README.md`, 'utf8')
const blocks = (kind: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text ?? '',
  )
const folder = mkdtempSync(join(tmpdir(), 'kaccy-devnet-page-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What `curl -s -u USER:PASSWORD -d BODY URL` asks for. */
const CURL = /^curl -s -u (\S+) -d '([^']+)' (\S+)$/

test('every shell block of the devnet’s page works as it stands, but for the port', async () => {
  const commands = blocks('sh').filter((text) => text.includes('kaccy-devnet '))
  expect(commands).toHaveLength(2)
  for (const text of commands) {
    const [start = '', ...lines] = text.trim().split('\n')
    const [program, ...args] = start.replace('18443', '0').split(' ')
    expect(program).toBe('kaccy-devnet')
    const options = ['--conditions=@kaccy/source', MAIN, ...args, '--json']
    const child = spawn(process.execPath, options, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = await once(createInterface({ input: child.stdout }), 'line')
    const { url } = JSON.parse(said)
    const answers: unknown[] = []
    for (const line of lines) {
      const [, login = '', body = '', where] = CURL.exec(line) ?? []
      expect(where, line).toBe('http://127.0.0.1:18443')
      const authorization = `Basic ${Buffer.from(login).toString('base64')}`
      const response = await fetch(url, { method: 'POST', headers: { authorization }, body })
      const { result, error } = (await response.json()) as { result: unknown; error: unknown }
      expect(error, line).toBeNull()
      answers.push(result)
    }
    if (lines.length > 0) {
      expect(answers).toMatchObject([{}, { returned: [], gone: [expect.any(String)] }, 1, 112])
    }
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  }
})

test('the test for node:test on the devnet’s page passes', () => {
  const text = blocks('js').find((block) => block.startsWith('// node:test\n'))
  const file = `${ROOT}e2e/.page-${process.pid}.mjs`
  writeFileSync(file, text ?? '')
  try {
    const args = ['--conditions=@kaccy/source', '--test', '--test-reporter=tap', file]
    expect(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })).toMatch(
      /# pass 1\n# fail 0/,
    )
  } finally {
    rmSync(file)
  }
})
