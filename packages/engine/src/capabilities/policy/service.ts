import {
  type Clock,
  type Json,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Transactor,
  type WithdrawalId,
} from '../../kernel/index.ts'
import { appendAudit, canonicalJson } from '../audit/index.ts'
import { appendEvents } from '../events/index.ts'
import {
  againAfterConflict,
  doOnce,
  type IdempotencyRows,
  type Once,
  type OnceRefusal,
} from '../idempotency/index.ts'
import { type TestReport, testPolicy } from './cases.ts'
import { DEFAULT_DOCUMENT, defaultPolicy } from './default.ts'
import { type Finding, lint } from './lint.ts'
import { type LimitsAsked, limitsInUse, type LimitUse } from './limits-in-use.ts'
import { parsePolicy } from './parse.ts'
import type { DecisionRecord, PolicyRecord, PolicyTx } from './ports.ts'
import { type ReplayOptions, type ReplayReport, replayPolicy } from './replay.ts'
import { digestOfText } from './request.ts'
import { policyAt, readStored } from './stored.ts'

export interface PoliciesTx extends PolicyTx {
  readonly idempotency: IdempotencyRows
}
export interface PoliciesDeps {
  readonly store: Transactor<PoliciesTx>
  readonly clock: Clock
  /** Whose addresses lists may name. */
  readonly network: Network
}
type NotFound = Refusal<'POLICY_NOT_FOUND'>
export type EnableRefusal = Refusal<
  | 'POLICY_NOT_FOUND'
  | 'POLICY_NOT_TESTED'
  | 'POLICY_TESTS_FAILED'
  | 'POLICY_UNSOUND'
  | 'POLICY_ENABLER_IS_AUTHOR'
>
export interface Proposed {
  readonly policy: PolicyRecord
  /** What keeps it from being enabled. */
  readonly findings: readonly Finding[]
}

export interface Policies {
  /** The policy in force. */
  current(): Promise<PolicyRecord>
  /** Newest first; the built-in one, version 0, is not among them. */
  list(page: { readonly before?: number; readonly limit: number }): Promise<readonly PolicyRecord[]>
  get(version: number): Promise<PolicyRecord | undefined>
  /** Stores a document under the next version, as a draft. It decides nothing yet, and never changes again. */
  propose(
    document: Json,
    actor: string,
    once?: Once<PolicyRecord>,
  ): Promise<Result<Proposed, Refusal<'POLICY_INVALID'> | OnceRefusal>>
  /** Runs the document's own cases and the linter; a draft that passes both is `tested` from then on. */
  test(version: number, actor: string): Promise<Result<TestReport, NotFound>>
  /** Puts a tested version, or one that was in force before, in force, from the commit on and in every process. */
  enable(version: number, actor: string): Promise<Result<PolicyRecord, EnableRefusal>>
  /** Which past requests a version decides otherwise. */
  replay(version: number, options: ReplayOptions): Promise<Result<ReplayReport, NotFound>>
  /** The limits in force that concern somebody, with what is used of them. */
  limits(asked: LimitsAsked): Promise<readonly LimitUse[]>
  /** What was decided about a withdrawal, and from what. */
  decision(withdrawal: WithdrawalId): Promise<DecisionRecord | undefined>
}

/** The built-in policy as a record: always tested, in force until another one is. */
function builtIn(enabled: number): PolicyRecord {
  const document = canonicalJson(DEFAULT_DOCUMENT)
  return {
    version: 0,
    status: enabled === 0 ? 'enabled' : 'retired',
    name: defaultPolicy().name,
    document,
    digest: digestOfText(document),
    createdAt: 0,
    createdBy: 'engine',
    testedAt: 0,
    testedBy: 'engine',
  }
}

async function recordAt(
  tx: Pick<PolicyTx, 'policy'>,
  version: number,
  enabled: number,
): Promise<PolicyRecord | undefined> {
  return version === 0 ? builtIn(enabled) : tx.policy.policy(version)
}
const unknown = (version: number) =>
  refuse('POLICY_NOT_FOUND', `no policy ${version}`, { param: 'version', details: { version } })

/** What the trail and the events say of a policy: its digest binds the document. */
async function writeDown(
  tx: PolicyTx,
  at: number,
  actor: string,
  what: 'propose' | 'test' | 'enable',
  { version, name, digest }: PolicyRecord,
  more: { readonly [key: string]: Json } = {},
): Promise<void> {
  const subject = `policy/${version}`
  const facts = { version, name, digest, ...more }
  const done = { propose: 'proposed', test: 'tested', enable: 'enabled' }[what]
  await appendAudit(tx, at, [{ actor, action: `policy.${what}`, subject, details: facts }])
  await appendEvents(tx, at, [{ type: `policy.${done}`, subject, data: { ...facts, actor } }])
}

