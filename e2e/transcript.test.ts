import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { type Block, blocksOf, commandsOf, missingIn, ROOT } from './pages/blocks.ts'
import { freePort } from './pages/reader.ts'
import { type Running, Terminal } from './pages/terminal.ts'

/**
 * From `git clone` to the first paid order with nothing but the README: its commands are taken out of the page and typed in their
 * order into shells of a fresh folder. Shortened are three things:
 * - `npm ci`: the packages are copied from this tree, unless KACCY_TRANSCRIPT is `full`, as in `npm run night`;
 * - the address of the repository, which is this tree, and the ports, so that several tests run at once;
 * - `npm test`, which is what runs this.
 */
const isFull = process.env['KACCY_TRANSCRIPT'] === 'full'
const home = mkdtempSync(join(tmpdir(), 'kaccy-transcript-'))
const terminal = new Terminal(home, join(home, 'notes'))
const running: Running[] = []
afterAll(() => {
  terminal.close()
  rmSync(home, { recursive: true, force: true })
})

const ports = new Map<string, number>()
const here = (text: string): string => {
  let said = text.replaceAll('<this repository>', `file://${ROOT}`)
  for (const [written, real] of ports)
    said = said.replaceAll(`127.0.0.1:${written}`, `127.0.0.1:${real}`)
  return said
}

/** The clone as it would be after a commit of what is being worked on, with the packages that `npm ci` would bring. */
function furnish(clone: string): void {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' })
  const changed = git(
    'ls-files',
    '-z',
    '--modified',
    '--others',
    '--exclude-standard',
    '--deduplicate',
  )
  const removed = git('ls-files', '-z', '--deleted').split('\0')
  for (const path of changed.split('\0').filter((one) => one !== '' && !removed.includes(one))) {
    mkdirSync(dirname(join(clone, path)), { recursive: true })
    copyFileSync(join(ROOT, path), join(clone, path))
  }
  if (isFull) return
  for (const folder of [
    '.',
    'packages/engine',
    'packages/devnet',
    'packages/server',
    'packages/signer',
  ]) {
    const from = join(ROOT, folder, 'node_modules')
    // Links stay as they are: those to our own packages then lead into the clone.
    if (existsSync(from)) take(realpathSync(from), join(clone, folder, 'node_modules'))
  }
}

/** Copies a folder, by second names for the same files where the disk can do that. */
function take(from: string, to: string): void {
  const linked = spawnSync('cp', ['-al', from, to], { stdio: 'ignore' })
  if (linked.status === 0) return
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true, verbatimSymlinks: true })
}

const STAYS = /^kaccy (devnet|serve)$/
const TRIES = 60

/** Types a command; what stays gets a terminal of its own. Answers what it said. */
async function type(command: string): Promise<string> {
  if (command.startsWith('npm test')) return ''
  if (/^kaccy\(\)/.test(command)) {
    terminal.preface += `${command}\n`
    return ''
  }
  if (STAYS.test(command)) {
    const port = ports.get('18443')
    const started = await terminal.start(
      command.endsWith('devnet') ? `${command} --port ${port}` : command,
    )
    running.push(started)
    return started.output
  }
  const { code, output, errors } = await terminal.run(command)
  if (code !== 0) throw new Error(`${command}: ${code}\n${errors}${output}`)
  if (command.startsWith('cd ')) furnish(terminal.folder)
  return output
}

/** Reads blocks in their order, holding each promise against what the commands before it said. */
async function follow(blocks: readonly Block[]): Promise<void> {
  let last: readonly string[] = []
  let said = ''
  for (const { kind, text } of blocks) {
    if (kind === 'json') writeFileSync(join(terminal.folder, 'kaccy.json'), here(text))
    if (kind === 'devnet')
      for (const line of text.trim().split('\n'))
        running.find(({ line: started }) => started.includes('devnet'))?.type(line)
    if (kind === 'sh') {
      last = commandsOf(here(text))
      said = ''
      for (const command of last) said += await type(command)
    }
    if (kind === 'text') said = await promise(text, said, last)
  }
}

/** The chain needs a moment to be looked at, so a question is asked again until its answer is the promised one. */
async function promise(
  promised: string,
  first: string,
  commands: readonly string[],
): Promise<string> {
  let said = first
  for (let tries = 0; ; tries++) {
    const missing = missingIn(said, promised)
    if (missing === undefined) return said
    if (tries === TRIES || !commands.every((command) => /^kaccy order show/.test(command)))
      throw new Error(`the page promises: ${missing}\nit said: ${said}`)
    await pause(500)
    said = ''
    for (const command of commands) said += await type(command)
  }
}

test('from a clone to the first paid order, following only the README', async () => {
  for (const port of ['18443', '8080']) ports.set(port, await freePort())
  terminal.environment = {
    ...terminal.environment,
    KACCY_HTTP_LISTEN: `127.0.0.1:${ports.get('8080')}`,
  }
  const order = blocksOf('README.md', 'Your first paid order')
  const [clone] = order
  expect(clone?.text).toMatch(/^git clone/)
  // The clone first: the two commands stand before it on the page, for those who have one.
  await follow([...order, ...blocksOf('README.md', 'Two commands')])
  for (const { stop } of running) await stop()
}, 400_000)
