import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  addressOf,
  createDevnet,
  createDevnetInProcess,
  type Devnet,
  type DevnetOptions,
  namedKey,
} from '../index.ts'
import { encodeFrame, MAGIC, readFrames } from './frames.ts'
import { decodeRecords, encodeRecords, type LogRecord } from './records.ts'

const NOW = 1_700_000_000_000
const shop = addressOf(namedKey('shop').script) ?? ''
let folder = ''
const open: Devnet[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-devnet-storage-'))
})
afterEach(async () => {
  for (const devnet of open.splice(0)) await devnet.close()
  rmSync(folder, { recursive: true, force: true })
})
function kept(options: DevnetOptions = {}): Devnet {
  const devnet = createDevnetInProcess({ clock: NOW, dir: folder, persist: true, ...options })
  open.push(devnet)
  return devnet
}
const log = () => join(folder, 'devnet.log')

/** Everything that a caller can see. */
function seen(devnet: Devnet): unknown {
  const { view } = devnet
  const { height } = view.tip()
  const hashes = Array.from({ length: height + 1 }, (_, at) => view.hashAt(at) ?? '')
  return {
    hashes,
    blocks: hashes.slice(111).map((hash) => Buffer.from(view.block(hash) ?? []).toString('hex')),
    tips: devnet.call('getchaintips'),
    coins: devnet.call('gettxoutsetinfo', ['muhash']),
    mempool: devnet.call('getrawmempool', [true]),
    order: view.mempool(),
    raw: view.mempool().map((txid) => devnet.rawTransaction(txid)),
    // Memory depends on how full the mempool ever was in this life of the process.
    info: { ...(devnet.call('getmempoolinfo') as object), usage: 0 },
    chain: devnet.call('getblockchaininfo'),
    sequence: devnet.call('getrawmempool', [false, true]),
    now: devnet.now,
    wallets: devnet.wallets.toJson(),
    posture: devnet.posture,
  }
}
/** The state that another process would find if this one were killed now. */
async function found(options: DevnetOptions = {}): Promise<unknown> {
  const copy = mkdtempSync(join(tmpdir(), 'kaccy-devnet-copy-'))
  try {
    cpSync(log(), join(copy, 'devnet.log'))
    const twin = createDevnetInProcess({ clock: NOW, ...options, dir: copy, persist: true })
    const state = seen(twin)
    await twin.close()
    return state
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

type Act = (devnet: Devnet, pick: number) => void
const ACTS: Readonly<Record<string, Act>> = {
  pay: (devnet, pick) => void devnet.pay(shop, 1000n + BigInt(pick)),
  mine: (devnet, pick) => void devnet.mine(1 + (pick % 3)),
  spend: (devnet, pick) => {
    const outs = [{ address: shop, amount: 5000 + pick }]
    devnet.trySend(devnet.spend({ from: `coin ${pick % 4}`, outs }).raw)
  },
  chain: (devnet, pick) => {
    const [txid] = devnet.view.mempool()
    if (txid === undefined) return
    const outs = [{ address: shop, amount: 600 + pick }]
    const from = { txid, vout: 1 }
    devnet.trySend(devnet.spend({ from, outs, fee: 500 }).raw)
  },
  reorg: (devnet, pick) => {
    const depth = Math.min(1 + (pick % 4), devnet.tip.height - 110)
    if (depth > 0) devnet.reorg(depth, { blocks: pick % 6, drop: pick % 2 ? 'all' : [] })
  },
  evict: (devnet, pick) => {
    const waiting = devnet.view.mempool()
    if (waiting.length > 0) devnet.evict(waiting[pick % waiting.length] ?? '')
  },
  replace: (devnet) => {
    const [txid] = devnet.view.mempool()
    if (txid !== undefined) devnet.replace(txid)
  },
  spike: (devnet, pick) => void devnet.feeSpike(1 + (pick % 9)),
  travel: (devnet, pick) => void devnet.travel(pick * 1000, { blocks: pick % 2 }),
  invalidate: (devnet, pick) => {
    const hash = devnet.view.hashAt(devnet.tip.height - (pick % 3)) ?? ''
    if (devnet.tip.height > 113) devnet.call('invalidateblock', [hash])
  },
  reconsider: (devnet) => {
    const tips = devnet.call('getchaintips') as readonly { hash: string; status: string }[]
    const dead = tips.find(({ status }) => status === 'invalid')
    if (dead) devnet.call('reconsiderblock', [dead.hash])
  },
  precious: (devnet, pick) => {
    const { hash, height } = devnet.tip
    const { hex } = devnet.call('generateblock', [shop, [], false]) as { hex: string }
    devnet.mine()
    devnet.submitBlock(hex)
    const side = devnet.call('getchaintips') as readonly { hash: string; status: string }[]
    const fork = side.find(({ status }) => status === 'valid-headers' || status === 'valid-fork')
    if (fork && pick % 2) devnet.call('preciousblock', [fork.hash])
    expect(devnet.view.header(hash)?.height).toBe(height)
  },
  wallet: (devnet, pick) => {
    const names = devnet.call('listwallets') as readonly string[]
    if (names.length === 0) devnet.call('createwallet', ['w'])
    const own = String(devnet.call('getnewaddress'))
    const coins = devnet.call('listunspent') as readonly unknown[]
    if (coins.length === 0) devnet.faucet(own, 1_000_000n)
    else devnet.call('sendtoaddress', [pick % 2 ? own : shop, '0.0001'])
  },
  header: (devnet) => {
    const { hex } = devnet.call('generateblock', [shop, [], false]) as { hex: string }
    devnet.call('submitheader', [hex.slice(0, 160)])
  },
  posture: (devnet, pick) => {
    devnet.posture.feeRate = pick % 2 ? undefined : BigInt(pick * 1000)
    devnet.mine()
  },
}
const steps = fc.array(
  fc.record({ act: fc.constantFrom(...Object.keys(ACTS)), pick: fc.nat({ max: 5000 }) }),
  { minLength: 1, maxLength: 14 },
)
const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')

describe('a devnet in a folder', () => {
  it('stands in its file after every step of any history, as an undisturbed twin has it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        for (const devnet of open.splice(0)) await devnet.close()
        rmSync(log(), { force: true })
        const devnet = kept({ verifySignatures: false })
        const twin = createDevnetInProcess({ clock: NOW, verifySignatures: false })
        for (const { act, pick } of history) {
          ACTS[act]?.(devnet, pick)
          ACTS[act]?.(twin, pick)
        }
        const now = seen(devnet)
        expect(now).toEqual(seen(twin))
        expect(await found()).toEqual(now)
        await devnet.close()
        // And it goes on as if it had never ended.
        const again = kept()
        ACTS['pay']?.(again, 1)
        ACTS['mine']?.(again, 1)
        ACTS['pay']?.(twin, 1)
        ACTS['mine']?.(twin, 1)
        expect(seen(again)).toEqual(seen(twin))
        await again.close()
      }),
      { numRuns: Math.max(15, Math.round(150 * SCALE)) },
    )
  }, 900_000)
  it('remembers which blocks could still become the tip', async () => {
    const devnet = kept({ verifySignatures: false })
    const twin = createDevnetInProcess({ clock: NOW, verifySignatures: false })
    for (const each of [devnet, twin]) {
      each.mine()
      ACTS['precious']?.(each, 0)
      each.reorg(2, { blocks: 1 })
    }
    await devnet.close()
    const again = kept()
    // The other branch under the dropped block has the same work as this one and came first: it is looked at, and found invalid.
    for (const each of [again, twin]) each.mine()
    const tips = again.call('getchaintips') as readonly { readonly status: string }[]
    expect(tips.map(({ status }) => status)).toContain('invalid')
    expect(tips).toEqual(twin.call('getchaintips'))
  })
  it('writes before it answers, whoever asks', async () => {
    const devnet = kept()
    await devnet.rpc('generatetoaddress', [2, shop])
    expect(await found()).toEqual(seen(devnet))
    const other = createDevnetInProcess({ clock: NOW, seed: 'other' })
    other.mine(5)
    other.join(devnet)
    expect(await found()).toEqual(seen(devnet))
    other.mine()
    other.pay(shop, 900n)
    // News from a peer is written in the same turn of the loop.
    await Promise.resolve()
    expect(await found()).toEqual(seen(devnet))
  })
  it('goes back to a snapshot in the file too, with pruned blocks', async () => {
    const devnet = kept()
    devnet.mine(5)
    const early = devnet.snapshot()
    devnet.pay(shop, 900n)
    devnet.mine(3)
    const late = devnet.snapshot()
    devnet.prune(112)
    devnet.restore(early)
    expect(await found()).toEqual(seen(devnet))
    devnet.restore(late)
    expect(await found()).toEqual(seen(devnet))
    devnet.prune(115)
    devnet.mine()
    expect(await found()).toEqual(seen(devnet))
    expect(devnet.view.block(devnet.view.hashAt(114) ?? '')).toBeUndefined()
  })
  it('remembers refused transactions, the stranger’s coins and a mempool that still loads', async () => {
    const devnet = kept()
    const first = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
    const second = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 4000 }], fee: 200 })
    devnet.send(first.raw)
    expect(devnet.trySend(second.raw)).toMatch(/^insufficient fee/)
    const coin = devnet.strangerCoin('x')
    await devnet.restart({ mempool: 'loading' })
    await devnet.close()
    const again = kept()
    expect(again.strangerCoin('x')).toEqual(coin)
    expect(again.view.mempool()).toEqual([])
    again.finishLoading()
    expect(again.view.mempool()).toEqual([first.txid])
    again.mineBlock({ txids: [second.txid] })
    expect(again.view.mempool()).toEqual([])
  })
  it('rewrites its file when it has grown, and loses nothing by it', async () => {
    const devnet = kept({ verifySignatures: false })
    // Payments entered the mempool and left it, and the clock is written whole at each change: much is superseded.
    for (let i = 0; i < 10_000; i++) devnet.travel(1)
    for (let i = 0; i < 40; i++) {
      devnet.mineBlock({ txids: Array.from({ length: 5 }, () => devnet.pay(shop, 900n).txid) })
    }
    const before = statSync(log()).size
    const snapshot = devnet.snapshot()
    devnet.restore(snapshot)
    expect(statSync(log()).size).toBeLessThan(before / 3)
    expect(await found()).toEqual(seen(devnet))
  })
  it('is quick to come back', async () => {
    const devnet = kept({ verifySignatures: false })
    devnet.mine(1000)
    const began = performance.now()
    await devnet.close()
    expect(kept().tip).toEqual(devnet.tip)
    expect(performance.now() - began).toBeLessThan(5000)
  })
})

