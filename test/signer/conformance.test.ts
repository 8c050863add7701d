import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createHwi,
  createHwiSigner,
  type RunProgram,
  spawnProgram,
} from '@kaccy/bitcoin/adapters/hwi'
import { createHttpSigner } from '@kaccy/bitcoin/adapters/signer-http'
import { ok, type PsbtId, Secret } from '@kaccy/bitcoin/kernel'
import type { SigningRequest } from '@kaccy/bitcoin/signing'
import { type SignerSubject, signerConformance } from '@kaccy/bitcoin/testing'
import { startServer } from '@kaccy/signer'
import * as btc from '@scure/btc-signer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { descriptorText, fingerprints, MNEMONICS, type PaymentPsbt, payment } from './payment.ts'
import { createStand, receiptOf, SETTINGS, type Stand, TOKEN } from './stand.ts'

const honest = payment({ kind: 'wpkh', coins: [3, 4], pays: [700_000] })
const other = payment({ kind: 'wpkh', coins: [5], pays: [10_000] })
const foreign = payment({ kind: 'tr', coins: [5], pays: [10_000] })
const requestOf = (from: PaymentPsbt, receipt: string): SigningRequest => ({
  psbt: 'psb_1' as PsbtId,
  network: 'regtest',
  bytes: from.bytes,
  receipt,
})
const isSigned = (bytes: Uint8Array): boolean => {
  const tx = btc.Transaction.fromPSBT(bytes, { allowUnknownOutputs: true })
  tx.finalize()
  return tx.id === honest.unsignedTxid
}

