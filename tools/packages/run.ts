/**
 * `npm run packages [-- --json] [--keep] [--no-build]`: what a user gets. Packs every package, installs the archives into
 * empty projects, type-checks and runs the examples of the README pages there, imports every published
 * door, and holds the engine's dependency tree to its budget.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exampleFiles, examplesOf, shopFiles } from './examples.ts'
import { FRAMEWORKS, tryFramework, withRegistry } from './frameworks.ts'
import { ROOT, run } from './process.ts'
import { treeOf } from './tree.ts'

const PACKAGES = ['engine', 'devnet', 'server', 'signer'] as const
/** The engine's whole tree, itself included, as `failure-modes` F19 sets it. */
const PACKAGES_MAX = 40
/** The same for the signing process. */
const SIGNER_PACKAGES_MAX = 8

const asJson = process.argv.includes('--json')
const work = mkdtempSync(join(tmpdir(), 'kaccy-packages-'))
let failures = 0

/** One line for each check, and the whole run goes on, so that one fault does not hide the next. */
function check(name: string, work: () => readonly string[]): void {
  let faults: readonly string[]
  try {
    faults = work()
  } catch (error) {
    faults = [error instanceof Error ? error.message : String(error)]
  }
  if (faults.length > 0) failures += 1
  if (asJson) console.log(JSON.stringify({ name, passed: faults.length === 0, faults }))
  else
    console.log(
      [`${faults.length === 0 ? 'ok    ' : 'FAILED'} ${name}`, ...faults].join('\n       '),
    )
}

/** What `npm pack --json` prints. */
interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

interface Archive {
  readonly archive: string
  /** SHA-256 of every file inside, by its path. */
  readonly sums: ReadonlyMap<string, string>
  readonly faults: readonly string[]
}

/** Packs a package, after a look at what goes in. */
function pack(name: string): Archive {
  const folder = `${ROOT}packages/${name}`
  const out = run('npm', ['pack', '--json', '--pack-destination', work], folder)
  const packed = (JSON.parse(out) as Packed[])[0]
  if (!packed) throw new Error(`npm pack printed nothing for ${name}`)
  const paths = packed.files.map(({ path }) => path)
  const sum = (path: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, path)))
      .digest('hex')
  return {
    archive: join(work, packed.filename),
    sums: new Map(paths.map((path) => [path, sum(path)])),
    faults: [
      ...['LICENSE', 'README.md']
        .filter((path) => !paths.includes(path))
        .map((path) => `no ${path}`),
      ...paths
        .filter((path) => /\.test\.|\.bench\.|^src\/|tsbuildinfo/.test(path))
        .map((path) => `ships ${path}`),
    ],
  }
}

/** An empty project that has only the archives. Nothing in it may run at install. */
function project(name: string, archives: readonly string[]): string {
  const folder = join(work, name)
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name, private: true, type: 'module' }),
  )
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  run('npm', [...install, ...archives], folder)
  return folder
}

