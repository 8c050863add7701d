import type { ApprovalSubject, PolicyHead, PolicyRows } from '../../capabilities/policy/index.ts'
import { AssertionError, assert, fromHex, toHex } from '../../kernel/index.ts'
import { insertRows } from './batch.ts'
import {
  APPROVAL_TASKS,
  APPROVALS,
  POLICIES,
  POLICY_DECISIONS,
  POLICY_MOVES,
} from './columns-policy.ts'
import { type Doors, int, num, present } from './doors.ts'
import {
  approvalOf,
  approvalRow,
  decisionOf,
  decisionRow,
  moveOf,
  moveRow,
  policyOf,
  policyRow,
  taskOf,
  taskRow,
} from './policy-rows.ts'

async function readHead({ db, dialect }: Doors, isLocked: boolean): Promise<PolicyHead> {
  const query = db.selectFrom('policy_head').selectAll().where('id', '=', 1n)
  const locked = isLocked && dialect.locksRows ? query.forUpdate() : query
  const row = await locked.executeTakeFirst()
  if (!row) throw new AssertionError('the head of the policies is missing')
  return {
    enabled: num(row.enabled),
    ...present('digest', row.digest && toHex(row.digest)),
    versions: num(row.versions),
    moves: num(row.moves),
  }
}

export function policyRows(doors: Doors): PolicyRows {
  const { db, session } = doors
  const all = () => db.selectFrom('policies').selectAll()
  return {
    async lockHead() {
      session.requireWriter()
      return readHead(doors, true)
    },
    head: () => readHead(doors, false),
    async saveHead({ enabled, digest, versions, moves }) {
      session.requireWriter()
      const values = {
        enabled: int(enabled),
        digest: digest === undefined ? null : fromHex(digest),
        versions: int(versions),
        moves: int(moves),
      }
      await db.updateTable('policy_head').set(values).where('id', '=', 1n).execute()
    },
    async insert(policy) {
      session.requireWriter()
      await insertRows(doors, 'policies', POLICIES, [policyRow(policy)])
    },
    async policy(version) {
      const row = await all().where('version', '=', int(version)).executeTakeFirst()
      return row && policyOf(row)
    },
    async save(policy) {
      session.requireWriter()
      const { version, status, tested_at, tested_by, enabled_at, enabled_by, retired_at } =
        policyRow(policy)
      const query = db
        .updateTable('policies')
        .set({ status, tested_at, tested_by, enabled_at, enabled_by, retired_at })
        .where('version', '=', version)
      const { numUpdatedRows } = await query.executeTakeFirst()
      assert(numUpdatedRows === 1n, `no policy ${version} to save`)
    },
    async list({ before, limit }) {
      const query = before === undefined ? all() : all().where('version', '<', int(before))
      return (await query.orderBy('version', 'desc').limit(limit).execute()).map(policyOf)
    },
    ...historyDoors(doors),
    ...approvalDoors(doors),
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

function historyDoors(doors: Doors): Pick<PolicyRows, History> {
  const { db, session } = doors
  return {
    async insertDecision(decision) {
      session.requireWriter()
      const rows = [decisionRow(decision)]
      await insertRows(doors, 'policy_decisions', POLICY_DECISIONS, rows)
    },
    async decision(withdrawal) {
      const query = db.selectFrom('policy_decisions').selectAll()
      const row = await query.where('withdrawal', '=', withdrawal).executeTakeFirst()
      return row && decisionOf(row)
    },
    async saveState(withdrawal, state) {
      session.requireWriter()
      const query = db.updateTable('policy_decisions').set({ state })
      const { numUpdatedRows } = await query.where('withdrawal', '=', withdrawal).executeTakeFirst()
      assert(numUpdatedRows === 1n, `no decision about ${withdrawal}`)
    },
    async decisions({ after = 0, limit }) {
      const query = db.selectFrom('policy_decisions').selectAll().where('number', '>', int(after))
      return (await query.orderBy('number').limit(limit).execute()).map(decisionOf)
    },
    async addMove(move) {
      session.requireWriter()
      await insertRows(doors, 'policy_moves', POLICY_MOVES, [moveRow(move)])
    },
    async moves({ after = 0, limit }) {
      const query = db.selectFrom('policy_moves').selectAll().where('number', '>', int(after))
      return (await query.orderBy('number').limit(limit).execute()).map(moveOf)
    },
    async firstNumber(from) {
      const least = async (table: 'policy_decisions' | 'policy_moves') => {
        const query = db.selectFrom(table).select((eb) => eb.fn.min('number').as('number'))
        const row = await query.where('at', '>=', int(from)).executeTakeFirst()
        // Of no rows the least number is null, whatever the types say.
        const number = row?.number as bigint | null | undefined
        return number === null || number === undefined ? [] : [num(number)]
      }
      const numbers = [...(await least('policy_decisions')), ...(await least('policy_moves'))]
      return numbers.length === 0 ? undefined : Math.min(...numbers)
    },
  }
}

type Approvals = 'insertTask' | 'task' | 'lockTask' | 'insertApproval' | 'approvals'

function approvalDoors(doors: Doors): Pick<PolicyRows, Approvals> {
  const { db, dialect, session } = doors
  const task = async ({ kind, id }: ApprovalSubject, isLocked: boolean) => {
    const query = db.selectFrom('approval_tasks').selectAll()
    const one = query.where('kind', '=', kind).where('id', '=', id)
    const row = await (isLocked && dialect.locksRows ? one.forUpdate() : one).executeTakeFirst()
    return row && taskOf(row)
  }
  return {
    async insertTask(task) {
      session.requireWriter()
      await insertRows(doors, 'approval_tasks', APPROVAL_TASKS, [taskRow(task)])
    },
    task: (subject) => task(subject, false),
    async lockTask(subject) {
      session.requireWriter()
      return task(subject, true)
    },
    async insertApproval(approval) {
      session.requireWriter()
      await insertRows(doors, 'approvals', APPROVALS, [approvalRow(approval)])
    },
    async approvals({ kind, id }) {
      const query = db.selectFrom('approvals').selectAll()
      const some = query.where('kind', '=', kind).where('id', '=', id)
      return (await some.orderBy('at').orderBy('actor').execute()).map(approvalOf)
    },
  }
}