/** A server that says the same to everyone, and what it wants to; undefined says nothing at all. */
async function mute(answer: string | undefined): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<{ destroy(): void }>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    if (answer !== undefined) socket.once('data', () => socket.end(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
const http = (status: string, body: string, length = Buffer.byteLength(body)) =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`

describe('signer-http', () => {
  let stand: Stand
  beforeAll(() => {
    stand = createStand(MNEMONICS.slice(0, 1), [
      { name: 'hot', descriptor: descriptorText('wpkh') },
    ])
  })
  afterAll(() => stand.remove())

  async function makeSigner(listen = SETTINGS.listen): Promise<SignerSubject> {
    const opened = stand.open()
    const token_sha256 = createHash('sha256').update(TOKEN).digest('hex')
    const server = await startServer(opened.desk, { ...SETTINGS, listen, token_sha256 }, () => {})
    const to = (port: number) =>
      createHttpSigner({
        name: 'hot',
        address: { host: '127.0.0.1', port },
        token: new Secret(TOKEN),
        timeoutMs: 2000,
      })
    const lines = {
      silence: undefined,
      'no HTTP': 'good morning\r\n',
      'a cut answer': http('200 OK', '{"psbt":"cHNi', 500),
      'no JSON': http('200 OK', '<html>'),
      'no PSBT': http('200 OK', '{"signed":true}'),
      'no base64': http('200 OK', '{"psbt":"***"}'),
      'an empty body': http('200 OK', ''),
      'a failure': http('500 Error', '{"code":"FAILED","reason":"internal","detail":"x"}'),
      'a redirect': http('302 Found', '{}'),
      'a refusal without a reason': http('422 No', '{"code":"REFUSED"}'),
    }
    const mutes = await Promise.all(Object.values(lines).map(mute))
    const broken = Object.fromEntries(
      Object.keys(lines).map((name, i) => [name, to(mutes[i]?.port ?? 0)]),
    )
    const { unsignedTxid, payments, descriptor } = honest
    const receipt = receiptOf({ unsignedTxid, payments, descriptor })
    const port = Number(/:(\d+)$/.exec(server.address)?.[1] ?? 0)
    return {
      signer:
        'socket' in listen
          ? createHttpSigner({ name: 'hot', address: listen, token: new Secret(TOKEN) })
          : to(port),
      honest: requestOf(honest, receipt),
      refused: {
        'no receipt': requestOf(honest, ''),
        'a receipt of another transaction': requestOf(other, receipt),
        'another wallet': requestOf(foreign, receiptOf({ ...foreign })),
      },
      isSigned,
      broken: { ...broken, nobody: to(1) },
      async dispose() {
        await Promise.all(mutes.map((each) => each.close()))
        await server.stop()
        opened.close()
      },
    }
  }

  for (const { name, run } of signerConformance(() => makeSigner())) test(name, run)

  test('says its wallets, and what is wrong with the token, over a unix socket', async () => {
    const socket = join(stand.folder, 'signer.sock')
    const subject = await makeSigner({ socket })
    try {
      expect(await subject.signer.sign(subject.honest)).toMatchObject({ answer: 'signed' })
      const stranger = createHttpSigner({ name: 'x', address: { socket }, token: new Secret('no') })
      expect(await stranger.sign(subject.honest)).toMatchObject({
        answer: 'refused',
        code: 'SIGNER_MISCONFIGURED',
        reason: 'token',
      })
      await expect(stranger.wallets()).rejects.toMatchObject({ code: 'SIGNER_UNREACHABLE' })
      const known = createHttpSigner({ name: 'x', address: { socket }, token: new Secret(TOKEN) })
      expect(await known.wallets()).toMatchObject([
        { name: 'hot', descriptor: descriptorText('wpkh'), keys: 1, maxDaySat: 10_000_000_000 },
      ])
      expect(await known.sign(requestOf(foreign, receiptOf({ ...foreign })))).toMatchObject({
        code: 'SIGNER_MISCONFIGURED',
        reason: 'wallet_unknown',
      })
    } finally {
      await subject.dispose?.()
    }
  })
})

const SOFT = join(process.env['KACCY_SHARED'] ?? '../shared', 'counterparts/soft-hwi/soft-hwi.mjs')
const reason = existsSync(SOFT) ? undefined : `no soft-hwi at ${SOFT}`
if (reason) process.stderr.write(`SKIPPED: ${reason}\n`)

describe.skipIf(reason)('hwi, with a device in software', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kaccy-hwi-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const devices = (more: object): string => {
    const path = join(folder, `${JSON.stringify(more).replaceAll(/\W/g, '')}.json`)
    const device = { type: 'ledger', model: 'ledger_nano_x', mnemonic: MNEMONICS[0], ...more }
    writeFileSync(path, JSON.stringify([device]))
    return path
  }
  const runWith = (more: object = {}): RunProgram =>
    spawnProgram({
      command: [process.execPath, '--import', loader(), SOFT],
      environment: { ...process.env, SOFT_HWI_DEVICES: devices(more) },
      timeoutMs: 20_000,
    })
  /** Resolves what soft-hwi imports from this project. */
  const loader = (): string =>
    `data:text/javascript,${encodeURIComponent(
      `import { registerHooks } from 'node:module'
       registerHooks({ resolve: (name, context, next) =>
         next(name, name.startsWith('@') ? { ...context, parentURL: ${JSON.stringify(import.meta.url)} } : context) })`,
    )}`
  const signerWith = (run: RunProgram, fingerprint = fingerprints[0] ?? '') =>
    createHwiSigner({ name: 'ledger', fingerprint, run })
  const says =
    (text: string, exitCode = 0): RunProgram =>
    async () =>
      ok({ output: Buffer.from(text), exitCode })

  const makeSigner = async (): Promise<SignerSubject> => ({
    signer: signerWith(runWith()),
    honest: requestOf(honest, ''),
    refused: { 'a transaction of other keys': requestOf(strangers(), '') },
    isSigned,
    broken: {
      'no such program': signerWith(spawnProgram({ command: ['/nowhere/hwi'] })),
      'no JSON': signerWith(says('Traceback (most recent call last):')),
      'no PSBT': signerWith(says('{"signed":true}')),
      'no base64': signerWith(says('{"psbt":"***","signed":true}')),
      'an unknown error': signerWith(says('{"error":"?","code":-13}')),
      'an unlisted error': signerWith(says('{"error":"?","code":-99}')),
      'a crash': signerWith(says('{"psbt":"cHNidP8="}', 1)),
      'a device that does not end': signerWith(
        spawnProgram({
          command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
          timeoutMs: 300,
        }),
      ),
    },
  })
  /** The same coins, told to be of a device that is not here. */
  const strangers = (): PaymentPsbt => {
    const hex = Buffer.from(honest.bytes)
      .toString('hex')
      .replaceAll(fingerprints[0] ?? '', 'f'.repeat(8))
    return { ...honest, bytes: Uint8Array.from(Buffer.from(hex, 'hex')) }
  }

  for (const { name, run } of signerConformance(makeSigner)) test(name, run)

  test('refuses with the reason of the device', async () => {
    const sign = (run: RunProgram, fingerprint?: string) =>
      signerWith(run, fingerprint).sign(requestOf(honest, ''))
    const no = (code: string, why: string) => ({ answer: 'refused', code, reason: why })
    expect(await sign(runWith({ refuse: ['signtx'] }))).toMatchObject(
      no('SIGNER_DECLINED', 'action_canceled'),
    )
    expect(await sign(runWith({ busy: true }))).toMatchObject(no('SIGNER_NOT_READY', 'device_busy'))
    expect(await sign(runWith({ needs_pin: true }))).toMatchObject(
      no('SIGNER_NOT_READY', 'device_not_ready'),
    )
    expect(await sign(runWith(), 'ffffffff')).toMatchObject(
      no('SIGNER_NOT_READY', 'device_conn_error'),
    )
    const other = { mnemonic: MNEMONICS[1] }
    expect(await sign(runWith(other), fingerprints[1])).toMatchObject(
      no('SIGNER_MISCONFIGURED', 'no_key'),
    )
  })

  test('lists devices, reads descriptors and shows an address', async () => {
    const hwi = createHwi({ run: runWith(), network: 'regtest' })
    expect(await hwi.enumerate()).toEqual([
      {
        type: 'ledger',
        model: 'ledger_nano_x',
        path: 'soft:0',
        fingerprint: fingerprints[0],
        needsPin: false,
        needsPassphrase: false,
      },
    ])
    const locked = createHwi({ run: runWith({ needs_pin: true }), network: 'regtest' })
    expect(await locked.enumerate()).toMatchObject([
      { needsPin: true, fault: { code: 'SIGNER_NOT_READY' } },
    ])
    const found = await hwi.getDescriptors(fingerprints[0] ?? '')
    if (!found.ok) return expect.unreachable(found.error.message)
    const key = /\[.*?\][^/]*/.exec(descriptorText('wpkh'))?.[0] ?? ''
    expect(found.value.receive.some((text) => text.includes(key))).toBe(true)
    expect(found.value.internal).toHaveLength(found.value.receive.length)
    const shown = await hwi.displayAddress(fingerprints[0] ?? '', `wpkh(${key}/0/5)`)
    expect(shown).toMatchObject({ ok: true, value: expect.stringMatching(/^bcrt1q/) })
    const wrong = await hwi.displayAddress(fingerprints[0] ?? '', 'wpkh(x)')
    expect(wrong).toMatchObject({
      ok: false,
      error: { code: 'SIGNER_REFUSED', details: { reason: 'bad_argument' } },
    })
    for (const text of ['', '[]', '{}', '{"receive":[1],"internal":[]}']) {
      const broken = createHwi({ run: says(text), network: 'regtest' })
      await expect(broken.getDescriptors('00000000')).rejects.toMatchObject({
        code: 'SIGNER_UNREACHABLE',
      })
    }
  })
})
