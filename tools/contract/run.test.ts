import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createDevnet } from '@kaccy/devnet'
import { expect, it } from 'vitest'
import { NODE_CONTRACT } from '../../test/counterparts/contract/index.ts'

const SCRIPT = fileURLToPath(new URL('./run.ts', import.meta.url))

function run(
  ...args: readonly string[]
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--conditions=@kaccy/source', SCRIPT, ...args])
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  return new Promise((done) => child.on('close', (code) => done({ code, out, err })))
}

it('prints a line per check and succeeds on a good node', async () => {
  const devnet = await createDevnet()
  const { code, out } = await run('--node', devnet.rpcUrl, '--cookie', devnet.cookiePath, '--json')
  await devnet.close()
  const results = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; passed: boolean })
  expect(results.filter(({ passed }) => !passed)).toEqual([])
  expect(results.length).toBeGreaterThan(25)
  expect(code).toBe(0)
})

it('stops at once on a node that is not there', async () => {
  const { code, out, err } = await run(
    ...['--node', 'http://127.0.0.1:1', '--user', 'u', '--password', 'hunter2'],
  )
  expect(err).toContain('NODE_UNREACHABLE')
  expect(err).not.toContain('hunter2')
  expect([code, out]).toEqual([2, ''])
})

it('names the check that fails, in one line', async () => {
  const devnet = await createDevnet()
  devnet.posture.initialBlockDownload = true
  const { code, out } = await run('--node', devnet.rpcUrl, '--cookie', devnet.cookiePath)
  await devnet.close()
  expect(out).toMatch(/^FAILED {2}a new block moves the tip, height and hash together: .*$/m)
  expect(out.trimEnd().split('\n')).toHaveLength(NODE_CONTRACT.length)
  expect(code).toBe(1)
})

it.each([
  [[]],
  [['--node', 'http://127.0.0.1:1']],
  [['--nonsense']],
  [['--node', 'http://10.0.0.7:1', '--user', 'u', '--password', 'hunter2']],
])('explains itself when it cannot start: %j', async (args) => {
  const { code, out, err } = await run(...args)
  expect(code).toBe(2)
  expect(out).toBe('')
  expect(err).not.toBe('')
  expect(err).not.toContain('hunter2')
})
