import type { DeliveryRecord, WebhookRecord } from '../../capabilities/webhooks/index.ts'
import type { StoreTx } from '../../runtime/store.ts'
import { type Chapter, fails, same } from './check.ts'
import { deliveryOf, webhookOf } from './samples.ts'

/** Secrets show themselves to nobody; here they have to be compared. */
const plain = (webhook: WebhookRecord | undefined) =>
  webhook && {
    ...webhook,
    secrets: webhook.secrets.map((one) => ({ ...one, secret: one.secret.reveal() })),
  }
type List = Parameters<StoreTx['webhooks']['list']>[0]

const full = webhookOf(9, {
  status: 'paused',
  pausedReason: 'gone',
  pausedAt: 5,
  description: 'Shop ☕',
  metadata: { shop: '7', 'a "b"': '' },
  grant: { scopes: ['events:read'], wallets: [] },
  lastDelivered: 4,
  lastDeliveredAt: 44,
  attempts: 3,
  failingSince: 40,
  lastError: 'answered 410',
  nextAttemptAt: 50,
  deliveries: 12,
})

/** Subscriptions by webhook, their leases and their log. */
export const WEBHOOKS: Chapter = {
  'a webhook is kept with everything it has, and its secrets': async ({ store, reopen }) => {
    const bare = webhookOf(1)
    await store.transact(async (tx) => {
      await tx.webhooks.insert(bare)
      await tx.webhooks.insert(full)
      same(plain(await tx.webhooks.lock('whk_9')), plain(full), 'inside')
    })
    for (const one of [store, ...(reopen ? [await reopen()] : [])])
      await one.read(async (tx) => {
        same(plain(await tx.webhooks.webhook('whk_1')), plain(bare), 'the least')
        same(plain(await tx.webhooks.webhook('whk_9')), plain(full), 'the most')
        same(await tx.webhooks.webhook('whk_2'), undefined, 'unknown')
      })
    await fails(() => store.transact((tx) => tx.webhooks.insert(bare)), 'STORE_CONFLICT', 'twice')
    await fails(() => store.read((tx) => tx.webhooks.lock('whk_1')), 'assertion', 'a lock in read')
    const lost = store.transact((tx) => tx.webhooks.save(webhookOf(5)))
    await fails(() => lost, 'assertion', 'saving an unknown one')
    const { lastError: _, pausedAt: __, ...healed } = full
    await store.transact((tx) => tx.webhooks.save(healed))
    same(plain(await store.read((tx) => tx.webhooks.webhook('whk_9'))), plain(healed), 'less again')
  },

  'webhooks are listed newest first, without removed ones': async ({ store }) => {
    await store.transact(async (tx) => {
      for (let n = 1; n <= 8; n++)
        await tx.webhooks.insert(
          webhookOf(n, {
            status: n === 4 ? 'removed' : n % 3 === 0 ? 'paused' : 'active',
            createdBy: n % 2 === 0 ? 'api:key_1' : 'operator:ann',
          }),
        )
    })
    await store.read(async (tx) => {
      const list = async (filter: Partial<List>) =>
        (await tx.webhooks.list({ limit: 9, ...filter })).map(({ id }) => Number(id.slice(4)))
      same(await list({}), [8, 7, 6, 5, 3, 2, 1], 'all')
      same(await list({ limit: 2, before: 'whk_7' }), [6, 5], 'a page')
      same(await list({ status: 'paused' }), [6, 3], 'by status')
      same(await list({ createdBy: 'api:key_1' }), [8, 6, 2], 'by creator')
      same(await list({ createdBy: 'api:key_1', status: 'active', before: 'whk_8' }), [2], 'both')
      const { id, eventTypes, grant } = webhookOf(5)
      const interests = await tx.webhooks.interests('whk_4', 1)
      same(interests, [{ id, eventTypes, grant }], 'what is asked for, by page')
      const rest = await tx.webhooks.interests(undefined, 9)
      same(
        rest.map((one) => one.id),
        ['whk_1', 'whk_2', 'whk_5', 'whk_7', 'whk_8'],
        'active ones in order',
      )
    })
  },

  'a mark gives work to those that have none and have not passed it': async ({ store }) => {
    await store.transact(async (tx) => {
      await tx.webhooks.insert(webhookOf(1, { cursor: 3 }))
      await tx.webhooks.insert(webhookOf(2, { cursor: 3, nextAttemptAt: 70 }))
      await tx.webhooks.insert(webhookOf(3, { cursor: 3, status: 'paused' }))
      await tx.webhooks.insert(webhookOf(4, { cursor: 9 }))
      await tx.webhooks.insert(webhookOf(5, { cursor: 8 }))
    })
    const marks = [1, 2, 3, 4, 5, 6].map((n) => ({ id: `whk_${n}`, first: 7, last: 9 }))
    await store.transact(async (tx) => {
      await tx.webhooks.mark(100, marks)
      await tx.webhooks.mark(200, marks)
      await tx.webhooks.mark(300, [])
    })
    await store.read(async (tx) => {
      const at = async (n: number) => {
        const webhook = await tx.webhooks.webhook(`whk_${n}`)
        return [webhook?.cursor, webhook?.nextAttemptAt]
      }
      same(await at(1), [6, 100], 'idle: just before the first')
      same(await at(2), [3, 70], 'with work already')
      same(await at(3), [3, undefined], 'paused')
      same(await at(4), [9, undefined], 'beyond the last')
      same(await at(5), [8, 100], 'between: not back')
    })
  },

  'the place of the feed never goes back': async ({ store }) => {
    same(await store.read((tx) => tx.webhooks.fed()), 0, 'at first')
    for (const seq of [5, 9, 7]) await store.transact((tx) => tx.webhooks.saveFed(seq))
    same(await store.read((tx) => tx.webhooks.fed()), 9, 'the furthest')
  },

  'a lease is one process’s, until it runs out': async ({ store }) => {
    await store.transact(async (tx) => {
      await tx.webhooks.insert(webhookOf(1, { nextAttemptAt: 100, cursor: 5 }))
      await tx.webhooks.insert(webhookOf(2, { nextAttemptAt: 90, cursor: 6 }))
      await tx.webhooks.insert(webhookOf(3, { nextAttemptAt: 300, cursor: 7 }))
      await tx.webhooks.insert(webhookOf(4, { cursor: 1 }))
    })
    const claim = (n: number, at: number, until: number) =>
      store.transact((tx) => tx.webhooks.claim(`whk_${n}`, at, until))
    const due = (at: number, limit = 9) => store.read((tx) => tx.webhooks.due(at, limit))
    const next = (at: number) => store.read((tx) => tx.webhooks.nextDue(at))
    same(await due(89), [], 'nothing yet')
    same(await next(0), 90, 'the first')
    same(await due(200), ['whk_2', 'whk_1'], 'the longest waiting first')
    same(await due(200, 1), ['whk_2'], 'so many')
    same(await claim(1, 99, 150), undefined, 'too early')
    same(await claim(4, 200, 250), undefined, 'nothing to deliver')
    same(await claim(7, 200, 250), undefined, 'unknown')
    const first = await claim(1, 120, 150)
    same(first?.lease, { fence: 1, until: 150 }, 'taken')
    same(await claim(1, 149, 200), undefined, 'held')
    same(await due(149), ['whk_2'], 'one that is held is not due')
    same(await due(150), ['whk_2', 'whk_1'], 'one whose lease is over is')
    const second = await claim(1, 150, 210)
    same(second?.lease, { fence: 2, until: 210 }, 'taken over')
    await store.transact(async (tx) => {
      same(await tx.webhooks.lockLeased('whk_1', 1), undefined, 'an older fence')
      const mine = await tx.webhooks.lockLeased('whk_1', 2)
      same(mine?.id, 'whk_1', 'the newest')
      if (mine) await tx.webhooks.save({ ...mine, cursor: 8 })
    })
    same(await claim(1, 160, 200), undefined, 'saving keeps the lease')
    await store.transact((tx) => tx.webhooks.save(webhookOf(1, { nextAttemptAt: 160 }), 0))
    same((await claim(1, 160, 200))?.lease.fence, 3, 'given back')
    same(await next(160), 90, 'next of those nobody holds')
    await claim(2, 160, 200)
    same(await next(160), 300, 'and then')
    same(await store.read((tx) => tx.webhooks.slowest()), { id: 'whk_1', cursor: 0 }, 'slowest')
  },

  'twenty processes claim at once: one gets it': async ({ store, reopen }) => {
    const other = reopen ? await reopen() : store
    await store.transact((tx) => tx.webhooks.insert(webhookOf(1, { nextAttemptAt: 1 })))
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? store : other).transact((tx) => tx.webhooks.claim('whk_1', 5, 50)),
      ),
    )
    same(claims.filter((one) => one !== undefined).length, 1, 'winners')
  },

  'deliveries are kept, listed newest first, and forgotten': async ({ store }) => {
    const all: DeliveryRecord[] = []
    for (let n = 1; n <= 9; n++) all.push(deliveryOf(1, n), deliveryOf(2, n))
    await store.transact(async (tx) => {
      for (const one of all) await tx.webhooks.log(one)
    })
    await fails(
      () => store.transact((tx) => tx.webhooks.log(deliveryOf(1, 1))),
      'STORE_CONFLICT',
      'a number again',
    )
    const numbers = (webhook: string, before?: number) =>
      store.read(async (tx) => {
        const filter = { webhook, limit: 4, ...(before === undefined ? {} : { before }) }
        return (await tx.webhooks.deliveries(filter)).map(({ number }) => number)
      })
    same(await numbers('whk_1'), [9, 8, 7, 6], 'first page')
    same(await numbers('whk_1', 6), [5, 4, 3, 2], 'second page')
    same(await numbers('whk_3'), [], 'of nobody')
    await store.read(async (tx) => {
      same(await tx.webhooks.delivery('dlv_2_3'), deliveryOf(2, 3), 'all of one that failed')
      same(await tx.webhooks.delivery('dlv_2_4'), deliveryOf(2, 4), 'all of one that did not')
      same(await tx.webhooks.delivery('dlv_2_99'), undefined, 'unknown')
      same(await tx.webhooks.delivery('nonsense'), undefined, 'no id')
    })
    await store.transact((tx) => tx.webhooks.forgetUpTo('whk_1', 7))
    same(await numbers('whk_1'), [9, 8], 'only the newest')
    same(await numbers('whk_2'), [9, 8, 7, 6], 'those of another one stay')
    const old = deliveryOf(2, 4).at
    const forget = (limit: number) => store.transact((tx) => tx.webhooks.forgetBefore(old, limit))
    same([await forget(2), await forget(9), await forget(9)], [2, 1, 0], 'by age, so many at once')
    same(await numbers('whk_2', 7), [6, 5, 4], 'from then on they stay')
  },
}
