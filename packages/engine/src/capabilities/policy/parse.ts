import {
  NETWORKS,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
  toHex,
  tryFromHex,
} from '../../kernel/index.ts'
import { parseAddress } from '../../protocol/address/index.ts'
import type { Policy } from './document.ts'
import { readLimit, readRisk } from './parse-limits.ts'
import { readCase, readRule, type RuleContext } from './parse-rules.ts'
import { at, given, Reader } from './reader.ts'
import { readApprovals } from './parse-approvals.ts'
import { type ApprovalsNeeded, DECISIONS } from './subject.ts'

const NAMES = [
  'name',
  'zone',
  'groups',
  'lists',
  'destinations',
  'limits',
  'risk',
  'rules',
  'otherwise',
  'approvals',
  'transaction_approvals',
  'second_person',
  'tests',
]
const ACTOR = /^(api|operator):[^\s].{0,199}$/

/** The script of an address of one of these networks, or of `script:<hex>`. */
function scriptOf(
  reader: Reader,
  value: unknown,
  path: string,
  networks: readonly Network[],
): string {
  const text = reader.text(value, path, 20_010)
  if (text.startsWith('script:')) {
    const bytes = tryFromHex(text.slice('script:'.length))
    if (bytes && bytes.length > 0) return toHex(bytes)
  }
  for (const network of networks) {
    const address = parseAddress(text, network)
    if (address.ok) return toHex(address.value.script)
  }
  return reader.no(path, 'is neither an address of this network nor script:<hex>', '')
}

function readLists(
  reader: Reader,
  value: unknown,
  networks: readonly Network[],
): ReadonlyMap<string, readonly string[]> {
  const lists = reader.entries(value, 'lists', 100)
  return new Map(
    lists.map(([name, list]) => {
      const read = (one: unknown, path: string) => scriptOf(reader, one, path, networks)
      return [name, reader.list(list, at('lists', name), 10_000, read)]
    }),
  )
}

function readGroups(reader: Reader, value: unknown): ReadonlyMap<string, readonly string[]> {
  const actor = (one: unknown, path: string) =>
    typeof one === 'string' && ACTOR.test(one)
      ? one
      : reader.no(path, 'is no actor: api:<key id> or operator:<name>', '')
  return new Map(
    reader
      .entries(value, 'groups', 100)
      .map(([name, group]) => [name, reader.set(group, at('groups', name), 1000, actor)]),
  )
}

function read(reader: Reader, value: unknown, networks: readonly Network[]): Policy {
  const document = reader.object(value, '', NAMES)
  const member = <T>(name: string, instead: T, work: (value: unknown, path: string) => T): T =>
    document[name] === undefined ? instead : work(document[name], name)
  const zone = member('zone', 'UTC', (one, path) => reader.zone(one, path))
  const groups = readGroups(reader, document['groups'])
  const lists = readLists(reader, document['lists'], networks)
  const scriptsOf = (names: unknown, path: string) =>
    reader
      .set(names, path, 100, (one, place) => reader.name(one, place))
      .flatMap((name) => lists.get(name) ?? reader.no(path, `there is no list ${name}`, []))
  const destinations = reader.object(document['destinations'] ?? {}, 'destinations', [
    'deny',
    'only',
  ])
  const side = (name: 'deny' | 'only') =>
    destinations[name] === undefined
      ? undefined
      : new Set(scriptsOf(destinations[name], at('destinations', name)))
  const approvals = (name: string, least: number): ApprovalsNeeded =>
    member(name, { needed: least }, (one, path) => readApprovals(reader, one, path, groups, least))
  const context: RuleContext = { groups, scriptsOf }
  const limits = member('limits', [], (one, path) =>
    reader.list(one, path, 200, (limit, place) =>
      readLimit(reader, limit, place, { zone, scriptsOf }),
    ),
  )
  const rules = member('rules', [], (one, path) =>
    reader.list(one, path, 200, (rule, place) => readRule(reader, rule, place, context)),
  )
  unique(reader, 'limits', limits)
  unique(reader, 'rules', rules)
  const tests = member('tests', [], (one, path) =>
    reader.list(one, path, 500, (test, place) =>
      readCase(reader, test, place, (address, where) => scriptOf(reader, address, where, networks)),
    ),
  )
  unique(reader, 'tests', tests)
  testsNameLimits(reader, limits, tests)
  return {
    name: reader.text(document['name'], 'name'),
    zone,
    groups,
    deny: side('deny') ?? new Set(),
    ...given('only', side('only')),
    limits,
    risk: readRisk(reader, document['risk'], 'risk'),
    rules,
    thresholds: thresholdsOf(limits, rules),
    otherwise: member('otherwise', 'deny', (one, path) => reader.oneOf(one, path, DECISIONS)),
    approvals: approvals('approvals', 1),
    transactionApprovals: approvals('transaction_approvals', 0),
    secondPerson: member('second_person', false, (one, path) => reader.flag(one, path)),
    tests,
  }
}

function thresholdsOf(limits: Policy['limits'], rules: Policy['rules']): readonly bigint[] {
  const edges = [
    ...limits.flatMap(({ window, amount }) =>
      window.kind === 'single' && amount !== undefined ? [amount + 1n] : [],
    ),
    ...rules.flatMap(({ when: { amount } }) => [
      ...(amount?.least === undefined ? [] : [amount.least as bigint]),
      ...(amount?.most === undefined ? [] : [amount.most + 1n]),
    ]),
  ]
  return [...new Set(edges)].filter((edge) => edge > 0n)
}

function unique(reader: Reader, path: string, named: readonly { readonly name: string }[]): void {
  const names = named.map(({ name }) => name)
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i)
  if (twice >= 0) reader.no(`${path}[${twice}].name`, 'stands twice', undefined)
}

function testsNameLimits(reader: Reader, limits: Policy['limits'], tests: Policy['tests']): void {
  tests.forEach(({ given }, i) => {
    for (const name of given.used.keys())
      if (!limits.some((limit) => limit.name === name))
        reader.no(`tests[${i}].given.used.${name}`, 'there is no such limit', undefined)
  })
}

/**
 * Reads a policy document, strictly: what is not known is refused, with its place as `param`.
 * @param network whose addresses its lists may name; any network's when it is not given, for a document that was read before
 */
export function parsePolicy(
  document: unknown,
  network?: Network,
): Result<Policy, Refusal<'POLICY_INVALID'>> {
  const reader = new Reader()
  const policy = read(reader, document, network === undefined ? NETWORKS : [network])
  if (!reader.fault) return ok(policy)
  const { path, message } = reader.fault
  const param = path === '' ? 'document' : path
  return refuse('POLICY_INVALID', `${param} ${message}`, { param })
}