/** Every door that the manifest opens, with `*` filled from what is built. */
function doors(name: string): string[] {
  const manifest = JSON.parse(readFileSync(`${ROOT}packages/${name}/package.json`, 'utf8')) as {
    name: string
    exports: Record<string, { default: string }>
  }
  return Object.entries(manifest.exports).flatMap(([door, { default: target }]) => {
    const [before, after] = target.split('*')
    if (after === undefined) return [`${manifest.name}${door.slice(1)}`]
    const folder = `${ROOT}packages/${name}/${before}`
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${manifest.name}${door.slice(1).replace('*', entry.name)}`)
  })
}

const importAll = (folder: string, specifiers: readonly string[]): string[] =>
  specifiers.flatMap((specifier) => {
    const script = `await import(${JSON.stringify(specifier)})`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      encoding: 'utf8',
    })
    return status === 0 ? [] : [`${specifier}: ${stderr.split('\n').find((l) => /Error/.test(l))}`]
  })

function typeCheck(folder: string): string[] {
  const config = {
    compilerOptions: {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2023',
      exactOptionalPropertyTypes: true,
      allowImportingTsExtensions: true,
      types: ['node'],
      typeRoots: [`${ROOT}node_modules/@types`],
      paths: { 'better-sqlite3': [`${ROOT}node_modules/@types/better-sqlite3/index.d.ts`] },
    },
    include: ['*.ts', 'shop/*.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const { status, stdout } = spawnSync(`${ROOT}node_modules/.bin/tsc`, ['--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return status === 0 ? [] : stdout.trim().split('\n').slice(0, 20)
}

function runExamples(folder: string, files: readonly string[]): string[] {
  return files.flatMap((file) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 120_000,
    })
    return status === 0
      ? []
      : [`${file}: exit ${status}`, ...`${stdout}${stderr}`.split('\n').slice(-12)]
  })
}

function checkSigner(archive: string): void {
  check('kaccy-signer installs alone, within its budget, and answers', () => {
    const folder = project('signer-alone', [archive])
    const tree = treeOf(folder)
    const out = run('npx', ['--no-install', 'kaccy-signer', '--help'], folder)
    return [
      ...(tree.count <= SIGNER_PACKAGES_MAX ? [] : [`${tree.count} packages`]),
      ...tree.scripts.map((name) => `${name} has an install script`),
      ...tree.loose.map((name) => `${name} is not an exact version`),
      ...(/policy receipt/.test(out) ? [] : [`kaccy-signer --help says ${out.slice(0, 200)}`]),
    ]
  })
}

function main(): void {
  if (!process.argv.includes('--no-build')) run(process.execPath, ['tools/build.mjs'], ROOT)
  const archives = new Map<string, string>()
  const bytes = new Map<string, ReadonlyMap<string, string>>()
  for (const name of PACKAGES) {
    check(`${name} packs what it should`, () => {
      const { archive, sums, faults } = pack(name)
      archives.set(name, archive)
      bytes.set(name, sums)
      return faults
    })
  }
  const archive = (name: string): string => archives.get(name) ?? ''

  check(
    'the engine installs alone, within its budget, with exact versions and no install script',
    () => {
      const tree = treeOf(project('engine-alone', [archive('engine')]))
      return [
        ...(tree.count <= PACKAGES_MAX ? [] : [`${tree.count} packages, at most ${PACKAGES_MAX}`]),
        ...tree.scripts.map((name) => `${name} has an install script`),
        ...tree.loose.map((name) => `${name} is not an exact version`),
      ]
    },
  )

  checkSigner(archive('signer'))
  check('engine and devnet open every door', () => {
    const folder = project('library', [archive('engine'), archive('devnet')])
    return importAll(folder, [...doors('engine'), ...doors('devnet')])
  })

  check('the command installs and answers', () => {
    const folder = project('everything', PACKAGES.map(archive))
    const main = 'node_modules/@kaccy/bitcoin-server/dist/main.js'
    const out = run(process.execPath, [main, '--help'], folder)
    return /demo/.test(out) ? [] : [`kaccy --help does not name demo: ${out.slice(0, 200)}`]
  })

  check('kaccy-devnet installs and answers', () => {
    const folder = project('devnet-alone', [archive('devnet')])
    const out = run('npx', ['--no-install', 'kaccy-devnet', '--help'], folder)
    return /devnet_mine/.test(out) ? [] : [`kaccy-devnet --help says ${out.slice(0, 200)}`]
  })
  for (const framework of FRAMEWORKS) {
    const name = framework.name.replace(':', '-')
    check(`a fresh project tests with the devnet on ${framework.name}`, () =>
      withRegistry(() => tryFramework(framework, project(name, [archive('devnet')]))),
    )
  }

  check('the examples type-check and run', () => {
    const folder = join(work, 'everything')
    const pages = ['README.md', ...PACKAGES.map((name) => `packages/${name}/README.md`)]
    const files = [...examplesOf(pages), ...exampleFiles()]
    if (files.length === 0) return ['no page has an example']
    mkdirSync(join(folder, 'shop'))
    for (const { file, text } of [...files, ...shopFiles()]) writeFileSync(join(folder, file), text)
    const faults = typeCheck(folder)
    return [
      ...faults,
      ...runExamples(
        folder,
        files.map(({ file }) => file),
      ),
    ]
  })

  if (!process.argv.includes('--no-build')) checkRepeatable(bytes)
}

/** Whoever builds the same sources gets the same bytes, and can hold ours against his. */
function checkRepeatable(bytes: ReadonlyMap<string, ReadonlyMap<string, string>>): void {
  check('two builds give the same bytes', () => {
    run(process.execPath, ['tools/build.mjs'], ROOT)
    return PACKAGES.flatMap((name) => {
      const before = bytes.get(name)
      const after = pack(name).sums
      return [...new Set([...(before?.keys() ?? []), ...after.keys()])]
        .filter((path) => before?.get(path) !== after.get(path))
        .map((path) => `${name}: ${path} differs`)
    })
  })
}

try {
  main()
} finally {
  if (!process.argv.includes('--keep')) rmSync(work, { recursive: true, force: true })
  else console.error(`kept in ${work}`)
}
process.exitCode = failures === 0 ? 0 : 1
