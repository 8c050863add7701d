import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { toHex } from '@kaccy/bitcoin/kernel'
import { afterAll, expect, test } from 'vitest'
import { descriptorText, fingerprints, MNEMONICS, payment } from './payment.ts'
import { RECEIPT_KEY, receiptOf } from './stand.ts'

const KILLS = Number(process.env['KACCY_SCALE'] ?? '0.1') >= 1 ? 100 : 4
const MAIN = join(import.meta.dirname, '../../packages/signer/src/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'kaccy-signer-process-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)
const home = at('home')
writeFileSync(at('passphrase'), 'a passphrase in a file\n', { mode: 0o600 })
writeFileSync(at('words'), `${MNEMONICS[0]}\n`, { mode: 0o600 })
const COMMAND = ['--conditions=@kaccy/source', MAIN]
const environment = {
  PATH: process.env['PATH'],
  KACCY_SIGNER_HOME: home,
  KACCY_SIGNER_PASSPHRASE_FILE: at('passphrase'),
}

/** One command, to its end. */
function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...COMMAND, ...args], {
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, out: stdout, err: stderr }
}
/** `serve`, once it listens. */
async function serve(): Promise<{ child: ChildProcess; address: string }> {
  const child = spawn(process.execPath, [...COMMAND, 'serve'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const address = /listens on (\S+)/.exec(line)?.[1]
    if (address) return { child, address }
  }
  return expect.unreachable('serve ended')
}
const honest = (coin: number) => {
  const made = payment({ kind: 'wpkh', coins: [coin], pays: [50_000] })
  const now = Date.now()
  const receipt = receiptOf({ ...made, issuedAt: now, expiresAt: now + 3_600_000 })
  return { psbt: Buffer.from(made.bytes).toString('base64'), receipt, txHash: made.unsignedTxid }
}

const created = run(
  'init',
  '--network',
  'regtest',
  '--listen',
  '127.0.0.1:0',
  '--scrypt-log-n',
  '14',
  '--receipt-key',
  toHex(RECEIPT_KEY.publicKey),
)
const token = /kst_\S+/.exec(created.out)?.[0] ?? ''
const send = (address: string, path: string, body?: unknown, bearer = token): Promise<Response> =>
  fetch(`${address}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${bearer}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })

test('from nothing to a signature, by files', () => {
  expect(created.status).toBe(0)
  expect(run('add-key', '--mnemonic-file', at('words')).out).toContain(fingerprints[0])
  const key = run('xpub', '--fingerprint', fingerprints[0] ?? '', '--path', '84h/1h/0h').out.trim()
  expect(descriptorText('wpkh')).toContain(key)
  const limits = ['--max-transaction-sat', '100000', '--max-day-sat', '100000000']
  const added = run('wallets', 'add', '--name', 'hot', '--descriptor', `wpkh(${key})`, ...limits)
  expect(added).toMatchObject({ status: 0, out: expect.stringContaining(descriptorText('wpkh')) })
  expect(JSON.parse(run('wallets', '--json').out)).toMatchObject([{ name: 'hot', own_keys: 1 }])

  const { psbt, receipt, txHash } = honest(1)
  writeFileSync(at('tx.psbt'), Buffer.from(psbt, 'base64'))
  writeFileSync(at('tx.base64'), `${psbt}\n`)
  writeFileSync(at('receipt'), `${receipt}\n`)
  const signed = run(
    'sign',
    '--psbt',
    at('tx.psbt'),
    '--receipt',
    at('receipt'),
    '--out',
    at('signed'),
  )
  expect(signed).toMatchObject({ status: 0, err: `signed ${txHash}\n` })
  const again = run('sign', '--psbt', at('tx.base64'), '--receipt', at('receipt'))
  expect(again.out).toBe(readFileSync(at('signed'), 'utf8'))
  const over = run(
    'sign',
    '--psbt',
    at('tx.psbt'),
    '--receipt',
    at('receipt'),
    '--out',
    at('signed'),
  )
  expect(over).toMatchObject({ status: 1, err: expect.stringContaining('is there already') })
  writeFileSync(at('receipt'), `${receipt.slice(0, -1)}\n`)
  const refused = run('sign', '--psbt', at('tx.psbt'), '--receipt', at('receipt'))
  expect(refused).toMatchObject({
    status: 3,
    out: '',
    err: expect.stringContaining('receipt_invalid'),
  })
  expect(JSON.parse(run('status', '--json').out)).toMatchObject({
    records: 1,
    wallets: [{ day_sat: 53_000 }],
  })
})

test('says no to a command line that it does not know, and takes no passphrase from it', () => {
  expect(run('--help')).toMatchObject({ status: 0, out: expect.stringContaining('policy receipt') })
  expect(run('wallets', '--passphrase', 'secret')).toMatchObject({
    status: 2,
    err: expect.not.stringContaining('secret'),
  })
  expect(run('nonsense').status).toBe(2)
  expect(run('wallets', 'add', '--name', 'x', '--descriptor', descriptorText('tr')).status).toBe(2)
  expect(run('init', '--network', 'regtest', '--receipt-key', 'x').status).toBe(1)
  expect(run('receipt-key', 'add', 'd7'.repeat(32)).out).toContain('d7d7')
  expect(run('receipt-key', 'remove', 'd7'.repeat(32)).out).not.toContain('d7d7')
  const words = run('add-key', '--generate').out.split('\n')[1]?.split(' ')
  expect(words).toHaveLength(24)
  expect(run('receipt-key', 'remove', toHex(RECEIPT_KEY.publicKey)).status).toBe(1)
  writeFileSync(at('wrong'), 'another passphrase\n', { mode: 0o600 })
  expect(run('status', '--passphrase-file', at('wrong'))).toMatchObject({
    status: 1,
    err: expect.stringContaining('passphrase is wrong'),
  })
})

test('HTTP: who may ask, what can be asked, and a clean end', async () => {
  const { child, address } = await serve()
  expect(await (await send(address, '/v1/health', undefined, '')).json()).toEqual({ status: 'ok' })
  expect((await send(address, '/v1/wallets', undefined, 'x')).status).toBe(401)
  expect((await send(address, '/v1/sign', honest(2), '')).status).toBe(401)
  expect(await (await send(address, '/v1/wallets')).json()).toMatchObject({
    data: [{ name: 'hot' }],
  })
  for (const body of [
    '',
    '[]',
    '{"psbt":1,"receipt":""}',
    '{"psbt":"","receipt":"","x":1}',
    'null',
  ]) {
    expect((await send(address, '/v1/sign', body)).status, body).toBe(400)
  }
  expect((await send(address, '/v1/sign')).status).toBe(405)
  expect((await send(address, '/v1/health', {})).status).toBe(405)
  expect((await send(address, '/v2')).status).toBe(404)
  // Whether the caller reads the answer or meets the connection that is cut first is luck.
  const large = await send(address, '/v1/sign', 'x'.repeat(33 * 1024 * 1024)).catch(() => undefined)
  expect([413, undefined]).toContain(large?.status)
  const { psbt, receipt } = honest(2)
  const no = await send(address, '/v1/sign', { psbt: `${psbt}*`, receipt })
  expect(no.status).toBe(422)
  expect(await no.json()).toMatchObject({
    code: 'REFUSED',
    reason: 'malformed',
    reasons: ['malformed'],
  })
  // A second process is kept out of the same home.
  expect(run('status')).toMatchObject({
    status: 1,
    err: expect.stringContaining('uses this home already'),
  })
  const last = send(address, '/v1/sign', { psbt, receipt })
  const response = await last
  child.kill('SIGTERM')
  expect(response.status).toBe(200)
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(existsSync(join(home, 'lock'))).toBe(false)
})

test(`${KILLS} times kill -9 while it signs: every signature that left is counted`, async () => {
  const before =
    (JSON.parse(run('status', '--json').out) as { wallets: { day_sat: number }[] }).wallets[0]
      ?.day_sat ?? 0
  const left = new Set<string>()
  const asked = new Set<string>()
  let coin = 100
  for (let i = 0; i < KILLS; i++) {
    const { child, address } = await serve()
    const ended = once(child, 'exit')
    const requests = Array.from({ length: 12 }, () => honest(coin++))
    const wanted = Math.floor((i % 4) * 3)
    let answered = 0
    await Promise.all(
      requests.map(async ({ psbt, receipt, txHash }) => {
        asked.add(txHash)
        // No answer is what this is about: the process is killed while it works.
        const response = await send(address, '/v1/sign', { psbt, receipt }).catch(() => undefined)
        if (response?.status === 200) {
          left.add(txHash)
          if (++answered > wanted) child.kill('SIGKILL')
        }
      }),
    )
    child.kill('SIGKILL')
    await ended
  }
  const status = JSON.parse(run('status', '--json').out) as { wallets: { day_sat: number }[] }
  const counted = ((status.wallets[0]?.day_sat ?? 0) - before) / 53_000
  expect(left.size).toBeGreaterThan(0)
  expect(counted).toBeGreaterThanOrEqual(left.size)
  expect(counted).toBeLessThanOrEqual(asked.size)
  const log = readFileSync(join(home, 'journal.1.log'), 'utf8')
  for (const txHash of left) expect(log).toContain(txHash)
}, 600_000)
