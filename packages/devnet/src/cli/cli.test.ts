import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addressOf, namedKey } from '../index.ts'
import { HELP, readArguments } from './arguments.ts'
import { runCommand } from './run.ts'

const shop = addressOf(namedKey('shop').script) ?? ''
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-devnet-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Said {
  readonly type: string
  readonly url: string
  readonly user: string
  readonly password: string
  readonly cookie: string
  readonly zmq?: string
  readonly rest?: string
  readonly height: number
}
/** The command in this process, until `end`. */
function start(...args: string[]) {
  const stop = new AbortController()
  let out = ''
  let err = ''
  let wake: () => void = () => {}
  const shell = {
    out: (text: string) => {
      out += text
      wake()
    },
    err: (text: string) => {
      err += text
    },
    signal: stop.signal,
  }
  const code = runCommand(args, shell)
  return {
    code,
    out: () => out,
    err: () => err,
    async ready(): Promise<Said> {
      if (!out.includes('\n')) await Promise.race([new Promise<void>((r) => (wake = r)), code])
      return JSON.parse(out.split('\n')[0] ?? '')
    },
    async end(): Promise<number> {
      stop.abort()
      return code
    },
  }
}
async function call({ url, user, password }: Said, method: string, params: unknown[] = []) {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', headers: { authorization }, body })
  return ((await response.json()) as { result: unknown }).result
}

describe('kaccy-devnet', () => {
  it('says where it is, serves, and ends cleanly', async () => {
    const command = start('--port', '0', '--json', '--zmq', '0', '--user', 'u', '--password', 'p')
    const said = await command.ready()
    expect(said).toMatchObject({ type: 'ready', user: 'u', password: 'p', height: 110 })
    expect(said.zmq).toMatch(/^tcp:/)
    expect(said.rest).toBe(`${said.url}/rest/`)
    expect(await call(said, 'getblockcount')).toBe(110)
    expect(readFileSync(said.cookie, 'utf8')).toMatch(/^__cookie__:/)
    expect(await command.end()).toBe(0)
    expect(existsSync(said.cookie)).toBe(false)
    expect(command.out()).toMatch(/\{"type":"end","height":110,/)
    expect(command.err()).toBe('')
  })
  it('says the same to people, and nothing when quiet', async () => {
    const command = start('--port', '0')
    while (!command.out().includes('height')) await new Promise(setImmediate)
    expect(command.out()).toMatch(
      /^url {7}http:\/\/127.0.0.1:\d+\nuser {6}devnet\npassword {2}\w{32}\ncookie/,
    )
    await command.end()
    const quiet = start('--port', '0', '--quiet')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await quiet.end()).toBe(0)
    expect(quiet.out() + quiet.err()).toBe('')
  })
  it('keeps its chain in a folder, pays a new chain’s addresses once, and mines by the clock', async () => {
    const args = ['--port', '0', '--json', '--data', folder, '--fund', `${shop}=1.25`]
    const first = start(...args, '--block-time', '0.05', '--seed', 'mine')
    const said = await first.ready()
    expect(said.height).toBe(111)
    let height = 111
    while (height < 113) height = Number(await call(said, 'getblockcount'))
    expect(await call(said, 'scantxoutset', ['start', [`addr(${shop})`]])).toMatchObject({
      total_amount: 1.25,
    })
    await first.end()
    const end = JSON.parse(first.out().trim().split('\n').at(-1) ?? '')
    const second = start(...args)
    expect(await second.ready()).toMatchObject({ height: end.height, seed: 'mine' })
    await second.end()
  })
  it('ends when a caller says stop', async () => {
    const command = start('--port', '0', '--json')
    expect(await call(await command.ready(), 'stop')).toBe('Bitcoin Core stopping')
    expect(await command.code).toBe(0)
  })
  it('tells in a line what is in the way', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const taken = start('--port', `${port}`)
    expect(await taken.code).toBe(2)
    expect(taken.err()).toBe(`kaccy-devnet: port ${port} is in use; --port 0 takes a free one\n`)
    server.close()
    const one = start('--port', '0', '--json', '--data', folder)
    await one.ready()
    const two = start('--port', '0', '--data', folder)
    expect(await two.code).toBe(2)
    expect(two.err()).toMatch(/^kaccy-devnet: process \d+ uses this folder; .*\n$/)
    await one.end()
    const other = start('--port', '0', '--data', folder, '--seed', 'x', '--json')
    expect(await other.code).toBe(2)
    expect(other.err()).toMatch(
      /"code":"DEVNET_STORAGE_MISMATCH","message":".*seed `devnet`, not `x`"/,
    )
  })
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'as a process ends by %s, and gives its folder back',
    async (signal) => {
      const main = new URL('../main.ts', import.meta.url).pathname
      const args = ['--conditions=@kaccy/source', main, '--port', '0', '--json', '--data', folder]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      expect(existsSync(join(folder, 'devnet.lock'))).toBe(true)
      child.kill(signal)
      expect(await once(child, 'exit')).toEqual([0, null])
      expect(existsSync(join(folder, 'devnet.lock'))).toBe(false)
      expect(existsSync(join(folder, '.cookie'))).toBe(false)
    },
  )
})

