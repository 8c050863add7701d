import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Secret } from '@kaccy/bitcoin/kernel'
import type { Found, TestNode } from './node.ts'
import { type Daemon, freePorts, startDaemon } from './process.ts'
import { createTestNode } from './test-node.ts'

const VERSION = 'v0.26.2'
const BIN = fileURLToPath(new URL('../../.kaccy/bin', import.meta.url))
const run = promisify(execFile)

/** A regtest address whose key nobody uses: tests that spend mine with blocks of their own. */
const MINING_ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

/** Path of btcd: `BTCD`, or built once into the project's cache from the Go module proxy. */
export async function findBtcd(): Promise<Found<string>> {
  const given = process.env['BTCD']
  if (given) return existsSync(given) ? { found: given } : { missing: `BTCD=${given} is not there` }
  const path = join(BIN, `btcd-${VERSION}`, 'btcd')
  if (existsSync(path)) return { found: path }
  try {
    await run('go', ['version'])
  } catch {
    return { missing: 'it is built with Go, and there is no go on PATH' }
  }
  try {
    await build(path)
    return { found: path }
  } catch (error) {
    return { missing: `go install failed: ${String(error).slice(0, 300)}` }
  }
}

/** One process builds, the others wait for its result; a lock left by a dead one is taken over after five minutes. */
async function build(path: string): Promise<void> {
  const folder = join(path, '..')
  const lock = `${folder}.lock`
  await mkdir(BIN, { recursive: true })
  for (;;) {
    if (existsSync(path)) return
    try {
      await mkdir(lock)
      break
    } catch {
      const age = Date.now() - (await stat(lock).catch(() => ({ mtimeMs: 0 }))).mtimeMs
      if (age > 300_000) await rm(lock, { recursive: true, force: true })
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
  try {
    const module = 'github.com/btcsuite/btcd'
    const env = { ...process.env, GOBIN: folder, GOFLAGS: '-buildvcs=false' }
    await run('go', ['install', `${module}@${VERSION}`], { env, timeout: 600_000 })
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

export interface BtcdOptions {
  /** Peers to connect to, `host:port`. */
  readonly connect?: readonly string[]
  readonly txIndex?: boolean
}

/** Starts btcd on regtest with TLS and a certificate of its own. @throws when it is missing or does not start. */
export async function startBtcd(options: BtcdOptions = {}): Promise<TestNode> {
  const btcd = await findBtcd()
  if ('missing' in btcd) throw new TypeError(btcd.missing)
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-btcd-'))
  const [rpcPort = 0, peerPort = 0] = await freePorts(2)
  const args = [
    '--regtest',
    '--configfile=/dev/null',
    `--datadir=${folder}`,
    `--logdir=${folder}`,
    '--rpcuser=kaccy',
    '--rpcpass=btcd-test',
    `--rpclisten=127.0.0.1:${rpcPort}`,
    `--listen=127.0.0.1:${peerPort}`,
    `--rpccert=${folder}/rpc.cert`,
    `--rpckey=${folder}/rpc.key`,
    '--nodnsseed',
    '--rejectnonstd',
    `--miningaddr=${MINING_ADDRESS}`,
    ...(options.txIndex === false ? [] : ['--txindex']),
    ...(options.connect ?? []).map((peer) => `--connect=${peer}`),
  ]
  const start = () => startDaemon(btcd.found, args, /RPC server listening on/)
  let daemon: Daemon = await start()
  const ca = await readFile(join(folder, 'rpc.cert'), 'utf8')
  return createTestNode({
    name: `btcd ${VERSION}`,
    source: {
      url: `https://127.0.0.1:${rpcPort}`,
      auth: { user: 'kaccy', password: new Secret('btcd-test') },
      tls: { ca },
    },
    peer: `127.0.0.1:${peerPort}`,
    generate: { method: 'generate' },
    disconnecting: (peer) => ['node', ['disconnect', peer]],
    restart: async () => {
      await daemon.stop()
      daemon = await start()
    },
    stop: async () => {
      await daemon.stop()
      await rm(folder, { recursive: true, force: true })
    },
  })
}
