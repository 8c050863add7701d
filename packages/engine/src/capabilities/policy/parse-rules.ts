import { dayNumber } from '../../kernel/index.ts'
import type { Sum } from '../limits/index.ts'
import { type Conditions, type PolicyCase, type Range, type Rule, WEEKDAYS } from './document.ts'
import { readApprovals } from './parse-approvals.ts'
import { at, given, type Reader } from './reader.ts'
import { DECISIONS } from './subject.ts'

/** What rules can name of their document. */
export interface RuleContext {
  readonly groups: ReadonlyMap<string, readonly string[]>
  /** The scripts of the named lists. */
  readonly scriptsOf: (names: unknown, path: string) => readonly string[]
}

function readRange<T extends number | bigint>(
  reader: Reader,
  value: unknown,
  path: string,
  read: (value: unknown, path: string) => T,
): Range<T> {
  const range = reader.object(value, path, ['least', 'most'])
  const end = (name: 'least' | 'most') =>
    range[name] === undefined ? undefined : read(range[name], at(path, name))
  const [least, most] = [end('least'), end('most')]
  if (least === undefined && most === undefined) reader.no(path, 'has neither end', undefined)
  if (least !== undefined && most !== undefined && most < least)
    reader.no(at(path, 'most'), 'is below least', undefined)
  return { ...given('least', least), ...given('most', most) }
}

/** `{"from": 22, "until": 6}` is 22, 23, 0, 1, 2, 3, 4 and 5. */
function readHours(reader: Reader, value: unknown, path: string): readonly number[] {
  const hours = reader.object(value, path, ['from', 'until'])
  const from = reader.whole(hours['from'], at(path, 'from'), 0, 23)
  const until = reader.whole(hours['until'], at(path, 'until'), 0, 24)
  if (from === until % 24) reader.no(path, 'is the whole day or nothing', undefined)
  const length = (until - from + 24) % 24
  return Array.from({ length }, (_, i) => (from + i) % 24).sort((a, b) => a - b)
}

const CONDITIONS = [
  'wallets',
  'users',
  'customers',
  'initiators',
  'destinations',
  'new_destination',
  'amount_sat',
  'score',
  'hours',
  'weekdays',
  'metadata',
]

function readConditions(
  reader: Reader,
  value: unknown,
  path: string,
  { scriptsOf }: RuleContext,
): Conditions {
  const when = reader.object(value, path, CONDITIONS)
  const member = <T>(name: string, work: (value: unknown, path: string) => T): T | undefined =>
    when[name] === undefined ? undefined : work(when[name], at(path, name))
  const ids = (name: string) =>
    member(name, (list, place) =>
      reader.set(list, place, 1000, (id, where) => reader.text(id, where)),
    )
  const weekday = (one: unknown, place: string) => reader.oneOf(one, place, WEEKDAYS)
  return {
    ...given('wallets', ids('wallets')),
    ...given('users', ids('users')),
    ...given('customers', ids('customers')),
    ...given('initiators', ids('initiators')),
    ...given('destinations', member('destinations', scriptsOf)),
    ...given(
      'newDestination',
      member('new_destination', (one, place) => reader.flag(one, place)),
    ),
    ...given(
      'amount',
      member('amount_sat', (one, place) =>
        readRange(reader, one, place, (end, where) => reader.satoshi(end, where)),
      ),
    ),
    ...given(
      'score',
      member('score', (one, place) =>
        readRange(reader, one, place, (end, where) => reader.whole(end, where, 0, 100)),
      ),
    ),
    ...given(
      'hours',
      member('hours', (one, place) => readHours(reader, one, place)),
    ),
    ...given(
      'weekdays',
      member('weekdays', (list, place) => reader.set(list, place, 7, weekday)) as
        | Conditions['weekdays']
        | undefined,
    ),
    ...given(
      'metadata',
      member('metadata', (one, place) => readPairs(reader, one, place)),
    ),
  }
}

function readPairs(reader: Reader, value: unknown, path: string): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return reader.no(path, 'is not an object', {})
  const pairs = Object.entries(value).map(([key, one]) => [
    reader.text(key, path, 40),
    reader.text(one, at(path, key), 500),
  ])
  if (pairs.length > 50) reader.no(path, 'has more than 50 members', undefined)
  return Object.fromEntries(pairs)
}

const RULE = ['name', 'when', 'decision', 'approvals', 'transaction_approvals']

