/**
 * Schemathesis, a program of the Python world that makes requests from an OpenAPI document, in a virtual environment of its
 * own. Plain JavaScript, because the set-up runs it before anything is installed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSION = '4.32.5'
const folder = fileURLToPath(new URL(`../../.kaccy/schemathesis-${VERSION}`, import.meta.url))
const program = join(folder, 'bin/schemathesis')

const run = (command, args) => spawnSync(command, args, { stdio: ['ignore', 2, 2] }).status === 0

const works = () =>
  existsSync(program) && spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0

/** Path of the program, installed once; undefined where it cannot be had. */
export function findSchemathesis() {
  if (works()) return program
  const isMade = run('python3', ['-m', 'venv', '--clear', folder])
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  if (!isMade || !run(join(folder, 'bin/python'), [...install, `schemathesis==${VERSION}`]))
    return undefined
  return works() ? program : undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = findSchemathesis()
  if (found === undefined) process.exitCode = 1
  else process.stdout.write(`${found}\n`)
}