describe('the file', () => {
  it('loses its torn tail, at whatever byte it was torn, and nothing before', async () => {
    const devnet = kept({ verifySignatures: false })
    devnet.mine()
    const { length } = readFileSync(log())
    const before = seen(devnet)
    devnet.pay(shop, 900n)
    devnet.mine()
    const after = seen(devnet)
    await devnet.close()
    const whole = readFileSync(log())
    const cuts = [1, 3, 4, 11, 12, 13, 100, whole.length - length - 1]
    for (const cut of cuts) {
      writeFileSync(log(), whole.subarray(0, length + cut))
      // The payment and the block are two calls: the tear falls into the one or the other.
      const state = (await found()) as { hashes: string[]; order: string[] }
      const paid = state.order.length > 0
      expect(paid ? state.hashes : state).toEqual(paid ? (before as typeof state).hashes : before)
    }
    writeFileSync(log(), whole)
    expect(await found()).toEqual(after)
  })
  it.each([
    ['not a log', () => 'DEVNET_STORAGE_FORMAT', (bytes: Buffer) => bytes.fill(7, 0, 4)],
    [
      'bent in its middle',
      () => 'DEVNET_STORAGE_DAMAGED',
      (bytes: Buffer) => bytes.fill(7, 60, 64),
    ],
    ['bent in a length', () => 'DEVNET_STORAGE_DAMAGED', (bytes: Buffer) => bytes.fill(7, 8, 10)],
  ])('is refused when it is %s', async (_, code, bend) => {
    const devnet = kept()
    devnet.mine()
    await devnet.close()
    const bytes = readFileSync(log())
    bend(bytes)
    writeFileSync(log(), bytes)
    expect(() => kept()).toThrow(expect.objectContaining({ code: code() }))
    expect(readFileSync(log())).toEqual(bytes)
  })
  it.each([
    [{ version: 1 }, /version 1 of the format; this release reads 2/],
    [{ network: 'signet' }, /a chain of signet, not of regtest/],
    [{ format: 'other' }, /the format other/],
    [{ startHash: '00'.repeat(32) }, /start chain of this folder is 0000/],
  ])('of %o is refused by name', async (change, message) => {
    const devnet = kept()
    await devnet.close()
    const { payloads } = readFrames(readFileSync(log()))
    const records = decodeRecords(payloads[0] ?? new Uint8Array()).map(
      (record): LogRecord =>
        record.kind === 'home' ? { kind: 'home', home: { ...record.home, ...change } } : record,
    )
    writeFileSync(log(), Buffer.concat([MAGIC, encodeFrame(encodeRecords(records))]))
    const refused = expect.objectContaining({ code: 'DEVNET_STORAGE_FORMAT' })
    expect(() => kept()).toThrow(message)
    expect(() => kept()).toThrow(refused)
  })
  it('keeps its seed and start, and refuses others', async () => {
    const devnet = kept({ seed: 'one', start: 'genesis' })
    devnet.mine(2)
    await devnet.close()
    for (const other of [
      { seed: 'two' },
      { start: 'funded' },
      { verifySignatures: false },
    ] as const) {
      expect(() => kept(other)).toThrow(
        expect.objectContaining({ code: 'DEVNET_STORAGE_MISMATCH' }),
      )
    }
    expect(kept().tip.height).toBe(2)
  })
  it('frames: any bytes come back, any flipped bit is seen', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 2, maxLength: 5 }),
        fc.nat(),
        fc.nat({ max: 7 }),
        (payloads, place, bit) => {
          const bytes = Buffer.concat([MAGIC, ...payloads.map(encodeFrame)])
          expect(readFrames(bytes).payloads.map((one) => [...one])).toEqual(
            payloads.map((one) => [...one]),
          )
          const at = MAGIC.length + (place % (bytes.length - MAGIC.length))
          bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
          const bent = readFrames(bytes)
          expect(bent.payloads.length).toBeLessThan(payloads.length)
          const last = bytes.length - (payloads.at(-1)?.length ?? 0) - 12
          // Only the last record can be mistaken for one that was never finished.
          if (at < last) expect(bent.damage).toBeDefined()
        },
      ),
    )
  })
})

