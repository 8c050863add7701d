import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { afterAll, expect, test } from 'vitest'
import { postgresForTests } from '../test/store/homes.ts'
import { callKaccy, objectsOf, type Said } from './kaccy.ts'
import { blocksOf, commandsOf } from './pages/blocks.ts'
import { freePort } from './pages/reader.ts'
import { type Running, Terminal } from './pages/terminal.ts'

/*
 * What docs/guides/backup-and-restore.md says of a restore from an old backup: taken from a running server, restored after more
 * had happened, and followed up with the recovery file that is newer than the backup.
 */

const XPUB =
  '[73c5da0a/84h/1h/0h]tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M'
const postgres = await postgresForTests()
const closing: (() => Promise<void> | void)[] = []
afterAll(async () => {
  for (const close of closing) await close()
  await postgres?.stop()
})

/** A shop with a server that runs. */
class Shop {
  readonly home = mkdtempSync(join(tmpdir(), 'kaccy-backup-'))
  readonly terminal = new Terminal(this.home, join(this.home, 'notes'))
  readonly devnet: Devnet
  #server: Running | undefined

  private constructor(devnet: Devnet) {
    this.devnet = devnet
    this.terminal.offerTree()
  }
  static async open(): Promise<Shop> {
    const shop = new Shop(await createDevnet())
    closing.push(async () => {
      shop.terminal.close()
      await shop.devnet.close()
      rmSync(shop.home, { recursive: true, force: true })
    })
    return shop
  }
  async serve(database: string): Promise<void> {
    const config = {
      network: 'regtest',
      node: { url: this.devnet.rpcUrl, cookie_file: this.devnet.cookiePath },
      database: { url: database },
      chain: { poll_ms: 200 },
      http: { listen: `127.0.0.1:${await freePort()}` },
      log: { level: 'error' },
    }
    writeFileSync(join(this.home, 'kaccy.json'), JSON.stringify(config))
    if ((await this.ask('wallet', 'list')).length === 0)
      await this.ask(
        'wallet',
        'register',
        '--name',
        'shop',
        '--xpub',
        XPUB,
        '--script-type',
        'p2wpkh',
      )
    this.#server = await this.terminal.start('kaccy serve')
  }
  async stop(): Promise<void> {
    expect(await this.#server?.stop()).toBe(0)
  }
  async ask(...args: string[]): Promise<Said[]> {
    const ended = await callKaccy([...args, '--json'], { folder: this.home })
    if (ended.code !== 0 && !ended.stderr.includes('not there')) throw new Error(ended.stderr)
    return objectsOf(ended)
  }
  async order(name: string): Promise<string> {
    const [made] = await this.ask('order', 'create', '--amount', '150000', '--external-id', name)
    return String(made?.['address'])
  }
  pay(...addresses: string[]): void {
    for (const address of addresses) this.devnet.pay(address, 150_000n)
    this.devnet.mine(3)
  }
  /** Waits until an order is deep enough. */
  async paid(name: string): Promise<Said> {
    for (let tries = 0; tries < 200; tries++) {
      const [order] = await this.ask('order', 'show', name)
      if (order?.['status'] === 'full_confirmed' || order?.['status'] === 'finalized') return order
      await pause(100)
    }
    throw new Error(`${name} is not paid`)
  }
}

interface Home {
  readonly name: string
  /** The database in use. */
  open(shop: Shop): Promise<string>
  backUp(shop: Shop, database: string): Promise<void>
  /** Answers where the restored one is. */
  restore(shop: Shop, database: string): Promise<string>
}
/** The page's own commands, in the folder of the shop. */
async function follow(shop: Shop, begins: RegExp): Promise<void> {
  const blocks = blocksOf('docs/guides/backup-and-restore.md').filter(({ kind }) => kind === 'sh')
  const commands = blocks.flatMap(({ text }) => commandsOf(text)).filter((one) => begins.test(one))
  expect(commands.length).toBeGreaterThan(0)
  for (const command of commands) {
    const { code, errors } = await shop.terminal.run(command)
    expect(code, errors).toBe(0)
  }
}
const sqlite: Home = {
  name: 'SQLite',
  open: async () => 'shop.sqlite',
  backUp: (shop) => follow(shop, /^node .*VACUUM/),
  async restore(shop) {
    copyFileSync(join(shop.home, 'backup.sqlite'), join(shop.home, 'restored.sqlite'))
    return 'restored.sqlite'
  },
}
const postgresHome: Home = {
  name: 'PostgreSQL',
  open: () => postgres?.createDatabase() ?? Promise.reject(new TypeError('no PostgreSQL')),
  async backUp(shop, database) {
    execFileSync('pg_dump', [
      '--format=custom',
      `--file=${join(shop.home, 'kaccy.dump')}`,
      database,
    ])
  },
  async restore(shop) {
    const fresh = (await postgres?.createDatabase()) ?? ''
    execFileSync('pg_restore', ['--no-owner', `--dbname=${fresh}`, join(shop.home, 'kaccy.dump')])
    return fresh
  },
}
const homes = [sqlite, ...(postgres ? [postgresHome] : [])]

test.each(homes)('an old backup of $name and a newer recovery file lose no money', async (home) => {
  const shop = await Shop.open()
  const database = await home.open(shop)
  await shop.serve(database)
  const [before, open] = [await shop.order('before'), await shop.order('open')]
  shop.pay(before)
  await shop.paid('before')
  await home.backUp(shop, database)

  const [after, unpaid] = [await shop.order('after'), await shop.order('unpaid')]
  shop.pay(open, after)
  await shop.paid('after')
  await shop.ask('wallet', 'export-recovery', 'shop', '--output', join(shop.home, 'recovery.json'))
  await shop.stop()

  await shop.serve(await home.restore(shop, database))
  // An order of the backup that was paid after it is found in the chain, and credited once.
  expect(await shop.paid('open')).toMatchObject({ credited_sat: 150_000 })
  expect(await shop.paid('before')).toMatchObject({ credited_sat: 150_000 })
  // An order that the backup does not know is gone; its money is not.
  const payments = await shop.ask('payments')
  expect(payments.filter(({ address }) => address === after)).toMatchObject([
    { amount_sat: 150_000 },
  ])
  const alerts = await shop.ask('alerts')
  expect(alerts.some((alert) => JSON.stringify(alert).includes(after))).toBe(true)

  // The newer recovery file knows which addresses are out, also those that nobody has paid to.
  await shop.ask('wallet', 'restore', join(shop.home, 'recovery.json'))
  const next = await shop.order('next')
  expect([before, open, after, unpaid]).not.toContain(next)
  for (const check of [['reconcile'], ['books'], ['audit', 'verify']]) await shop.ask(...check)
  await shop.stop()
})

test('without a newer recovery file an address that nobody has paid to is given out again', async () => {
  const shop = await Shop.open()
  await shop.serve('shop.sqlite')
  await sqlite.backUp(shop, 'shop.sqlite')
  const unpaid = await shop.order('unpaid')
  await shop.stop()
  await shop.serve(await sqlite.restore(shop, 'shop.sqlite'))
  expect(await shop.order('next')).toBe(unpaid)
  await shop.stop()
})