export function readRule(reader: Reader, value: unknown, path: string, context: RuleContext): Rule {
  const rule = reader.object(value, path, RULE)
  const decision = reader.oneOf(rule['decision'], at(path, 'decision'), DECISIONS)
  const approvals = (name: string, least: number) =>
    rule[name] === undefined
      ? undefined
      : readApprovals(reader, rule[name], at(path, name), context.groups, least)
  if (decision !== 'hold' && rule['approvals'] !== undefined)
    reader.no(at(path, 'approvals'), 'belong to a rule that holds', undefined)
  if (decision === 'deny' && rule['transaction_approvals'] !== undefined)
    reader.no(at(path, 'transaction_approvals'), 'make no sense where nothing is paid', undefined)
  return {
    name: reader.name(rule['name'], at(path, 'name')),
    when: readConditions(reader, rule['when'] ?? {}, at(path, 'when'), context),
    decision,
    ...given('approvals', approvals('approvals', 1)),
    ...given('transactionApprovals', approvals('transaction_approvals', 0)),
  }
}

/** Noon of a Monday. */
const SOME_DAY = '2027-01-04T12:00:00Z'
const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/

function readTime(reader: Reader, value: unknown, path: string): number {
  const parts = TIME.exec(String(value))?.slice(1).map(Number)
  const [year = 0, month = 0, day = 0, hour = 24, minute = 0, second = 0] = parts ?? []
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59)
    return reader.no(path, `is no time such as ${SOME_DAY}`, 0)
  return ((dayNumber({ year, month, day }) * 24 + hour) * 60 + minute) * 60_000 + second * 1000
}

function readUsed(reader: Reader, value: unknown, path: string): ReadonlyMap<string, Sum> {
  return new Map(
    reader.entries(value, path, 200).map(([name, used]) => {
      const place = at(path, name)
      const sum = reader.object(used, place, ['amount_sat', 'count'])
      return [
        name,
        {
          amount: reader.satoshi(sum['amount_sat'] ?? 0, at(place, 'amount_sat')),
          count: reader.whole(sum['count'] ?? 0, at(place, 'count'), 0, 1_000_000),
        },
      ]
    }),
  )
}

const REQUEST = [
  'amount_sat',
  'wallet',
  'user',
  'customer',
  'initiator',
  'address',
  'at',
  'metadata',
]

/** @param scriptOf the script of an address, or of `script:<hex>` */
export function readCase(
  reader: Reader,
  value: unknown,
  path: string,
  scriptOf: (value: unknown, path: string) => string,
): PolicyCase {
  const one = reader.object(value, path, ['name', 'request', 'given', 'expect'])
  const request = reader.object(one['request'], at(path, 'request'), REQUEST)
  const state = reader.object(one['given'] ?? {}, at(path, 'given'), [
    'score',
    'paid_to_destination',
    'used',
  ])
  const of = (name: string) => at(at(path, 'request'), name)
  const id = (name: string) =>
    request[name] === undefined ? undefined : reader.text(request[name], of(name))
  const { address, metadata = {} } = request
  return {
    name: reader.text(one['name'], at(path, 'name')),
    request: {
      amount: reader.satoshi(request['amount_sat'], of('amount_sat')),
      wallet: id('wallet') ?? 'wal_test',
      ...given('user', id('user')),
      ...given('customer', id('customer')),
      initiator: id('initiator') ?? 'api:test',
      destination: address === undefined ? '' : scriptOf(address, of('address')),
      at: readTime(reader, request['at'] ?? SOME_DAY, of('at')),
      metadata: readPairs(reader, metadata, of('metadata')),
    },
    given: {
      score: reader.whole(state['score'] ?? 0, at(path, 'given.score'), 0, 100),
      paidToDestination: reader.whole(
        state['paid_to_destination'] ?? 1,
        at(path, 'given.paid_to_destination'),
        0,
        1_000_000,
      ),
      used: readUsed(reader, state['used'], at(path, 'given.used')),
    },
    expect: readExpected(reader, one['expect'], at(path, 'expect')),
  }
}

const EXPECT = ['decision', 'rule', 'approvals', 'transaction_approvals', 'reasons']

function readExpected(reader: Reader, value: unknown, path: string): PolicyCase['expect'] {
  const expect = reader.object(value, path, EXPECT)
  const member = <T>(name: string, work: (value: unknown, path: string) => T): T | undefined =>
    expect[name] === undefined ? undefined : work(expect[name], at(path, name))
  const people = (one: unknown, place: string) => reader.whole(one, place, 0, 20)
  const rule = (one: unknown, place: string) => (one === null ? null : reader.name(one, place))
  const reasons = (list: unknown, place: string) =>
    reader.list(list, place, 50, (code, where) => reader.text(code, where))
  return {
    decision: reader.oneOf(expect['decision'], at(path, 'decision'), DECISIONS),
    ...given('rule', member('rule', rule)),
    ...given('approvals', member('approvals', people)),
    ...given('transactionApprovals', member('transaction_approvals', people)),
    ...given('reasons', member('reasons', reasons)),
  }
}