async function propose(
  { store, clock, network }: PoliciesDeps,
  input: Json,
  actor: string,
  once: Once<PolicyRecord> | undefined,
): ReturnType<Policies['propose']> {
  const at = clock.now()
  const policy = parsePolicy(input, network)
  if (!policy.ok) return policy
  const document = canonicalJson(input)
  const made = await againAfterConflict(() =>
    store.transact((tx) =>
      doOnce<PolicyRecord, never>(tx, once, at, async () => {
        const head = await tx.policy.lockHead()
        const version = head.versions + 1
        const record: PolicyRecord = {
          version,
          status: 'draft',
          name: policy.value.name,
          document,
          digest: digestOfText(document),
          createdAt: at,
          createdBy: actor,
        }
        await tx.policy.insert(record)
        await tx.policy.saveHead({ ...head, versions: version })
        await writeDown(tx, at, actor, 'propose', record)
        return ok(record)
      }),
    ),
  )
  return made.ok ? ok({ policy: made.value, findings: lint(policy.value) }) : made
}

const test = (
  { store, clock }: PoliciesDeps,
  version: number,
  actor: string,
): ReturnType<Policies['test']> =>
  store.transact(async (tx) => {
    const head = await tx.policy.lockHead()
    const record = await recordAt(tx, version, head.enabled)
    if (!record) return unknown(version)
    const report = testPolicy(readStored(record))
    if (!report.ok || record.status !== 'draft') return ok(report)
    const at = clock.now()
    const tested: PolicyRecord = { ...record, status: 'tested', testedAt: at, testedBy: actor }
    await tx.policy.save(tested)
    await writeDown(tx, at, actor, 'test', tested, { cases: report.cases })
    return ok(report)
  })

/** Tests are run again before a policy is put in force: the engine may read it otherwise than the one that tested it. */
function soundness(
  record: PolicyRecord,
): Refusal<'POLICY_TESTS_FAILED' | 'POLICY_UNSOUND'> | undefined {
  const { failures, findings } = testPolicy(readStored(record))
  const [failure] = failures
  if (failure) {
    const { name, what, expected, got } = failure
    const message = `the case "${name}" fails: ${what} is ${got}, not ${expected}`
    const details = { failures: failures.length, name, what, expected, got }
    return refuse('POLICY_TESTS_FAILED', message, { details }).error
  }
  if (findings.length === 0) return undefined
  const details = { findings: findings.length }
  return refuse('POLICY_UNSOUND', findings.map(sayFinding).join('; '), { details }).error
}

/** A finding in words. */
export function sayFinding(finding: Finding): string {
  if (finding.kind === 'no_tests') return 'it has no test cases'
  if (finding.kind === 'shadowed')
    return `rule ${finding.rule} can never decide: ${finding.by.join(', ')} before it match whatever it matches`
  const { where, needed, people } = finding
  return `${where} needs ${needed} approvals from groups of ${people}`
}

const enable = (
  { store, clock }: PoliciesDeps,
  version: number,
  actor: string,
): ReturnType<Policies['enable']> =>
  store.transact(async (tx) => {
    const head = await tx.policy.lockHead()
    const record = await recordAt(tx, version, head.enabled)
    if (!record) return unknown(version)
    if (head.enabled === version) return ok(record)
    if (record.status === 'draft')
      return refuse('POLICY_NOT_TESTED', `policy ${version} has not passed its tests`)
    const fault = soundness(record)
    if (fault) return { ok: false, error: fault }
    const inForce = await policyAt(tx, head.enabled, head.digest)
    if (inForce.secondPerson && actor === record.createdBy)
      return refuse('POLICY_ENABLER_IS_AUTHOR', 'somebody else has to put this policy in force')
    const at = clock.now()
    const old = await tx.policy.policy(head.enabled)
    if (old) await tx.policy.save({ ...old, status: 'retired', retiredAt: at })
    const { retiredAt: _, ...rest } = record
    const enabled: PolicyRecord = { ...rest, status: 'enabled', enabledAt: at, enabledBy: actor }
    if (version !== 0) await tx.policy.save(enabled)
    const { digest: __, ...next } = { ...head, enabled: version }
    await tx.policy.saveHead(version === 0 ? next : { ...next, digest: record.digest })
    await writeDown(tx, at, actor, 'enable', enabled, { previous: head.enabled })
    return ok(enabled)
  })

/** Policies as data: proposed, tested, enabled, replayed. */
export function createPolicies(deps: PoliciesDeps): Policies {
  const { store } = deps
  const read = async (version: number) =>
    store.read(async (tx) => recordAt(tx, version, (await tx.policy.head()).enabled))
  return {
    current: () =>
      store.read(async (tx) => {
        const { enabled } = await tx.policy.head()
        return (await recordAt(tx, enabled, enabled)) ?? builtIn(enabled)
      }),
    list: (page) => store.read((tx) => tx.policy.list(page)),
    get: read,
    propose: (document, actor, once) => propose(deps, document, actor, once),
    test: (version, actor) => test(deps, version, actor),
    enable: (version, actor) => enable(deps, version, actor),
    async replay(version, options) {
      const record = await read(version)
      if (!record) return unknown(version)
      return ok(await replayPolicy(store, version, readStored(record), options))
    },
    limits: (asked) => store.read((tx) => limitsInUse(tx, asked)),
    decision: (withdrawal) => store.read((tx) => tx.policy.decision(withdrawal)),
  }
}
