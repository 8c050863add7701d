import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { openHome, SignerFailure } from '@kaccy/signer'
import { mnemonicToSeedSync } from '@scure/bip39'
import { afterAll, describe, expect, test } from 'vitest'
import { descriptorText, MNEMONICS, payment } from './payment.ts'
import { createStand, NOW, PASSPHRASE, receiptOf, type Stand } from './stand.ts'

const stands: Stand[] = []
afterAll(() => {
  for (const stand of stands) stand.remove()
})

/** A home in which three payments were signed. */
function used(): Stand {
  const stand = createStand(MNEMONICS.slice(0, 1), [
    { name: 'hot', descriptor: descriptorText('wpkh') },
  ])
  stands.push(stand)
  const { desk, close } = stand.open()
  for (const coin of [1, 2, 3]) {
    const made = payment({ kind: 'wpkh', coins: [coin], pays: [50_000] })
    expect(desk.sign(made.bytes, receiptOf({ ...made })).answer).toBe('signed')
  }
  close()
  return stand
}
const stand = used()
const path = (name: string) => join(stand.folder, name)
const LOG = path('journal.1.log')
const HEAD = path('journal.head')
const dayOf = () => {
  const { desk, close } = stand.open()
  const [wallet] = desk.wallets()
  close()
  return wallet?.day_sat
}
/** Opens with other files, and puts the right ones back. */
function openingWith(files: Readonly<Record<string, string | Buffer | undefined>>): unknown {
  const kept = Object.keys(files).map((file) => [file, readFileSync(file)] as const)
  for (const [file, content] of Object.entries(files)) {
    if (content === undefined) rmSync(file)
    else writeFileSync(file, content, { mode: 0o600 })
  }
  try {
    stand.open().close()
    return undefined
  } catch (error) {
    return error
  } finally {
    for (const [file, content] of kept) writeFileSync(file, content, { mode: 0o600 })
  }
}

describe('the journal', () => {
  test('keeps its count', () => expect(dayOf()).toBe(3 * 53_000))
  test('with any byte changed nothing is signed', () => {
    for (const file of [LOG, HEAD]) {
      const content = readFileSync(file)
      for (let at = 0; at < content.length - 1; at += 83) {
        const changed = Buffer.from(content)
        changed[at] = (changed[at] ?? 0) ^ 1
        expect(openingWith({ [file]: changed }), `${file} ${at}`).toBeInstanceOf(SignerFailure)
      }
    }
    expect(dayOf()).toBe(3 * 53_000)
  }, 300_000)
  test('with a record less, one doubled, or two in another order, nothing is signed', () => {
    const lines = readFileSync(LOG, 'utf8').split('\n').slice(0, -1)
    const [a = '', b = '', c = ''] = lines
    for (const kept of [[a, b], [b, c], [a, c], [a, b, c, c], [b, a, c], []]) {
      expect(openingWith({ [LOG]: kept.map((line) => `${line}\n`).join('') })).toBeInstanceOf(
        SignerFailure,
      )
    }
    expect(openingWith({ [LOG]: undefined })).toBeInstanceOf(SignerFailure)
    expect(openingWith({ [HEAD]: undefined })).toBeInstanceOf(SignerFailure)
    expect(openingWith({ [HEAD]: '' })).toBeInstanceOf(SignerFailure)
  })
  test('a line that a crash tore off behind the last whole one is taken away', () => {
    const whole = readFileSync(LOG, 'utf8')
    expect(openingWith({ [LOG]: `${whole}0123 {"at":17` })).toBeUndefined()
    writeFileSync(LOG, `${whole}0123 {"at":17`)
    expect(dayOf()).toBe(3 * 53_000)
    expect(readFileSync(LOG, 'utf8')).toBe(whole)
  })
  test('a record that the head does not know yet counts', () => {
    const head = readFileSync(HEAD)
    const { desk, close } = stand.open()
    const made = payment({ kind: 'wpkh', coins: [9], pays: [50_000] })
    expect(desk.sign(made.bytes, receiptOf({ ...made })).answer).toBe('signed')
    close()
    writeFileSync(HEAD, head)
    expect(dayOf()).toBe(4 * 53_000)
  })
  test('what is written by another process stops this one', () => {
    const { desk, close } = stand.open()
    const made = payment({ kind: 'wpkh', coins: [10], pays: [50_000] })
    const whole = readFileSync(LOG)
    writeFileSync(LOG, `${whole.toString()}x\n`)
    expect(desk.sign(made.bytes, receiptOf({ ...made })).answer).toBe('not_ready')
    writeFileSync(LOG, whole)
    writeFileSync(path('lock'), '1 another\n')
    expect(desk.sign(made.bytes, receiptOf({ ...made })).answer).toBe('not_ready')
    close()
    rmSync(path('lock'))
  })
  test('starting costs the same after years: what nobody asks for is left out', () => {
    const own = used()
    let now = NOW
    const { desk, close } = own.open(() => now)
    const expiresAt = NOW + 1000
    const made = payment({ kind: 'wpkh', coins: [4], pays: [1000] })
    for (let i = 0; i < 280; i++) {
      expect(desk.sign(made.bytes, receiptOf({ ...made, expiresAt })).answer).toBe('signed')
    }
    close()
    now += 2 * 24 * 3_600_000
    own.open(() => now).close()
    const logs = readdirSync(own.folder).filter((name) => name.endsWith('.log'))
    expect(logs).toEqual(['journal.2.log'])
    expect(readFileSync(join(own.folder, 'journal.2.log'), 'utf8').split('\n')).toHaveLength(2)
    own.open(() => now).close()
  }, 300_000)
})

