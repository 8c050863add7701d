import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runProgram } from '../../program.ts'

let folder: string
const scripts: Record<string, string> = {}
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-completion-'))
  for (const shell of ['bash', 'zsh', 'fish']) {
    let text = ''
    const code = await runProgram(['completion', shell], {
      stdout: { write: (piece) => (text += piece) },
      stderr: { write: () => {} },
      stdin: Readable.from([]),
      environment: {},
      folder,
      signal: new AbortController().signal,
      debug: false,
      readText: async () => '',
      readBytes: async () => new Uint8Array(),
    })
    expect(code).toBe(0)
    scripts[shell] = text
    writeFileSync(join(folder, shell), text)
  }
  writeFileSync(join(folder, 'shop.recovery'), '')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a real bash offers at the end of a line. */
function complete(...words: readonly string[]): string[] {
  const script = `set -u
source ./bash
complete -p kaccy >/dev/null || exit 9
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kaccy
printf '%s\\n' "\${COMPREPLY[@]+"\${COMPREPLY[@]}"}"`
  const said = execFileSync('bash', ['--norc', '-c', script, 'test', 'kaccy', ...words], {
    cwd: folder,
    encoding: 'utf8',
  })
  return said.split('\n').filter((word) => word !== '')
}

test.each([
  [['wal'], ['wallet']],
  [['wallet', 'ex'], ['export-recovery']],
  [
    ['wallet', 'labels', ''],
    ['export', 'import', '--help'],
  ],
  [['order', 'create', '--am'], ['--amount']],
  [['order', 'list', '--status', 'un'], ['unconfirmed']],
  [
    ['order', 'list', '--network', 't'],
    ['test', 'testnet4'],
  ],
  [['--json', 'order', 'lis'], ['list']],
  [
    ['audit', 'export', '--format', ''],
    ['csv', 'jsonl'],
  ],
  [['wallet', 'restore', 'sh'], ['shop.recovery']],
  [['order', 'create', '--external-id', 'wallet', '--qr', '--tol'], ['--tolerance']],
  [['order', 'create', '--external-id', 'wa'], []],
  [['completion', 'x'], []],
  [['nothing', '--x'], []],
])('bash: kaccy %j', (words, offered) => {
  expect(complete(...words)).toEqual(offered)
})

test('bash: every command can be reached', () => {
  for (const word of ['key', 'webhook', 'events', 'demo', 'serve', 'doctor'])
    expect(complete('')).toContain(word)
  expect(complete('webhook', '')).toEqual(
    expect.arrayContaining(['create', 'rotate', 'replay', 'deliveries', 'test']),
  )
})

test('zsh and fish know the same commands, with what they do', () => {
  expect(scripts['zsh']).toMatch(/^#compdef kaccy\n/)
  expect(scripts['zsh']).toContain(`'kaccy wallet')`)
  expect(scripts['fish']).toContain(
    "complete -c kaccy -n '__kaccy_at wallet' -a rescan -d 'read blocks again from a height on, and wait until it is done'",
  )
  expect(scripts['fish']).toContain(
    "complete -c kaccy -n '__kaccy_at order list' -l network -x -a 'main test testnet4 signet regtest'",
  )
  // An apostrophe in a description ends no quotation.
  for (const line of (scripts['fish'] ?? '').split('\n'))
    expect(line.replaceAll("\\'", '').split("'").length % 2, line).toBe(1)
})
