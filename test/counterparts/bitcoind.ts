import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Found, TestNode } from './node.ts'
import { type Daemon, freePorts, startDaemon } from './process.ts'
import { createTestNode } from './test-node.ts'

const run = promisify(execFile)
const MINING_ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

/** Path of Bitcoin Core: `BITCOIND`, or `bitcoind` on PATH. It is in no registry, so it is not installed here. */
export async function findBitcoind(): Promise<Found<string>> {
  const given = process.env['BITCOIND']
  if (given) {
    return existsSync(given) ? { found: given } : { missing: `BITCOIND=${given} is not there` }
  }
  try {
    await run('bitcoind', ['--version'])
    return { found: 'bitcoind' }
  } catch {
    return { missing: 'no binary: set BITCOIND or put bitcoind on PATH' }
  }
}

export interface BitcoindNodeOptions {
  /** Further arguments, such as `-prune=550`. */
  readonly args?: readonly string[]
}

/** Starts Bitcoin Core on regtest, with its cookie. @throws when it is missing or does not start. */
export async function startBitcoind(options: BitcoindNodeOptions = {}): Promise<TestNode> {
  const bitcoind = await findBitcoind()
  if ('missing' in bitcoind) throw new TypeError(bitcoind.missing)
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-bitcoind-'))
  const [rpcPort = 0, peerPort = 0] = await freePorts(2)
  const args = [
    '-regtest',
    `-datadir=${folder}`,
    '-server',
    '-printtoconsole',
    // A pruned node can have no transaction index.
    ...(options.args?.some((arg) => arg.startsWith('-prune')) ? [] : ['-txindex']),
    `-rpcport=${rpcPort}`,
    '-rpcbind=127.0.0.1',
    '-rpcallowip=127.0.0.1',
    `-bind=127.0.0.1:${peerPort}`,
    '-fallbackfee=0.0001',
    '-dnsseed=0',
    // Its default port would be the same for two nodes.
    '-listenonion=0',
    ...(options.args ?? []),
  ]
  const start = () => startDaemon(bitcoind.found, args, /init message: Done loading|Done loading/)
  let daemon: Daemon = await start()
  return createTestNode({
    name: 'Bitcoin Core',
    source: {
      url: `http://127.0.0.1:${rpcPort}`,
      auth: { cookieFile: join(folder, 'regtest', '.cookie') },
    },
    peer: `127.0.0.1:${peerPort}`,
    generate: { method: 'generatetoaddress', address: MINING_ADDRESS },
    disconnecting: (peer) => ['disconnectnode', [peer]],
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
