import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MAIN = new URL('../../packages/server/src/main.ts', import.meta.url).href

/** Every module that a command line loads. */
function loadedBy(...args: readonly string[]): string[] {
  const program = `
    import { registerHooks } from 'node:module'
    const seen = new Set()
    registerHooks({ resolve(name, context, next) { const found = next(name, context); seen.add(found.url); return found } })
    const { runProgram } = await import(${JSON.stringify(MAIN)})
    const quiet = { write() {} }
    await runProgram(${JSON.stringify(args)}, {
      stdout: quiet, stderr: quiet, stdin: process.stdin, environment: {}, folder: '.', debug: false,
      signal: new AbortController().signal, readText: async () => '', readBytes: async () => new Uint8Array(),
    })
    process.stdout.write([...seen].join('\\n'))
  `
  const node = ['--conditions=@kaccy/source', '--input-type=module', '-e', program]
  return execFileSync(process.execPath, node, { cwd: ROOT, encoding: 'utf8' }).split('\n')
}

const HEAVY =
  /\/(fastify|kysely|pg|better-sqlite3|ajv|typebox|prom-client|ws|uqr)\/|packages\/devnet\/|\/(capabilities|adapters\/sql|runtime)\//

test.each([[['--help']], [['order', 'create', '--help']], [['config']], [['completion', 'bash']]])(
  'kaccy %j loads nothing that it does not need',
  (args) => {
    const loaded = loadedBy(...args)
    expect(loaded.some((url) => url.includes('/commander/'))).toBe(true)
    expect(loaded.filter((url) => HEAVY.test(url))).toEqual([])
  },
)

test('asking a server loads no database and no server', () => {
  const loaded = loadedBy('order', 'list', '--api', 'http://127.0.0.1:1')
  expect(loaded.some((url) => url.endsWith('/cli/client/http.ts'))).toBe(true)
  expect(loaded.filter((url) => HEAVY.test(url))).toEqual([])
})