describe('the lock', () => {
  it('keeps a second devnet out, in this process and in another', async () => {
    kept()
    expect(() => kept()).toThrow(expect.objectContaining({ code: 'DEVNET_STORAGE_LOCKED' }))
    const script = `import { createDevnetInProcess } from '@kaccy/devnet'
      try { createDevnetInProcess({ dir: process.argv[1], persist: true }) } catch (e) { console.log(e.code) }`
    const args = ['--conditions=@kaccy/source', '--input-type=module', '-e', script, folder]
    const { stdout } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      cwd: import.meta.dirname,
    })
    expect(stdout).toBe('DEVNET_STORAGE_LOCKED\n')
  })
  it('is free after the end, also after a start that failed', async () => {
    const devnet = await createDevnet({ dir: folder, persist: true })
    open.push(devnet)
    const port = Number(new URL(devnet.rpcUrl).port)
    const second = mkdtempSync(join(tmpdir(), 'kaccy-devnet-second-'))
    const taken = createDevnet({ dir: second, persist: true, port })
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await (await createDevnet({ dir: second, persist: true })).close()
    rmSync(second, { recursive: true })
  })
  it.each([
    ['a process that is gone', { pid: 2 ** 22 - 3, host: hostname() }, true],
    [
      'another process with the same number',
      { pid: process.pid, host: hostname(), began: '1' },
      true,
    ],
    ['a process of another machine', { pid: 1, host: 'elsewhere' }, false],
  ])('of %s is taken over where that is certain', (_, holder, free) => {
    writeFileSync(join(folder, 'devnet.lock'), JSON.stringify(holder))
    if (free) expect(kept().tip.height).toBe(110)
    else expect(() => kept()).toThrow(/on elsewhere uses this folder; if it is gone, remove/)
  })
})
