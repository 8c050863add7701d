/**
 * Makes sure that what the lock file asks for is installed, so that every command of the README works
 * on a clone that nobody has set up. Plain JavaScript for the machine's own, older Node.
 *
 * `node tools/ensure.mjs [DIR ...]`; without folders, the root.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages

/**
 * npm writes `node_modules/.package-lock.json` at the end of an install. Its versions are compared, not
 * its time: a fresh clone and a branch change touch times without changing what is needed.
 */
const isInstalled = (folder) => {
  const proof = join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(proof)) return false
  const present = packagesOf(proof)
  return Object.entries(packagesOf(join(folder, 'package-lock.json')))
    .filter(([path, entry]) => path.startsWith('node_modules/') && !entry.optional && !entry.link)
    .every(([path, entry]) => present[path]?.version === entry.version)
}

export function ensure(folders = ['.']) {
  for (const name of folders) {
    const folder = resolve(root, name)
    if (isInstalled(folder)) continue
    console.error(`installing what ${name === '.' ? 'the project' : name} needs (npm ci)`)
    const run = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
    })
    if (run.status !== 0) {
      console.error(`npm ci failed in ${folder}`)
      process.exit(run.status ?? 1)
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensure(process.argv.length > 2 ? process.argv.slice(2) : undefined)
}
