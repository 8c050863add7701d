import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LoadInput, loadConfig } from './load.ts'
import { ALWAYS, envName, SETTINGS, settingKeys } from './settings.ts'
import { maskDatabase, showConfig } from './show.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-config-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (value: unknown, name = 'kaccy.json'): string => {
  const path = join(folder, name)
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
  return path
}
const load = (input: Partial<LoadInput> = {}) =>
  loadConfig({ environment: {}, flags: {}, folder: join(folder, 'empty'), ...input })
const codeOf = (input: Partial<LoadInput>) => {
  const loaded = load(input)
  return loaded.ok ? 'ok' : `${loaded.error.code} ${loaded.error.param ?? ''}`.trim()
}

test('without anything there are the defaults, and no network', () => {
  const loaded = load()
  if (!loaded.ok) throw new Error(loaded.error.message)
  expect(loaded.value.config.network).toBeUndefined()
  expect(loaded.value.config['chain.poll_ms']).toBe(30_000)
  expect(loaded.value.config['database.url']).toBe(join(folder, 'empty', 'kaccy.sqlite'))
  const fallbacks = settingKeys.filter((key) => 'fallback' in SETTINGS[key])
  expect([...ALWAYS].sort()).toEqual([...fallbacks].sort())
})

test('file, environment and flags: each is stronger than the one before', () => {
  const path = file({ network: 'regtest', operator: 'file', chain: { poll_ms: 1000 } })
  const environment = { KACCY_OPERATOR: 'environment', KACCY_CHAIN_STALL_MS: '60000' }
  const flags = { operator: 'flag' }
  const sourceOf = (input: Partial<LoadInput>) => {
    const loaded = load({ file: path, ...input })
    if (!loaded.ok) throw new Error(loaded.error.message)
    return [loaded.value.config.operator, loaded.value.sources.get('operator')]
  }
  expect(sourceOf({})).toEqual(['file', 'file'])
  expect(sourceOf({ environment })).toEqual(['environment', 'environment'])
  expect(sourceOf({ environment, flags })).toEqual(['flag', 'flag'])
  expect(sourceOf({ environment: { KACCY_CONFIG: path }, file: undefined })).toEqual([
    'file',
    'file',
  ])
})

test.each([
  ['an unknown key of the file', { file: { nodes: { url: 'x' } } }, 'CONFIG_KEY_UNKNOWN nodes.url'],
  ['an unknown object', { file: { node: { uri: 'x' } } }, 'CONFIG_KEY_UNKNOWN node.uri'],
  ['a network nobody has', { file: { network: 'mainnet' } }, 'CONFIG_VALUE_INVALID network'],
  ['a number as text', { file: { chain: { poll_ms: '5' } } }, 'CONFIG_VALUE_INVALID chain.poll_ms'],
  ['a fraction', { file: '{"chain":{"poll_ms":1000.5}}' }, 'CONFIG_VALUE_INVALID chain.poll_ms'],
  ['an exponent', { file: '{"chain":{"poll_ms":1e3}}' }, 'CONFIG_VALUE_INVALID chain.poll_ms'],
  ['out of range', { file: { chain: { poll_ms: 1 } } }, 'CONFIG_VALUE_INVALID chain.poll_ms'],
  [
    'a flag as text',
    { file: { node: { allow_plain_http: 'no' } } },
    'CONFIG_VALUE_INVALID node.allow_plain_http',
  ],
  ['pins that are no list', { file: { node: { pins: 'a' } } }, 'CONFIG_VALUE_INVALID node.pins'],
  [
    'a name that stands twice',
    { file: '{"network":"main","network":"test"}' },
    'CONFIG_FILE_UNREADABLE',
  ],
  ['comments', { file: '{"network":"main"} // x' }, 'CONFIG_FILE_UNREADABLE'],
  ['a list', { file: '[]' }, 'CONFIG_FILE_UNREADABLE'],
  [
    'two ways in',
    { file: { node: { user: 'a', password: 'b', cookie_file: 'c' } } },
    'CONFIG_CONFLICT node.user',
  ],
  [
    'a user without password',
    { file: { node: { user: 'a' } } },
    'CONFIG_VALUE_MISSING node.password',
  ],
  [
    'a secret file that is away',
    { file: { node: { password_file: 'away' } } },
    'CONFIG_FILE_UNREADABLE',
  ],
])('%s is refused by name', (_name, { file: content }, says) => {
  expect(codeOf({ file: file(content, 'refused.json') })).toBe(says)
})

