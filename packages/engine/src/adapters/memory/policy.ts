import type {
  Approval,
  ApprovalSubject,
  ApprovalTask,
  DecisionRecord,
  Move,
  PolicyHead,
  PolicyRecord,
  PolicyRows,
} from '../../capabilities/policy/index.ts'
import { assert } from '../../kernel/index.ts'
import type { Session } from './session.ts'
import { firstOf, SortedIndex, Table, takeWhile } from './table.ts'

const subjectKey = ({ kind, id }: ApprovalSubject) => `${kind}/${id}`

export function policyTables() {
  const byVersion = new SortedIndex<PolicyRecord>((row) => [row.version])
  const byNumber = new SortedIndex<DecisionRecord>((row) => [row.number])
  const byMove = new SortedIndex<Move>((row) => [row.number])
  const byGiven = new SortedIndex<Approval>((row) => [subjectKey(row.subject), row.at, row.by])
  return {
    byVersion,
    byNumber,
    byMove,
    byGiven,
    head: new Table<PolicyHead>('policy_head', () => 'head'),
    policies: new Table<PolicyRecord>('policies', (row) => String(row.version), [byVersion]),
    decisions: new Table<DecisionRecord>('policy_decisions', (row) => row.subject.withdrawal, [
      byNumber,
    ]),
    moves: new Table<Move>('policy_moves', (row) => String(row.number), [byMove]),
    tasks: new Table<ApprovalTask>('approval_tasks', (row) => subjectKey(row.subject)),
    approvals: new Table<Approval>('approvals', (row) => `${subjectKey(row.subject)}/${row.by}`, [
      byGiven,
    ]),
  }
}
type Tables = ReturnType<typeof policyTables>

const NEW: PolicyHead = { enabled: 0, versions: 0, moves: 0 }

export function policyRows(tables: Tables, session: Session): PolicyRows {
  const { head, policies, byVersion } = tables
  return {
    lockHead: async () => {
      session.requireWriter()
      return head.get('head') ?? NEW
    },
    head: async () => head.get('head') ?? NEW,
    saveHead: async (next) => head.put(session, next),
    insert: async (policy) => policies.insert(session, policy),
    policy: async (version) => policies.get(String(version)),
    save: async (policy) => {
      const stored = policies.get(String(policy.version))
      assert(stored, `no policy ${policy.version} to save`)
      const { document, digest, name, createdAt, createdBy } = stored
      policies.put(session, { ...policy, document, digest, name, createdAt, createdBy })
    },
    list: async ({ before, limit }) =>
      firstOf(
        policies.rows(byVersion.descending(before === undefined ? undefined : [before])),
        limit,
      ),
    ...historyDoors(tables, session),
    ...approvalDoors(tables, session),
  }
}

type History =
  | 'insertDecision'
  | 'decision'
  | 'saveState'
  | 'decisions'
  | 'addMove'
  | 'moves'
  | 'firstNumber'

const historyDoors = (
  { decisions, byNumber, moves, byMove }: Tables,
  session: Session,
): Pick<PolicyRows, History> => ({
  insertDecision: async (decision) => decisions.insert(session, decision),
  decision: async (withdrawal) => decisions.get(withdrawal),
  saveState: async (withdrawal, state) => {
    const decision = decisions.get(withdrawal)
    assert(decision, `no decision about ${withdrawal}`)
    decisions.put(session, { ...decision, state })
  },
  decisions: async ({ after = 0, limit }) =>
    firstOf(decisions.rows(byNumber.ascending([after])), limit),
  addMove: async (move) => moves.insert(session, move),
  moves: async ({ after = 0, limit }) => firstOf(moves.rows(byMove.ascending([after])), limit),
  firstNumber: async (from) => {
    const [move] = firstOf(moves.rows(byMove.ascending()), 1, ({ at }) => at >= from)
    const isLater = ({ subject }: DecisionRecord) => subject.at >= from
    const [decision] = firstOf(decisions.rows(byNumber.ascending()), 1, isLater)
    const numbers = [move, decision].flatMap((row) => (row ? [row.number] : []))
    return numbers.length === 0 ? undefined : Math.min(...numbers)
  },
})

type Approvals = 'insertTask' | 'task' | 'lockTask' | 'insertApproval' | 'approvals'

const approvalDoors = (
  { tasks, approvals, byGiven }: Tables,
  session: Session,
): Pick<PolicyRows, Approvals> => ({
  insertTask: async (task) => tasks.insert(session, task),
  task: async (subject) => tasks.get(subjectKey(subject)),
  lockTask: async (subject) => {
    session.requireWriter()
    return tasks.get(subjectKey(subject))
  },
  insertApproval: async (approval) => approvals.insert(session, approval),
  approvals: async (subject) => {
    const key = subjectKey(subject)
    const run = approvals.rows(byGiven.ascending([key]))
    return [...takeWhile(run, (row) => subjectKey(row.subject) === key)]
  },
})