describe('keys and settings', () => {
  test("no seed and no mnemonic stands in any file, and files are their owner's", () => {
    const seed = mnemonicToSeedSync(MNEMONICS[0])
    for (const name of readdirSync(stand.folder)) {
      const content = readFileSync(path(name))
      expect(statSync(path(name)).mode & 0o077, name).toBe(0)
      expect(content.includes(Buffer.from(seed).subarray(0, 16)), name).toBe(false)
      const text = content.toString('latin1')
      for (const form of ['hex', 'base64'] as const) {
        expect(text.includes(Buffer.from(seed).subarray(0, 15).toString(form)), name).toBe(false)
      }
      for (const word of ['trim thing', 'xprv', 'tprv'])
        expect(text.includes(word), name).toBe(false)
    }
  })
  test('only the right passphrase opens them', () => {
    expect(() => openHome(stand.folder, `${PASSPHRASE} `, () => true)).toThrow(
      'passphrase is wrong',
    )
    expect(existsSync(path('lock'))).toBe(false)
  })
  test('a file that others can read is not used', () => {
    chmodSync(path('keys.json'), 0o640)
    expect(() => stand.open()).toThrow('open to others')
    chmodSync(path('keys.json'), 0o600)
  })
  test('limits raised by hand, or a key box put in, are seen', () => {
    const registry = readFileSync(path('registry.json'), 'utf8')
    const raised = registry.replace('10000000000', '90000000000')
    expect(raised).not.toBe(registry)
    expect(openingWith({ [path('registry.json')]: raised })).toBeInstanceOf(SignerFailure)
    const keys = JSON.parse(readFileSync(path('keys.json'), 'utf8')) as {
      keys: { fingerprint: string; box: string }[]
    }
    const [key] = keys.keys
    if (!key) return expect.unreachable()
    const moved = { ...keys, keys: [{ ...key, fingerprint: '00000000' }] }
    expect(openingWith({ [path('keys.json')]: JSON.stringify(moved) })).toBeInstanceOf(
      SignerFailure,
    )
    const weak = { ...keys, cost: { logN: 10, r: 8, p: 1 } }
    expect(openingWith({ [path('keys.json')]: JSON.stringify(weak) })).toBeInstanceOf(SignerFailure)
    expect(openingWith({ [path('keys.json')]: '{' })).toBeInstanceOf(SignerFailure)
  })
  test('one process at a time, and a dead one does not keep others out', () => {
    const { close } = stand.open()
    writeFileSync(path('lock.copy'), readFileSync(path('lock')))
    const lock = readFileSync(path('lock'), 'utf8')
    writeFileSync(path('lock'), lock.replace(/^\d+/, `${process.ppid}`))
    expect(() => stand.open()).toThrow('uses this home already')
    writeFileSync(path('lock'), lock)
    close()
    rmSync(path('lock.copy'))
    for (const dead of ['', '999999999 x\n', `${process.pid} of an earlier life\n`]) {
      writeFileSync(path('lock'), dead, { mode: 0o600 })
      stand.open().close()
    }
  })
  test('a wallet of which no key is here, or of another network, is not registered', () => {
    const home = openHome(stand.folder, PASSPHRASE, () => true)
    const [wallet] = home.settings.wallets
    if (!wallet) return expect.unreachable()
    const save = (more: Partial<typeof wallet>) => () =>
      home.save({ ...home.settings, wallets: [wallet, { ...wallet, name: 'other', ...more }] })
    expect(save({})).toThrow('registered already')
    const wpkh = descriptorText('wpkh').slice(0, -9)
    expect(save({ descriptor: wpkh.replace('84h/1h/0h', '84h/1h/1h') })).toThrow(
      'no key of other is here',
    )
    expect(save({ descriptor: `${wpkh}#qqqqqqqq` })).toThrow('checksum')
    expect(save({ descriptor: wpkh.replace('wpkh', 'wsh') })).toThrow('no kind')
    expect(save({ descriptor: wpkh.replace('<0;1>', '0') })).toThrow('<0;1>')
    expect(() => home.save({ ...home.settings, receipt_keys: ['zz'] })).toThrow('64 lower-case')
    expect(save({ descriptor: wpkh.replace('wpkh', 'pkh') })).not.toThrow()
    home.close()
  })
})