test('the environment is held to the same rules', () => {
  expect(codeOf({ environment: { KACCY_NODE_URI: 'x' } })).toBe('CONFIG_KEY_UNKNOWN KACCY_NODE_URI')
  expect(codeOf({ environment: { KACCY_NETWORK: '' } })).toBe('CONFIG_VALUE_INVALID network')
  expect(codeOf({ environment: { KACCY_NODE_ALLOW_PLAIN_HTTP: 'maybe' } })).toBe(
    'CONFIG_VALUE_INVALID node.allow_plain_http',
  )
  expect(codeOf({ environment: { OTHER: 'x', KACCY_NETWORK: 'main' } })).toBe('ok')
})

test('a secret comes from its file, without the line end, and is shown nowhere', () => {
  const path = file('hush: very secret\n', 'password')
  const environment = { KACCY_NODE_USER: 'kaccy', KACCY_NODE_PASSWORD_FILE: path }
  const loaded = load({ environment })
  if (!loaded.ok) throw new Error(loaded.error.message)
  expect(loaded.value.config['node.password']?.reveal()).toBe('hush: very secret')
  const shown = JSON.stringify([loaded.value, showConfig(loaded.value), inspect(loaded.value)])
  expect(shown).not.toContain('hush')
  expect(showConfig(loaded.value)).toContainEqual(
    expect.objectContaining({ key: 'node.password', value: '[secret]', source: 'environment' }),
  )
})

test('a stronger cookie takes the place of a weaker user', () => {
  const path = file({ node: { user: 'a', password: 'b' } }, 'user.json')
  const loaded = load({ file: path, flags: { 'node.cookie_file': '/c' } })
  if (!loaded.ok) throw new Error(loaded.error.message)
  expect(Object.keys(loaded.value.config).filter((key) => key.startsWith('node.'))).toEqual([
    'node.allow_plain_http',
    'node.cookie_file',
  ])
})

test('paths start from the folder of the file that names them', () => {
  const path = file({ database: { url: 'data/kaccy.sqlite' } }, 'paths.json')
  const loaded = load({ file: path, folder: '/elsewhere' })
  expect(loaded.ok && loaded.value.config['database.url']).toBe(join(folder, 'data/kaccy.sqlite'))
})

test('no password of a database address is ever shown', () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9]{8,20}$/)
  fc.assert(
    fc.property(word, (password) => {
      const url = `postgres://kaccy:${password}@db.example:5432/kaccy?sslmode=require`
      const masked = maskDatabase(url)
      expect(masked).not.toContain(password)
      expect(masked).toContain('db.example:5432/kaccy')
    }),
  )
  expect(maskDatabase('postgres://a b')).not.toContain('a b')
  expect(maskDatabase('/data/kaccy.sqlite')).toBe('/data/kaccy.sqlite')
})

test('every setting has one name in the environment', () => {
  const names = settingKeys.map(envName)
  expect(new Set(names).size).toBe(names.length)
  expect(names.every((name) => /^KACCY_[A-Z_]+$/.test(name))).toBe(true)
})

test('a password inside the address of the node is not shown', () => {
  const loaded = load({ flags: { 'node.url': 'http://u:hunter2@127.0.0.1:8332' } })
  if (!loaded.ok) throw new Error(loaded.error.message)
  expect(JSON.stringify(showConfig(loaded.value))).not.toContain('hunter2')
})

test('an address of another kind of database is no file name', () => {
  expect(codeOf({ flags: { 'database.url': 'mysql://db/kaccy' } })).toContain('CONFIG_')
  expect(codeOf({ flags: { 'database.url': 'postgre://db/kaccy' } })).toContain('CONFIG_')
})

