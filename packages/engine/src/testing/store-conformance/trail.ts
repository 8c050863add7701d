import type { StoreTx } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { alertOf, eventOf, trailOf } from './samples.ts'

/** Events, audit trail and alerts. */
export const TRAIL: Chapter = {
  'events are numbered, dense, and keep their data': async ({ store }) => {
    const appended = await store.transact((tx) => tx.events.append(5, [eventOf(1), eventOf(2)]))
    const expected = [1, 2].map((seq) => ({ ...eventOf(seq), seq, id: `evt_${seq}`, at: 5 }))
    same(appended, expected, 'what append answers')
    same(await store.transact((tx) => tx.events.append(5, [])), [], 'nothing to append')
    await store.read(async (tx) => {
      same(await tx.events.list({ after: 0, limit: 9 }), expected, 'what is stored')
      same(await tx.events.head(), 2, 'head')
    })
  },

  'an event keeps the request that caused it': async ({ store }) => {
    const origin = { requestId: 'req_1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-1-01' }
    const events = [eventOf(1, { origin }), eventOf(2, { origin: { requestId: 'req "2"' } })]
    const appended = await store.transact((tx) => tx.events.append(5, [...events, eventOf(3)]))
    const expected = [...events, eventOf(3)].map((event, i) => ({
      ...event,
      seq: i + 1,
      id: `evt_${i + 1}`,
      at: 5,
    }))
    same(appended, expected, 'what append answers')
    same(
      await store.read((tx) => tx.events.list({ after: 0, limit: 9 })),
      expected,
      'what is stored',
    )
  },

  'events are listed in pages by subject and type': async ({ store }) => {
    await store.transact((tx) =>
      tx.events.append(
        1,
        Array.from({ length: 20 }, (_, i) => eventOf(i + 1)),
      ),
    )
    await store.read(async (tx) => {
      const list = async (filter: Partial<Parameters<StoreTx['events']['list']>[0]>) =>
        (await tx.events.list({ after: 0, limit: 100, ...filter })).map((event) => event.seq)
      same(await list({ limit: 3 }), [1, 2, 3], 'first page')
      same(await list({ after: 18 }), [19, 20], 'last page')
      same(await list({ subject: 'ord_0' }), [5, 10, 15, 20], 'subject')
      same(await list({ types: ['order.payment_seen'], limit: 3 }), [2, 4, 6], 'type')
      same(
        await list({ types: ['order.payment_seen', 'wallet.registered'], limit: 3, after: 4 }),
        [5, 6, 7],
        'several types stay in order',
      )
      same(await list({ types: [] }), [], 'no type')
      same(await list({ subject: 'ord_0', types: ['wallet.registered'] }), [5, 15], 'together')
      same(await list({ after: 20 }), [], 'after the head')
    })
  },

  'a subscriber’s cursor is what it saved last': async ({ store }) => {
    same(await store.read((tx) => tx.events.cursor('mail')), 0, 'a new one')
    await store.transact((tx) => tx.events.saveCursor('mail', 7))
    await store.transact((tx) => tx.events.saveCursor('mail', 5))
    await store.read(async (tx) => {
      same(await tx.events.cursor('mail'), 5, 'also backwards')
      same(await tx.events.cursor('other'), 0, 'each its own')
    })
  },

  'the trail is appended at its head': async ({ store }) => {
    const trail = trailOf(4)
    await store.transact(async (tx) => {
      same(await tx.audit.lockHead(), undefined, 'an empty trail')
      await tx.audit.insert(trail.slice(0, 2))
      await tx.audit.insert([])
      same(await tx.audit.lockHead(), trail[1], 'the newest entry')
    })
    const insert = (entries: typeof trail) => () => store.transact((tx) => tx.audit.insert(entries))
    await fails(insert(trail.slice(3)), 'assertion', 'a gap')
    await fails(insert(trail.slice(1, 2)), 'assertion', 'a number again')
    const early = trail.slice(2, 3).map((entry) => ({ ...entry, at: 5 }))
    await fails(insert(early), 'assertion', 'a time before the newest')
    await insert(trail.slice(2))()
    same(await store.read((tx) => tx.audit.list({ limit: 9 })), trail, 'all of it')
  },

  'two transactions never take the same place in the trail': async ({ store }) => {
    const trail = trailOf(30)
    await Promise.all(
      trail.map(() =>
        store.transact(async (tx) => {
          const next = trail[(await tx.audit.lockHead())?.number ?? 0]
          if (next) await tx.audit.insert([next])
        }),
      ),
    )
    same(await store.read((tx) => tx.audit.list({ limit: 99 })), trail, 'every entry once')
  },

  'the trail is listed in pages by every filter': async ({ store }) => {
    await store.transact((tx) => tx.audit.insert(trailOf(12, 1000)))
    await store.read(async (tx) => {
      const list = async (filter: Partial<Parameters<StoreTx['audit']['list']>[0]>) =>
        (await tx.audit.list({ limit: 100, ...filter })).map((entry) => entry.number)
      same(await list({ limit: 2, after: 3 }), [4, 5], 'page')
      same(await list({ actor: 'operator:ann' }), [2, 4, 6, 8, 10, 12], 'actor')
      same(await list({ subject: 'ord_1' }), [2, 6, 10], 'subject')
      same(await list({ action: 'order.create' }), [1, 4, 7, 10], 'action')
      same(await list({ action: 'deposit.', limit: 3 }), [2, 3, 5], 'area')
      same(await list({ action: 'deposit' }), [], 'an area without its dot is an action')
      same(await list({ action: 'depos.' }), [], 'half an area is no area')
      same(await list({ from: 3000, until: 6000 }), [3, 4, 5], 'time')
      same(await list({ from: 3000, limit: 2, after: 5 }), [6, 7], 'a page of a time')
      same(await list({ until: 1000 }), [], 'before the beginning')
      same(await list({ from: 99_999 }), [], 'after the end')
      same(
        await list({ from: 3000, action: 'order.', actor: 'operator:ann', after: 4 }),
        [10],
        'together',
      )
    })
  },

  'an alert is raised once for its key': async ({ store }) => {
    const raise = (...numbers: number[]) =>
      store.transact((tx) =>
        tx.alerts.raise(
          9,
          numbers.map((n) => alertOf(n)),
        ),
      )
    const expected = (n: number, id: string) => ({ ...alertOf(n), id, at: 9 })
    same(await raise(1, 2, 1), [expected(1, 'alr_1'), expected(2, 'alr_2')], 'new keys')
    same(await raise(2, 1), [], 'known keys')
    same(await raise(2, 3), [expected(3, 'alr_3')], 'one of two is new')
    same(await raise(), [], 'none')
    same(await store.read((tx) => tx.alerts.alert('alr_2')), expected(2, 'alr_2'), 'by id')
    same(await store.read((tx) => tx.alerts.alert('alr_9')), undefined, 'unknown id')
    same(await store.read((tx) => tx.alerts.alert('nonsense')), undefined, 'not an id')
    const many = await Promise.all(Array.from({ length: 20 }, () => raise(7)))
    same(many.flat().length, 1, 'twenty at once ring once')
  },

  'alerts are acknowledged and listed newest first': async ({ store }) => {
    await store.transact((tx) =>
      tx.alerts.raise(
        1,
        Array.from({ length: 12 }, (_, i) => alertOf(i + 1)),
      ),
    )
    const acknowledged = { at: 5, by: 'ann', note: 'called them' }
    await store.transact(async (tx) => {
      const alert = await tx.alerts.alert('alr_3')
      if (alert) await tx.alerts.save({ ...alert, acknowledged })
    })
    await fails(
      () => store.transact((tx) => tx.alerts.save({ ...alertOf(1), id: 'alr_99', at: 1 })),
      'assertion',
      'saving an unknown alert',
    )
    await store.read(async (tx) => {
      same((await tx.alerts.alert('alr_3'))?.acknowledged, acknowledged, 'kept')
      const list = async (filter: Partial<Parameters<StoreTx['alerts']['list']>[0]>) =>
        (await tx.alerts.list({ limit: 100, ...filter })).map((alert) => Number(alert.id.slice(4)))
      same(await list({ limit: 3 }), [12, 11, 10], 'newest first')
      same(await list({ limit: 3, before: 'alr_10' }), [9, 8, 7], 'second page')
      same(await list({ open: true, before: 'alr_5' }), [4, 2, 1], 'open')
      same(await list({ open: false }), [3], 'acknowledged')
      same(await list({ kind: 'drift', limit: 2 }), [11, 9], 'kind')
      same(await list({ subject: 'ord_1' }), [10, 7, 4, 1], 'subject')
    })
  },
}
