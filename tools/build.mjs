/** Builds every package from nothing, so that a file that was deleted is also gone from what ships. */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..')
const packages = ['packages/engine', 'packages/devnet', 'packages/server', 'packages/signer']

for (const folder of packages) rmSync(join(root, folder, 'dist'), { recursive: true, force: true })
const run = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-b', ...packages], {
  cwd: root,
  stdio: 'inherit',
})
// Only a later build would read it, and there is none: every build starts from nothing.
for (const folder of packages) rmSync(join(root, folder, 'dist/.tsbuildinfo'), { force: true })
// What browsers are sent is no TypeScript: it is shipped as it is.
for (const [from, to] of [
  ['packages/server/src/pay/assets', 'pay/assets'],
  ['packages/server/src/http/docs/docs.css', 'http/docs/docs.css'],
  // Every code's page is served by the server itself.
  ['docs/errors.md', 'http/docs/errors.md'],
])
  cpSync(join(root, from), join(root, 'packages/server/dist', to), { recursive: true })
for (const folder of ['packages/devnet', 'packages/server', 'packages/signer']) {
  const command = join(root, folder, 'dist/main.js')
  if (existsSync(command)) chmodSync(command, 0o755)
}
process.exitCode = run.status ?? 1