const toml = (text: string, name = 'kaccy.toml'): string => file(text, name)

test('TOML says the same as JSON, with comments', () => {
  const path = toml(`# the shop
network = "regtest"
operator = 'ann'
database.url = "shop.sqlite"
[node]
url = "http://127.0.0.1:18443"
pins = ["aa", "bb"]
allow_plain_http = true
[chain]
poll_ms = 1_000
[api]
key_file = "key"
`)
  file('kc_dev_hush\n', 'key')
  const loaded = load({ file: path })
  if (!loaded.ok) throw new Error(loaded.error.message)
  expect(loaded.value.config).toMatchObject({
    network: 'regtest',
    operator: 'ann',
    'database.url': join(folder, 'shop.sqlite'),
    'node.pins': ['aa', 'bb'],
    'node.allow_plain_http': true,
    'chain.poll_ms': 1_000,
  })
  expect(loaded.value.config['api.key']?.reveal()).toBe('kc_dev_hush')
  expect(JSON.stringify(showConfig(loaded.value))).not.toContain('hush')
})

test.each([
  ['a name that nobody reads', '[node]\nuri = "x"', 'CONFIG_KEY_UNKNOWN node.uri'],
  ['a number as text', '[chain]\npoll_ms = "1000"', 'CONFIG_VALUE_INVALID chain.poll_ms'],
  ['a fraction', '[chain]\npoll_ms = 1000.0', 'CONFIG_VALUE_INVALID chain.poll_ms'],
  ['infinity', '[chain]\npoll_ms = inf', 'CONFIG_VALUE_INVALID chain.poll_ms'],
  [
    'a number beyond what is exact',
    '[chain]\npoll_ms = 9007199254740993',
    'CONFIG_VALUE_INVALID chain.poll_ms',
  ],
  ['a date as text', 'operator = 2026-01-01', 'CONFIG_VALUE_INVALID operator'],
  ['a name that stands twice', 'operator = "a"\noperator = "b"', 'CONFIG_FILE_UNREADABLE'],
  ['a table that goes deeper', '[node.url]\nx = 1', 'CONFIG_VALUE_INVALID node.url'],
  ['a prototype', '[__proto__]\nnetwork = "main"', 'CONFIG_KEY_UNKNOWN __proto__.network'],
])('TOML with %s is refused by name', (_name, text, says) => {
  expect(codeOf({ file: toml(text, 'refused.toml') })).toBe(says)
})

test('what is wrong in a TOML file is said without its lines: a secret may stand there', () => {
  const loaded = load({ file: toml('[node]\npassword = "hush" oops\n', 'broken.toml') })
  expect(loaded.ok).toBe(false)
  if (loaded.ok) return
  expect(loaded.error.message).toMatch(/line 2, column \d+/)
  expect(JSON.stringify(loaded.error)).not.toContain('hush')
})

test('JSON and TOML side by side are one file too many', () => {
  const both = mkdtempSync(join(tmpdir(), 'kaccy-both-'))
  writeFileSync(join(both, 'kaccy.toml'), 'operator = "toml"')
  const found = load({ folder: both })
  expect(found.ok && found.value.config.operator).toBe('toml')
  writeFileSync(join(both, 'kaccy.json'), '{}')
  expect(codeOf({ folder: both })).toBe('CONFIG_CONFLICT config')
  expect(codeOf({ folder: both, file: 'kaccy.toml' })).toBe('ok')
  rmSync(both, { recursive: true })
})

test('a secret and its file, equally strong, contradict each other', () => {
  const path = file('from a file', 'secret')
  const twice = { KACCY_API_KEY: 'a', KACCY_API_KEY_FILE: path }
  expect(codeOf({ environment: twice })).toBe('CONFIG_CONFLICT api.key')
  const loaded = load({ environment: { KACCY_API_KEY: 'a' }, flags: { 'api.key_file': path } })
  expect(loaded.ok && loaded.value.config['api.key']?.reveal()).toBe('from a file')
})
