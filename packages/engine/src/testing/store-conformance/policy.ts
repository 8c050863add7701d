import { type Chapter, fails, same } from './check.ts'
import { digest, scriptOf } from './samples.ts'
import { decisionOf, policyOf, policySubjectOf, taskOf, requestIdOf } from './samples-policy.ts'

/** Policies, what they decided, and who approved it. */
export const POLICY: Chapter = {
  'the head begins with the built-in policy, and is saved': async ({ store, reopen }) => {
    same(await store.read((tx) => tx.policy.head()), { enabled: 0, versions: 0, moves: 0 }, 'new')
    const next = { enabled: 2, digest: digest(2, 6), versions: 3, moves: 17 }
    await store.transact(async (tx) => {
      same(await tx.policy.lockHead(), { enabled: 0, versions: 0, moves: 0 }, 'locked')
      await tx.policy.saveHead(next)
      same(await tx.policy.lockHead(), next, 'in the transaction')
    })
    same(await store.read((tx) => tx.policy.head()), next, 'saved')
    const { digest: _, ...builtIn } = next
    await store.transact((tx) => tx.policy.saveHead(builtIn))
    same(await store.read((tx) => tx.policy.head()), builtIn, 'without a digest')
    await store.transact((tx) => tx.policy.saveHead(next))
    const again = await reopen?.()
    if (again) same(await again.read((tx) => tx.policy.head()), next, 'after a restart')
    await again?.close()
  },

  'a policy comes back as it went in, and only its status and times change': async ({ store }) => {
    const full = policyOf(2, {
      status: 'retired',
      testedAt: 5,
      testedBy: 'operator:bob',
      enabledAt: 6,
      enabledBy: 'operator:cy',
      retiredAt: 7,
    })
    await store.transact(async (tx) => {
      await tx.policy.insert(policyOf(1))
      await tx.policy.insert(full)
    })
    same(await store.read((tx) => tx.policy.policy(1)), policyOf(1), 'plain')
    same(await store.read((tx) => tx.policy.policy(2)), full, 'full')
    same(await store.read((tx) => tx.policy.policy(9)), undefined, 'unknown')
    const tested = policyOf(1, { status: 'tested', testedAt: 9, testedBy: 'operator:ann' })
    const forged = { ...tested, document: '{}', digest: digest(99), name: 'x', createdBy: 'y' }
    await store.transact((tx) => tx.policy.save(forged))
    same(await store.read((tx) => tx.policy.policy(1)), tested, 'the document stays')
    const save = () => store.transact((tx) => tx.policy.save(policyOf(9)))
    await fails(save, 'assertion', 'an unknown one')
    const insert = () => store.transact((tx) => tx.policy.insert(policyOf(1)))
    await fails(insert, 'STORE_CONFLICT', 'the version again')
  },

  'policies are listed in pages, newest first': async ({ store }) => {
    const versions = Array.from({ length: 12 }, (_, i) => i + 1)
    await store.transact(async (tx) => {
      for (const version of versions) await tx.policy.insert(policyOf(version))
    })
    await store.read(async (tx) => {
      const list = async (page: { before?: number; limit: number }) =>
        (await tx.policy.list(page)).map(({ version }) => version)
      same(await list({ limit: 3 }), [12, 11, 10], 'first page')
      same(await list({ before: 10, limit: 2 }), [9, 8], 'second page')
      same(await list({ before: 2, limit: 9 }), [1], 'last page')
    })
  },

  'a decision comes back with all that it was made from': async ({ store }) => {
    const subject = policySubjectOf(1, { user: 'u"1', customer: 'c☕', script: scriptOf(7) })
    const { rule: _, ...verdict } = decisionOf(2).verdict
    const decisions = [decisionOf(1, { subject }), decisionOf(2, { verdict, number: 4 })]
    await store.transact(async (tx) => {
      for (const one of decisions) await tx.policy.insertDecision(one)
      await tx.policy.saveState(requestIdOf(2), 'released')
    })
    const stored = [decisions[0], decisionOf(2, { verdict, number: 4, state: 'released' })]
    await store.read(async (tx) => {
      same(await tx.policy.decision(requestIdOf(1)), stored[0], 'one')
      same(await tx.policy.decision(requestIdOf(9)), undefined, 'unknown')
      same(await tx.policy.decisions({ limit: 9 }), stored, 'all, by number')
      same(await tx.policy.decisions({ after: 1, limit: 9 }), [stored[1]], 'the next page')
      same(await tx.policy.decisions({ limit: 1 }), [stored[0]], 'a short page')
    })
    const again = () => store.transact((tx) => tx.policy.insertDecision(decisionOf(1)))
    await fails(again, 'STORE_CONFLICT', 'the withdrawal again')
    const state = () => store.transact((tx) => tx.policy.saveState(requestIdOf(9), 'settled'))
    await fails(state, 'assertion', 'an unknown one')
  },

  'moves are in the order of their numbers, and found by time': async ({ store }) => {
    const times = [10, 30, 20, 40]
    const moves = times.map((at, i) => ({
      number: i + 1,
      at,
      kind: i % 2 === 0 ? ('released' as const) : ('settled' as const),
      withdrawal: requestIdOf(i),
    }))
    await store.transact(async (tx) => {
      for (const move of moves) await tx.policy.addMove(move)
    })
    await store.read(async (tx) => {
      same(await tx.policy.moves({ limit: 3 }), moves.slice(0, 3), 'a page')
      same(await tx.policy.moves({ after: 3, limit: 3 }), moves.slice(3), 'the next')
      const first: (number | undefined)[] = []
      for (const from of [0, 10, 11, 25, 31, 41]) first.push(await tx.policy.firstNumber(from))
      same(first, [1, 1, 2, 2, 4, undefined], 'the first of a time')
    })
    const subject = policySubjectOf(9, { at: 35 })
    await store.transact((tx) => tx.policy.insertDecision(decisionOf(9, { subject, number: 3 })))
    await store.read(async (tx) => {
      same(await tx.policy.firstNumber(32), 3, 'a decision')
      same(await tx.policy.firstNumber(30), 2, 'a move before it')
    })
  },

  'approvals are kept for what they were given, each person once': async ({ store }) => {
    const task = taskOf(1)
    const psbt = taskOf(1, { subject: { kind: 'psbt', id: task.subject.id }, hash: digest(8) })
    const by = (actor: string, at: number) => ({
      subject: task.subject,
      hash: task.hash,
      by: actor,
      at,
    })
    await store.transact(async (tx) => {
      await tx.policy.insertTask(task)
      await tx.policy.insertTask(psbt)
      same(await tx.policy.lockTask(task.subject), task, 'locked')
      same(await tx.policy.lockTask(psbt.subject), psbt, 'of another kind')
      same(await tx.policy.lockTask({ kind: 'psbt', id: 'psb_9' }), undefined, 'none')
      await tx.policy.insertApproval(by('operator:bob', 7))
      await tx.policy.insertApproval(by('operator:ann', 8))
    })
    await store.read(async (tx) => {
      same(await tx.policy.task(task.subject), task, 'the task')
      const given = [by('operator:bob', 7), by('operator:ann', 8)]
      same(await tx.policy.approvals(task.subject), given, 'as they were given')
      same(await tx.policy.approvals(psbt.subject), [], 'none of another kind')
    })
    const twice = () => store.transact((tx) => tx.policy.insertApproval(by('operator:bob', 9)))
    await fails(twice, 'STORE_CONFLICT', 'the person again')
    const again = () => store.transact((tx) => tx.policy.insertTask(task))
    await fails(again, 'STORE_CONFLICT', 'the task again')
  },

  'readers neither lock nor write policies': async ({ store }) => {
    const { subject } = taskOf(1)
    const head = { enabled: 0, versions: 0, moves: 1 }
    const writes: Readonly<Record<string, Parameters<typeof store.read>[0]>> = {
      lockHead: (tx) => tx.policy.lockHead(),
      saveHead: (tx) => tx.policy.saveHead(head),
      insert: (tx) => tx.policy.insert(policyOf(1)),
      decision: (tx) => tx.policy.insertDecision(decisionOf(1)),
      task: (tx) => tx.policy.insertTask(taskOf(1)),
      lockTask: (tx) => tx.policy.lockTask(subject),
    }
    for (const [name, work] of Object.entries(writes))
      await fails(() => store.read(work), 'assertion', name)
  },
}
