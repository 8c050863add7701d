import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { runProgram } from '../program.ts'

async function kaccy(...args: readonly string[]) {
  let stdout = ''
  let stderr = ''
  const code = await runProgram(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: Readable.from([]),
    environment: {},
    folder: '.',
    signal: new AbortController().signal,
    debug: false,
    readText: async () => '',
    readBytes: async () => new Uint8Array(),
  })
  return { code, stdout, stderr }
}

/** Every command that does something, from the tree that completion is made of. */
async function commands(): Promise<string[][]> {
  const { stdout } = await kaccy('completion', 'fish')
  const [, list = ''] = /^set -g __kaccy_known (.*)$/m.exec(stdout) ?? []
  const paths = [...list.matchAll(/'([^']*)'/g)].map(([, path = '']) => path)
  const groups = new Set(paths.map((path) => path.split(' ').slice(0, -1).join(' ')))
  return paths.filter((path) => path !== '' && !groups.has(path)).map((path) => path.split(' '))
}

test('every command has help with examples that begin as it does', async () => {
  const all = await commands()
  expect(all.length).toBeGreaterThan(45)
  const without: string[] = []
  for (const words of all) {
    const { code, stdout } = await kaccy(...words, '--help')
    expect(code).toBe(0)
    if (!stdout.includes('Example')) without.push(words.join(' '))
    const [, examples = ''] = stdout.split(/Examples?:\n/)
    const lines = examples.split('\n').filter((line) => line.includes('kaccy '))
    const name = words[0] === 'alerts' ? 'alerts' : words.join(' ')
    if (!lines.some((line) => line.includes(`kaccy ${name}`)))
      without.push(`${words.join(' ')}: none of its own`)
  }
  expect(without).toEqual([])
})

test('what cannot be taken back asks, and has a flag that answers', async () => {
  for (const words of [
    ['key', 'revoke', 'key_x'],
    ['webhook', 'remove', 'whk_x'],
    [
      'withdrawal',
      'request',
      '--to',
      'x',
      '--amount',
      '1',
      '--external-id',
      'x',
      '--wallet',
      'wal_x',
    ],
    ['psbt', 'reject', 'psb_x', '--reason', 'x'],
  ]) {
    const asked = await kaccy(...words, '--api', 'http://127.0.0.1:1')
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes')])
    expect((await kaccy(...words, '--yes', '--api', 'http://127.0.0.1:1')).code).toBe(5)
  }
})

test('a command that nobody has, and one without its argument', async () => {
  expect(await kaccy('nothing')).toMatchObject({ code: 2, stdout: '' })
  expect(await kaccy('order', 'show')).toMatchObject({ code: 2 })
  expect((await kaccy('order', 'show', '--json')).stderr).toContain('USAGE_INVALID')
})
