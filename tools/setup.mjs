/**
 * Brings everything the tests stand on: the packages of every lock file, PostgreSQL's programs, btcd, Schemathesis and Chromium.
 * Runs on a machine that nobody has prepared. Nothing is started here: the tests start what they need.
 *
 * A counterpart that cannot be had is an error where `CI` is set, and a printed warning elsewhere.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensure } from './ensure.mjs'
import { findSchemathesis } from './schemathesis/install.mjs'

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..')

const onPath = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))

const run = (command, args, options = {}) =>
  spawnSync(command, args, { stdio: ['ignore', 2, 2], cwd: root, ...options }).status === 0

/** Debian keeps the server's programs out of PATH, one folder for each major version. */
function hasPostgres() {
  if (onPath('initdb')) return true
  const home = '/usr/lib/postgresql'
  return existsSync(home) && readdirSync(home).some((v) => existsSync(join(home, v, 'bin/initdb')))
}

/** Installs a package of the distribution, where that is possible. */
function install(name) {
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return false
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args) => run('apt-get', ['-qq', ...args], { env })
  return apt('update') && apt('install', '-y', '--no-install-recommends', name)
}

const postgres = () => hasPostgres() || (install('postgresql') && hasPostgres())

/** The names under which test/counterparts/chromium.ts looks for it. */
const hasChromium = () =>
  process.env.CHROMIUM
    ? existsSync(process.env.CHROMIUM)
    : ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].some(onPath)
const chromium = () => hasChromium() || (install('chromium') && hasChromium())

/** The harness of the tests knows where btcd is, and builds it once when it is nowhere. */
function btcd() {
  const script = `
    const { findBtcd } = await import('./test/counterparts/btcd.ts')
    const btcd = await findBtcd()
    if ('missing' in btcd) {
      console.error(btcd.missing)
      process.exitCode = 1
    }`
  const node = join(root, 'node_modules/.bin/node')
  return run(node, ['--conditions=@kaccy/source', '--input-type=module', '-e', script])
}

/** Debian keeps the part of Python that makes virtual environments in a package of its own. */
const schemathesis = () =>
  findSchemathesis() !== undefined || (install('python3-venv') && findSchemathesis() !== undefined)

const COUNTERPARTS = [
  ['PostgreSQL', postgres, 'install your system package `postgresql`'],
  ['btcd', btcd, 'install Go; `go install` then brings btcd'],
  ['Schemathesis', schemathesis, 'install Python 3 with venv and pip'],
  ['Chromium', chromium, 'install your system package `chromium`, or name a browser in CHROMIUM'],
]

/** Returns the names of the counterparts that are missing. */
export function setUp() {
  ensure(['.', 'tools/lint', 'tools/nodes'])
  return COUNTERPARTS.filter(([name, bring, advice]) => {
    if (bring()) return false
    console.error(`missing: ${name} (${advice})`)
    return true
  }).map(([name]) => name)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (setUp().length > 0 && process.env.CI) process.exitCode = 1
}
