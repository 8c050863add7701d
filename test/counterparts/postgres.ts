import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { type Daemon, freePorts, startDaemon } from './process.ts'

const run = promisify(execFile)

/** A PostgreSQL server of our own, on loopback, with a data folder that goes away with it. */
export interface TestPostgres {
  readonly port: number
  /** Makes an empty database and says how to connect to it. */
  createDatabase(): Promise<string>
  /** A pool on a database, closed with the server at the latest. */
  pool(url: string, max?: number): pg.Pool
  /** Ends the server at once, as a power cut would for its clients, and starts it again on the same data. */
  crash(): Promise<void>
  stop(): Promise<void>
}

/** Where the server's programs are: `KACCY_POSTGRES_BIN`, Debian's folder, or PATH. */
function findPrograms(): string | undefined {
  const given = process.env['KACCY_POSTGRES_BIN']
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : []
  const candidates = [
    ...(given === undefined ? [] : [given]),
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ]
  return candidates.find((folder) => existsSync(join(folder, 'initdb')))
}

const isRoot = process.getuid?.() === 0

/** Folder of the programs, installed from the distribution where that is possible; otherwise the reason why not. */
export async function findPostgres(): Promise<
  { readonly found: string } | { readonly missing: string }
> {
  const here = findPrograms()
  if (here !== undefined) return { found: here }
  if (!isRoot) return { missing: 'no initdb was found, and only root can install postgresql' }
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'postgresql'], { env })
  } catch (error) {
    return { missing: `postgresql could not be installed: ${String(error).slice(0, 300)}` }
  }
  const installed = findPrograms()
  return installed === undefined
    ? { missing: 'postgresql is installed, but there is no initdb' }
    : { found: installed }
}

/** PostgreSQL refuses to run as root: then its programs run as the user that its package made. */
async function asUser(): Promise<{
  readonly uid: number
  readonly gid: number
  readonly prefix: string[]
}> {
  if (!isRoot) return { uid: -1, gid: -1, prefix: [] }
  const idOf = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout.trim())
  const [uid, gid] = [await idOf('-u'), await idOf('-g')]
  return { uid, gid, prefix: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] }
}

export interface PostgresOptions {
  /** Waits for the disk at every commit, as in production. Tests need it only where they measure. */
  readonly fsync?: boolean
}

/** Starts a server. @throws when there is none and none can be installed. */
export async function startPostgres({
  fsync = false,
}: PostgresOptions = {}): Promise<TestPostgres> {
  const programs = await findPostgres()
  if ('missing' in programs) throw new TypeError(programs.missing)
  const { uid, gid, prefix } = await asUser()
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-postgres-'))
  if (isRoot) await chown(folder, uid, gid)
  const data = join(folder, 'data')
  const commandOf = (program: string, args: readonly string[]) => {
    const [path = '', ...rest] = [...prefix, join(programs.found, program), ...args]
    return { path, rest }
  }
  const init = commandOf('initdb', [
    '-D',
    data,
    '-A',
    'trust',
    '-U',
    'postgres',
    '--no-sync',
    '-E',
    'UTF8',
  ])
  await run(init.path, init.rest, { cwd: dirname(folder) })
  const [port = 0] = await freePorts(1)
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: folder,
    fsync: fsync ? 'on' : 'off',
    max_connections: 200,
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = commandOf('postgres', ['-D', data, ...flags])
  const start = () => startDaemon(server.path, server.rest, /ready to accept connections/)
  return serve(await start(), start, { port, folder, data })
}

function serve(
  first: Daemon,
  start: () => Promise<Daemon>,
  { port, folder, data }: { readonly port: number; readonly folder: string; readonly data: string },
): TestPostgres {
  let daemon = first
  let databases = 0
  const pools = new Set<pg.Pool>()
  const urlOf = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`
  return {
    port,
    async createDatabase() {
      databases += 1
      const name = `test_${databases}`
      const client = new pg.Client(urlOf('postgres'))
      await client.connect()
      await client.query(`create database ${name}`)
      await client.end()
      return urlOf(name)
    },
    pool(url, max = 60) {
      const pool = new pg.Pool({ connectionString: url, max })
      pool.on('error', () => {})
      pools.add(pool)
      return pool
    },
    async crash() {
      await run('sh', ['-c', `kill -9 "$(head -1 "${data}/postmaster.pid")"`])
      await daemon.stop()
      daemon = await restart(start)
    },
    async stop() {
      await Promise.all([...pools].map((pool) => pool.ended || pool.end()))
      await daemon.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Children of a killed server hold its memory for a moment: until they are gone it refuses to start. */
async function restart(start: () => Promise<Daemon>): Promise<Daemon> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (attempt >= 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
