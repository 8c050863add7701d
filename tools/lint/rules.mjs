import { EDGES } from './edges.mjs'

const TEST = '\\.(test|bench)\\.ts$'
const PURE = ['^src/(kernel|protocol)/', '^src/capabilities/[^/]+/(machine|policy)\\.ts$']
const AUDITED = '(^|/)node_modules/@(noble|scure)/'
const WORLD = '^(node:)?(http|https|http2|net|tls|dgram|dns|child_process|sqlite|cluster)(/|$)'
const DRIVERS =
  '(^|/)node_modules/(kysely|undici|cockatiel|lru-cache|fetch-socks|pg|better-sqlite3)/'

const rule = (name, from, to) => ({ name, severity: 'error', from, to })

/** Rules that hold in every package. */
const everywhere = [
  rule('no-cycles', {}, { circular: true }),
  // Assets are not imported: browsers ask for them.
  rule('no-orphans', { orphan: true, pathNot: ['\\.(d|test|bench)\\.ts$', '/assets/'] }, {}),
  rule('import-resolves', {}, { couldNotResolve: true }),
  rule(
    'dependency-is-declared',
    { pathNot: TEST },
    { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
  ),
]

/** The drawing `kernel <- protocol <- capabilities <- adapters <- runtime`, as rules. */
const layers = [
  rule('kernel-is-leaf', { path: '^src/kernel/', pathNot: TEST }, { pathNot: '^src/kernel/' }),
  rule(
    'protocol-sees-kernel',
    { path: '^src/protocol/' },
    { path: '^src/', pathNot: '^src/(protocol|kernel)/' },
  ),
  rule(
    'protocol-imports-audited-only',
    { path: '^src/protocol/', pathNot: TEST },
    { path: '(^|/)node_modules/', pathNot: AUDITED },
  ),
  // Who looks last must not see with the eyes of who built: not even through a third module.
  rule(
    'last-look-stands-alone',
    { path: '^src/protocol/last-look/', pathNot: TEST },
    {
      path: '^src/protocol/(psbt|coins|sighash)/|(^|/)node_modules/@scure/btc-signer/',
      reachable: true,
    },
  ),
  rule('pure-means-pure', { path: PURE, pathNot: TEST }, { dependencyTypes: ['core'] }),
  rule(
    'machine-sees-no-io',
    { path: '^src/capabilities/[^/]+/(machine|policy)\\.ts$' },
    { path: '/(service|errors)\\.ts$' },
  ),
  // The records a machine works on may stand in ports.ts; only their types may be taken from there.
  rule(
    'machine-takes-only-types-from-ports',
    { path: '^src/capabilities/[^/]+/(machine|policy)\\.ts$' },
    { path: '/ports\\.ts$', dependencyTypesNot: ['type-only'] },
  ),
  rule(
    'capability-sees-no-adapter',
    { path: '^src/capabilities/', pathNot: TEST },
    { path: '^src/(adapters|runtime)/' },
  ),
  rule(
    'capability-sees-no-core',
    { path: '^src/capabilities/', pathNot: TEST },
    { dependencyTypes: ['core'] },
  ),
  rule(
    'adapter-sees-no-runtime',
    { path: '^src/adapters/', pathNot: TEST },
    { path: '^src/runtime/' },
  ),
  rule('only-adapters-import-drivers', { pathNot: ['^src/adapters/', TEST] }, { path: DRIVERS }),
  rule('only-adapters-touch-the-world', { pathNot: ['^src/adapters/', TEST] }, { path: WORLD }),
  rule('testing-stays-in-tests', { pathNot: ['^src/testing/', TEST] }, { path: '^src/testing/' }),
]

const frontDoors = ['capabilities', 'protocol', 'adapters'].map((layer) =>
  rule(
    `front-door-only-${layer}`,
    { path: `^src/(?:${layer}/)?([^/]+)` },
    {
      path: `^src/${layer}/[^/]+/`,
      pathNot: [`^src/${layer}/$1/`, `^src/${layer}/[^/]+/index\\.ts$`],
    },
  ),
)

const edges = [
  rule(
    'unlisted-capability',
    { path: '^src/capabilities/', pathNot: `^src/capabilities/(${Object.keys(EDGES).join('|')})/` },
    {},
  ),
  ...Object.entries(EDGES).map(([name, may]) =>
    rule(
      `edge-from-${name}`,
      { path: `^src/capabilities/${name}/`, pathNot: TEST },
      { path: '^src/capabilities/', pathNot: `^src/capabilities/(${[name, ...may].join('|')})/` },
    ),
  ),
]

/** What is linted: a folder, its source folders, and its rules. */
export const TARGETS = [
  {
    folder: 'packages/engine',
    sources: ['src'],
    rules: [...everywhere, ...layers, ...frontDoors, ...edges],
  },
  {
    folder: 'packages/devnet',
    sources: ['src'],
    rules: [
      ...everywhere,
      rule('devnet-never-imports-the-engine', {}, { path: '(^|/)(engine|@kaccy/bitcoin)/' }),
      rule('devnet-never-imports-the-server', {}, { path: '(^|/)(server|@kaccy/bitcoin-server)/' }),
    ],
  },
  { folder: 'packages/server', sources: ['src'], rules: everywhere },
  {
    folder: 'packages/signer',
    sources: ['src'],
    rules: [
      ...everywhere,
      // It checks what the engine built: with the engine's code it would make the engine's mistakes.
      rule(
        'signer-imports-nothing-of-ours',
        {},
        { path: '(^|/)(engine|devnet|server|@kaccy/.+)/' },
      ),
    ],
  },
  {
    folder: '.',
    sources: ['tools', 'test', 'e2e', 'examples', 'packages/engine/bench'],
    rules: everywhere.filter(({ name }) => name === 'no-cycles' || name === 'import-resolves'),
  },
]