describe('the command line', () => {
  const read = (...args: string[]) => {
    const parsed = readArguments(args)
    return parsed.kind === 'wrong' ? parsed.message : parsed
  }
  it('has defaults that work', () => {
    expect(read()).toMatchObject({
      arguments: { port: 18_443, rest: true, fund: [], fsync: false },
    })
    expect(read('--zmq', '--json')).toMatchObject({ arguments: { zmq: 28_332, json: true } })
    expect(read('--zmq')).toMatchObject({ arguments: { zmq: 28_332 } })
    expect(read('--zmq', '5', '--no-rest')).toMatchObject({ arguments: { zmq: 5, rest: false } })
    expect(read('--help')).toEqual({ kind: 'help' })
    expect(read('-h', '--version')).toEqual({ kind: 'help' })
  })
  it.each([
    [['--port', '70000'], /^--port is a port from 0 to 65535, not 70000$/],
    [['--port=-1'], /^--port is a port/],
    [['--block-time', '0'], /^--block-time is a number of seconds above 0, not 0$/],
    [['--fund', `${shop}=0.000000001`], /^--fund is <regtest address>=<bitcoins>/],
    [['--fund', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4=1'], /^--fund is/],
    [['--start', 'x'], /^--start is funded or genesis, not x$/],
    [['--fsync'], /^--fsync needs --data$/],
    [['--nosuch'], /^Unknown option '--nosuch'$/],
    [['word'], /^Unexpected argument 'word'/],
    [['--data'], /^Option '--data <value>' argument missing$/],
  ])('refuses %j in one line', (args, message) => {
    expect(read(...args)).toMatch(message)
    expect(`${read(...args)}`.split('\n')).toHaveLength(1)
  })
  it('names every option in its help', () => {
    const options = [
      'port',
      'data',
      'fsync',
      'seed',
      'start',
      'time',
      'user',
      'password',
      'zmq',
      'no-rest',
    ]
    const more = ['block-time', 'fund', 'quiet', 'json', 'version', 'help']
    expect([...HELP.matchAll(/--([a-z-]+)/g)].map(([, name]) => name)).toEqual(
      expect.arrayContaining([...options, ...more]),
    )
  })
  it('answers help and version, and 2 for what it does not know', async () => {
    const version = start('--version')
    expect(await version.code).toBe(0)
    expect(version.out()).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = start('--help')
    expect([await help.code, help.out()]).toEqual([0, HELP])
    const wrong = start('--nosuch')
    expect([await wrong.code, wrong.out()]).toEqual([2, ''])
    expect(wrong.err()).toMatch(/--help lists the options\n$/)
  })
})
